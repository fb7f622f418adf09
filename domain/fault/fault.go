// Package fault is the closed list of ways in which the service refuses or fails. It knows no
// transport: an adapter maps each kind to its own form, in one place.
package fault

import (
	"errors"
	"time"
)

// Kind says what sort of failure an error is.
type Kind int

// The kinds. The zero value is Internal, so that an unclassified error never shows its text.
const (
	Internal        Kind = iota // our defect; details go to the log only
	Invalid                     // the input breaks a rule; Fields says which
	NotFound                    // no such thing, or none that the actor may know of
	Conflict                    // the state forbids it now
	Stale                       // the caller's version is not the present one
	Unauthenticated             // nobody, or a token that is not good
	Forbidden                   // known, but not allowed
	RateLimited                 // too often; RetryAfter says how long to wait
	Unavailable                 // a resource is away or exhausted; RetryAfter says how long to wait
)

// Kinds returns every kind, for tables that must be total.
func Kinds() []Kind {
	return []Kind{Internal, Invalid, NotFound, Conflict, Stale, Unauthenticated, Forbidden, RateLimited, Unavailable}
}

// Field names one input at fault and what is wrong with it.
type Field struct {
	Name    string // the member as callers spell it, "" when the input as a whole is meant
	Code    string // stable and machine-readable
	Message string // for people, in English
}

// Error is a failure with a kind. Two errors of the same code are the same failure.
type Error struct {
	Kind       Kind
	Code       string // stable and machine-readable, "" when there is none to tell
	Message    string // for people, in English
	Fields     []Field
	RetryAfter time.Duration // for RateLimited and Unavailable; zero when unknown
}

// New makes a failure.
func New(k Kind, code, message string) *Error { return &Error{Kind: k, Code: code, Message: message} }

// With returns a copy of e that names the inputs at fault; it still matches e.
func (e *Error) With(fields ...Field) *Error {
	c := *e
	c.Fields = fields
	return &c
}

// After returns a copy of e that tells when to try again; it still matches e.
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

// Is reports whether target is the same failure, whatever its fields.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code && t.Message == e.Message
}

// KindOf returns the kind of the first *Error in err's tree, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// ErrInvalid is the failure of an input that breaks rules; its Fields say which.
var ErrInvalid = New(Invalid, "invalid", "the input is not valid")

// ErrUnavailable is the failure of a resource that is away or exhausted.
var ErrUnavailable = New(Unavailable, "unavailable", "Service temporarily unavailable, try again later.")
