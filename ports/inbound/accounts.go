// Package inbound states what the outside may ask of the service: one interface a conversation.
package inbound

import (
	"context"
	"time"

	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
)

// Actor is who makes a request. The zero value is anonymous.
type Actor struct {
	User    *user.User // nil when anonymous; as read when the request was authenticated
	Session session.ID // the session that the request belongs to; "" when none is known
	Issued  time.Time  // when the token of the request was issued; zero when it does not tell
}

// Anonymous reports whether nobody is signed in.
func (a Actor) Anonymous() bool { return a.User == nil }

// ID returns the actor's user id, "" when nobody is signed in.
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

// UserInput is what a caller gives of a user.
type UserInput struct {
	Email, Password, FirstName, LastName field.Text
	CurrentPassword                      field.Text // needed with a change of password where the profile says so
	Active, Staff                        field.Text // heard from staff alone, in a change
}

// Changes is a change of a user.
type Changes struct {
	UserInput
	Whole    bool    // all members must be given (PUT); else those given change (PATCH)
	Versions []int64 // the user's version must be one of these (If-Match); nil for any
}

// Filter says which users a caller asks for.
type Filter struct {
	user.Filter        // Only is the access policy's, not the caller's
	Email       string // only the user with this address, in any spelling of it; "" for any
}

// List is what a caller asks of the list.
type List struct {
	Filter Filter
	Order  []user.Order
	From   *user.Position
	Offset int
	Limit  int
}

// Accounts is the conversation about users. Failures common to its methods: fault.Unauthenticated
// when the actor is anonymous, fault.Forbidden when the access policy forbids, user.ErrNotFound when
// there is no such user or the actor may not know, fault.ErrInvalid with every field at fault.
type Accounts interface {
	// AuthorizeRegistration tells whether the actor may register users, before the input is read.
	AuthorizeRegistration(ctx context.Context, actor Actor) error

	// Register makes a user of anybody who asks, as the registration setting allows.
	Register(ctx context.Context, actor Actor, in UserInput) (*user.User, error)

	// List returns the users asked for that the actor may see.
	List(ctx context.Context, actor Actor, q List) ([]*user.User, error)

	// Count returns how many users fit the filter and may be seen by the actor.
	Count(ctx context.Context, actor Actor, f Filter) (int, error)

	// Get returns one user.
	Get(ctx context.Context, actor Actor, id user.ID) (*user.User, error)

	// Authorize tells whether the actor may change the user, before the change itself is read.
	Authorize(ctx context.Context, actor Actor, id user.ID) error

	// Change changes one user, all of it or nothing; user.ErrStale when the version is none of those
	// named, user.ErrLastStaff when nobody would be left who administers, lockout.ErrLocked when the
	// current password was wrong too often. Another user's new password unlocks their account.
	Change(ctx context.Context, actor Actor, id user.ID, in Changes) (*user.User, error)

	// ChangePassword gives the actor another password, for the present one, and ends their other
	// sessions. lockout.ErrLocked as in Change.
	ChangePassword(ctx context.Context, actor Actor, current, password field.Text) error

	// Delete removes one user and their sessions; user.ErrStale and user.ErrLastStaff as in Change.
	Delete(ctx context.Context, actor Actor, id user.ID, versions []int64) error
}
