package inbound

import (
	"context"
	"time"

	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
)

// Actor is the user that a request acts for. The zero value is anonymous.
type Actor struct {
	User    *user.User // nil when anonymous; as read when the request was authenticated
	Session session.ID // the session of the request; "" when the token names none
	Issued  time.Time  // when the token of the request was issued; zero when it does not say
}

// Anonymous reports whether the request acts for no user.
func (a Actor) Anonymous() bool { return a.User == nil }

// ID returns the actor's user id, "" when anonymous.
func (a Actor) ID() user.ID {
	if a.User == nil {
		return ""
	}
	return a.User.ID()
}

// Is reports whether the actor is the user with that id.
func (a Actor) Is(id user.ID) bool { return a.User != nil && a.User.ID() == id }

// Staff reports whether the actor is an administrator.
func (a Actor) Staff() bool { return a.User != nil && a.User.Staff() }

// UserInput is what a client sends of a user.
type UserInput struct {
	Email, Password, FirstName, LastName field.Text
	CurrentPassword                      field.Text // required with a change of password where the profile demands it
	Active, Staff                        field.Text // ignored unless staff sends them in a change
}

// Changes is a change of a user.
type Changes struct {
	UserInput
	Whole    bool    // every member is required (PUT); without, absent members stay (PATCH)
	Versions []int64 // the user's version must be one of these (If-Match); nil for any
}

// UserQuery asks for a part of the list of users. Filter.Only is set by the access policy.
type UserQuery struct {
	user.Query
	Email string // only the user with this address, in any spelling of it; "" for any
}

// Accounts is the use cases about users. Each method fails with fault.Unauthenticated when the actor is anonymous,
// fault.Forbidden when the access policy forbids, user.ErrNotFound when there is no such user or the actor may not
// know of it, and fault.ErrInvalid with every field at fault. A method that takes a function read judges the actor's
// rights before it calls read, which decodes the request's body, and returns the error of read.
type Accounts interface {
	// Register adds a user, as the registration setting allows.
	Register(ctx context.Context, actor Actor, read func() (UserInput, error)) (*user.User, error)

	// List returns the users that fit q and that the actor may see.
	List(ctx context.Context, actor Actor, q UserQuery) ([]*user.User, error)

	// Count returns how many users fit the filter and the address of q and may be seen by the actor.
	Count(ctx context.Context, actor Actor, q UserQuery) (int, error)

	// Get returns one user.
	Get(ctx context.Context, actor Actor, id user.ID) (*user.User, error)

	// MayChange fails unless the actor may change the user.
	MayChange(ctx context.Context, actor Actor, id user.ID) error

	// Change changes one user, all of it or nothing. It fails with user.ErrStale when the version is none of those
	// named, user.ErrLastStaff when no active staff user would be left, and lockout.ErrLocked after too many wrong
	// current passwords. A new password for another user unlocks that account.
	Change(ctx context.Context, actor Actor, id user.ID, read func() (Changes, error)) (*user.User, error)

	// ChangePassword replaces the actor's password after a check of the current one, and ends the actor's other
	// sessions. It fails with lockout.ErrLocked as Change does.
	ChangePassword(ctx context.Context, actor Actor, current, password field.Text) error

	// Delete deletes one user and the user's sessions. It fails with user.ErrStale and user.ErrLastStaff as Change
	// does.
	Delete(ctx context.Context, actor Actor, id user.ID, versions []int64) error
}
