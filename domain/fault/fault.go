package fault

import (
	"errors"
	"time"
)

// Kind classifies an error.
type Kind int

// The kinds. The zero value is Internal, so that the text of an unclassified error is never shown to a client.
const (
	Internal        Kind = iota // a defect of the service; details go to the log only
	Invalid                     // the input breaks a rule; see Error.Fields
	NotFound                    // there is no such thing, or the actor may not know of it
	Conflict                    // the present state does not allow it
	Stale                       // the version that the client named is out of date
	Unauthenticated             // no credentials, or invalid ones
	Forbidden                   // the credentials are valid, but do not allow it
	RateLimited                 // too many attempts; see Error.RetryAfter
	Unavailable                 // a resource is down or exhausted; see Error.RetryAfter
)

// Kinds returns every kind, for tests that a table covers all of them.
func Kinds() []Kind {
	return []Kind{Internal, Invalid, NotFound, Conflict, Stale, Unauthenticated, Forbidden, RateLimited, Unavailable}
}

// Field is a fault of one field of an input.
type Field struct {
	Name    string // as clients spell it; "" for the input as a whole
	Code    string // stable, for programs
	Message string // in English, for people
}

// Error is an error with a kind. Errors with the same kind, code and message match each other (see Is).
type Error struct {
	Kind       Kind
	Code       string // stable, for programs; may be ""
	Message    string // in English, for people
	Fields     []Field
	RetryAfter time.Duration // of RateLimited and Unavailable; zero when unknown
}

// New returns an error.
func New(k Kind, code, message string) *Error { return &Error{Kind: k, Code: code, Message: message} }

// With returns a copy of e with these faults of fields. The copy matches e.
func (e *Error) With(fields ...Field) *Error {
	c := *e
	c.Fields = fields
	return &c
}

// After returns a copy of e with RetryAfter d. The copy matches e.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

func (e *Error) Error() string {
	s := e.Message
	for i, f := range e.Fields {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		s += sep + f.Name + ": " + f.Message
	}
	return s
}

// Is reports whether target has the same kind, code and message as e.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code && t.Message == e.Message
}

// KindOf returns the kind of the first *Error in the tree of err, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// ErrInvalid is the error of an input that breaks rules. Its Fields list them.
var ErrInvalid = New(Invalid, "invalid", "the input is not valid")

// ErrUnavailable is the error of a resource that is down or exhausted.
var ErrUnavailable = New(Unavailable, "unavailable", "Service temporarily unavailable, try again later.")
