package httpapi

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
)

// form is a wire form: how the paths of one family name and answer what the use cases take and return. The handlers are
// the same for all of them, and find the form in their call. Names on the left of a table are those of the use cases, as below /api/.
type form struct {
	accounts        inbound.Accounts // of the family, since each has its own access policy
	numbered        bool             // pages of users have numbers, whatever Settings.Pagination
	unfiltered      bool             // the list of users has no filters and a fixed page size, and orders by members of a user only
	namesOnly       bool             // a change of a user changes its names only
	confirmDeletion bool             // the deletion of a user needs the current password of the actor
	currentFirst    bool             // as inbound.PasswordChange has it
	retype          retyped

	names    map[string]string      // of members of requests and faults
	order    []string               // of members in faults; those of no fault may be left out
	faults   map[string]fault.Field // by code: the name and the message of a fault, where they are not empty
	bodies   map[string]any         // by code of an error: the body in place of the usual one; nil is none
	user     func(*user.User) any   // the body with a user
	users    func([]*user.User) any // the slice of users in a body; it costs less than one of user
	newUser  func(*user.User) any   // the body after a registration; nil for user
	accepted any                    // the body of status 200 of an operation that returns nothing; nil for status 204
	noToken  error                  // of a request without a refresh token; nil for a fault of the member

	namesOptional bool // a new user needs no names
	// signIn signs in with the members of a request and returns the body; nil for the sign-in of /api/.
	signIn func(http.ResponseWriter, *http.Request, members) (any, error)
	// refreshed returns the body after a refresh; nil for that of /api/.
	refreshed func(inbound.TokenPair) any
	// registered returns the body after a registration; nil for newUser.
	registered func(http.ResponseWriter, *http.Request, inbound.UserInput) (any, error)
	// cookies says that the tokens of a session are in Settings.DjRestAuth.Cookies, where that has names.
	cookies bool
}

// retyped is which inputs clients give twice.
type retyped struct{ registration, setPassword, resetPassword, setEmail bool }

// api returns the form of the paths below /api/.
func (s *server) api() *form {
	if s.MailMembers {
		return &form{accounts: s.Accounts, user: boxed(toMailUser), users: each(toMailUser)}
	}
	return &form{accounts: s.Accounts, user: boxed(toWireUser), users: each(toWireUser)}
}

// boxed returns f with a result of any type.
func boxed[T, W any](f func(T) W) func(T) any { return func(v T) any { return f(v) } }

// input decodes the body of r, with the names of the use cases.
func (s *server) input(w http.ResponseWriter, r *http.Request, c call) (members, error) {
	m, err := s.decode(w, r)
	if err != nil || len(c.form.names) == 0 {
		return m, err
	}
	out := maps.Clone(m)
	for ours, theirs := range c.form.names {
		if value, ok := m[theirs]; ok {
			out[ours] = value
		} else {
			delete(out, ours)
		}
	}
	return out, nil
}

// accept writes the answer of an operation that returns nothing.
func (s *server) accept(w http.ResponseWriter, r *http.Request, c call) error {
	if c.form.accepted == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s.writeJSON(w, r, http.StatusOK, c.form.accepted)
	return nil
}

// tokenError returns the error of a request with a refresh token that failed with err.
func (f *form) tokenError(err error) error {
	if f.noToken != nil && errors.Is(err, fault.ErrInvalid) {
		return f.noToken
	}
	return err
}

// bodyError is an error with a body of its own.
type bodyError struct {
	error

	body any // nil for none
}

func (e *bodyError) Unwrap() error { return e.error }

// error returns err in the words of the form.
func (f *form) error(err error) error {
	failure, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	if body, ok := f.bodies[failure.Code]; ok {
		return &bodyError{err, body}
	}
	if len(failure.Fields) == 0 {
		return err
	}
	fields := slices.Clone(failure.Fields)
	for i := range fields {
		own := f.faults[fields[i].Code]
		if own.Message != "" {
			fields[i].Message = own.Message
		}
		if theirs, ok := f.names[fields[i].Name]; ok {
			fields[i].Name = theirs
		}
		if own.Name != "" {
			fields[i].Name = own.Name
		}
	}
	if len(f.order) > 0 {
		slices.SortStableFunc(fields, func(a, b fault.Field) int {
			return slices.Index(f.order, a.Name) - slices.Index(f.order, b.Name)
		})
	}
	return failure.With(fields...)
}
