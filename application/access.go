// Package application holds the use cases: it parses input into domain values, authorizes, and puts
// the outbound ports in the right order. It knows no technology.
package application

import (
	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
)

// AccessPolicy says who may read and change whom.
type AccessPolicy string

// The access policies.
const (
	// Open lets any signed-in user do anything to anybody, as plain IsAuthenticated does in DRF.
	Open AccessPolicy = "open"
	// Directory lets any signed-in user read all, and change only themselves; staff change all.
	Directory AccessPolicy = "directory"
	// Private shows a signed-in user only themselves, as if there were no others; staff see and
	// change all.
	Private AccessPolicy = "private"
)

// operation is what an actor wants to do with one user.
type operation int

const (
	read operation = iota
	change
)

// allow decides whether the actor may do op to the user with that id: nil, ErrNoCredentials,
// user.ErrNotFound where even existence is private, or ErrForbidden. Nothing else decides it.
func (p AccessPolicy) allow(a inbound.Actor, op operation, id user.ID) error {
	switch {
	case a.Anonymous():
		return inbound.ErrNoCredentials
	case a.Is(id), a.Staff(), p == Open, p == Directory && op == read:
		return nil
	case p == Directory:
		return inbound.ErrForbidden
	}
	return user.ErrNotFound
}

// scope narrows a filter to the users whom the actor may see.
func (p AccessPolicy) scope(a inbound.Actor, f user.Filter) (user.Filter, error) {
	f.Only = ""
	switch {
	case a.Anonymous():
		return f, inbound.ErrNoCredentials
	case p == Private && !a.Staff():
		f.Only = a.User.ID()
	}
	return f, nil
}

// sessionsOf decides whether the actor may see and end the sessions of owner: their own, and staff
// everybody's, whatever the access policy. Where somebody is signed in is nobody else's business.
func sessionsOf(a inbound.Actor, owner user.ID) error {
	switch {
	case a.Anonymous():
		return inbound.ErrNoCredentials
	case a.Is(owner), a.Staff():
		return nil
	}
	return inbound.ErrForbidden
}

// staffOnly decides what only administrators may do.
func staffOnly(a inbound.Actor) error {
	switch {
	case a.Anonymous():
		return inbound.ErrNoCredentials
	case a.Staff():
		return nil
	}
	return inbound.ErrForbidden
}

// Registration says who may make new users.
type Registration string

// Who may register.
const (
	RegistrationOpen   Registration = "open"   // anybody
	RegistrationStaff  Registration = "staff"  // administrators, for others
	RegistrationClosed Registration = "closed" // nobody over the API
)

var errRegistrationClosed = fault.New(fault.Forbidden, "registration_closed", "Registration is closed.")

func (r Registration) allow(a inbound.Actor) error {
	switch {
	case r == RegistrationOpen, r == RegistrationStaff && a.Staff():
		return nil
	case r == RegistrationClosed:
		return errRegistrationClosed
	case a.Anonymous():
		return inbound.ErrNoCredentials
	}
	return inbound.ErrForbidden
}
