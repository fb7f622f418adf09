package application

import (
	"context"
	"time"

	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// AccessPolicy decides which users an actor may read and change.
type AccessPolicy string

// The access policies.
const (
	// Open lets any signed-in user read and change all users, as plain IsAuthenticated does in DRF.
	Open AccessPolicy = "open"
	// Directory lets any signed-in user read all users and change itself; staff change all.
	Directory AccessPolicy = "directory"
	// Private lets a signed-in user read and change itself only, and hides that others exist; staff read and change
	// all.
	Private AccessPolicy = "private"
	// Listed lets a signed-in user list all users, but read and change itself only; staff read and change all. It is
	// djoser's policy without HIDE_USERS.
	Listed AccessPolicy = "listed"
)

// operation is what an actor asks to do with a user.
type operation int

const (
	opRead operation = iota
	opChange
)

// allow fails unless the actor may do op to the user with this id: with ErrNoCredentials, ErrForbidden or, where the
// policy hides other users, user.ErrNotFound. It is the only place that decides this.
func (p AccessPolicy) allow(a inbound.Actor, op operation, id user.ID) error {
	switch {
	case a.Anonymous():
		return inbound.ErrNoCredentials
	case a.Is(id), a.Staff(), p == Open, p == Directory && op == opRead:
		return nil
	case p == Directory, p == Listed:
		return inbound.ErrForbidden
	}
	return user.ErrNotFound
}

// scope restricts a filter to the users that the actor may see.
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

// mayManageSessions fails unless the actor may list and end the sessions of owner: its own or, for staff, those of
// all users. The access policy does not matter, since sessions are private.
func mayManageSessions(a inbound.Actor, owner user.ID) error {
	switch {
	case a.Anonymous():
		return inbound.ErrNoCredentials
	case a.Is(owner), a.Staff():
		return nil
	}
	return inbound.ErrForbidden
}

// recentSignIn is how long after the sign-in of a browser the operations are allowed that need a recent one.
const recentSignIn = 5 * time.Minute

// requireRecentSignIn fails with ErrSignInAgain for an actor with a browser session that began more than recentSignIn
// before now: a browser is left unattended more easily than a token (ASVS 7.5.3). It guards the operations
// that inbound.ErrSignInAgain lists.
func requireRecentSignIn(a inbound.Actor, now time.Time) error {
	if !a.SignedIn.IsZero() && now.Sub(a.SignedIn) > recentSignIn {
		return inbound.ErrSignInAgain
	}
	return nil
}

// requireStaff fails unless the actor is staff.
func requireStaff(a inbound.Actor) error {
	switch {
	case a.Anonymous():
		return inbound.ErrNoCredentials
	case a.Staff():
		return nil
	}
	return inbound.ErrForbidden
}

// staff returns the actor as it is now, after requests that came before this one. It fails unless that is staff.
func (p Ports) staff(ctx context.Context, actor inbound.Actor, r session.Rules) (inbound.Actor, error) {
	if err := requireStaff(actor); err != nil {
		return actor, err
	}
	actor, err := p.reauthenticate(ctx, actor, p.Clock.Now(), r)
	if err != nil {
		return actor, err
	}
	return actor, requireStaff(actor)
}

// Registration decides which actors may register users.
type Registration string

// The registration settings.
const (
	RegistrationOpen   Registration = "open"   // any client
	RegistrationStaff  Registration = "staff"  // staff only
	RegistrationClosed Registration = "closed" // none; the command line still can
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
