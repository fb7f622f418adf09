package inbound

import (
	"context"

	"roster/domain/field"
	"roster/domain/user"
)

// Settings is a change of what an operator alone decides; absent members stay.
type Settings struct {
	Active, Staff              *bool
	Email, FirstName, LastName field.Text
	AllowLastStaff             bool // the change may take away the last active staff user
}

// Administration is the operator's conversation, from the machine itself: nobody signs in for it. It
// fails with user.ErrNotFound and fault.ErrInvalid, and with user.ErrLastStaff when no active staff user
// would be left, unless that is allowed.
type Administration interface {
	// CreateSuperuser makes a staff user.
	CreateSuperuser(ctx context.Context, in UserInput) (*user.User, error)

	// Find returns the user with an id or an email address.
	Find(ctx context.Context, who string) (*user.User, error)

	// Each calls f with every user that fits, in order of joining, until f fails.
	Each(ctx context.Context, f user.Filter, visit func(*user.User) error) error

	// Set changes a user.
	Set(ctx context.Context, id user.ID, s Settings) (*user.User, error)

	// SetPassword gives a user another password, ends their sessions and unlocks the account.
	SetPassword(ctx context.Context, id user.ID, password field.Text) error

	// Unlock forgets the failed sign-ins of a user, so that no network has to wait on account of them. It
	// reports whether there were any.
	Unlock(ctx context.Context, id user.ID) (bool, error)

	// Delete removes a user and their sessions.
	Delete(ctx context.Context, id user.ID, allowLastStaff bool) error
}
