package inbound

import (
	"context"
	"time"

	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
)

// Settings is a change of what an operator alone decides; absent members stay.
type Settings struct {
	Active, Staff              *bool
	Email, FirstName, LastName field.Text
	AllowLastStaff             bool // the change may take away the last active staff user
}

// Standing is what is known of a user's sign-ins beyond the user's own record.
type Standing struct {
	Sessions    int       // live ones
	LastFailure time.Time // the last failed sign-in that the audit trail has; zero for none
	FailedFrom  string    // the client's address then
	Failures    int       // failed sign-ins that are not forgiven yet, from the network of FailedFrom or from new networks, whichever are more
	LockedUntil time.Time // sign-ins from there are refused until then; zero when they are not
}

// Administration is the operator's conversation, from the machine itself: nobody signs in for it. It
// fails with user.ErrNotFound and fault.ErrInvalid, and with user.ErrLastStaff when no active staff user
// would be left, unless that is allowed.
type Administration interface {
	// Create makes a user, active and no staff user unless in says otherwise. Only the address is needed: names
	// left out are empty, as in many imports, and without a password none fits until SetPassword.
	Create(ctx context.Context, in UserInput) (*user.User, error)

	// Judge fails with fault.ErrInvalid where Create, or a change of u unless u is nil, would refuse the
	// members that in has. It stores nothing.
	Judge(ctx context.Context, in UserInput, u *user.User) error

	// PasswordRules says in a sentence what a new password must be.
	PasswordRules() string

	// HasAdministrator reports whether there is an active staff user.
	HasAdministrator(ctx context.Context) (bool, error)

	// Find returns the user with an id or an email address.
	Find(ctx context.Context, who string) (*user.User, error)

	// Each calls visit with the first q.Limit users that q asks for, or with all when the limit is 0, until
	// visit fails.
	Each(ctx context.Context, q user.Query, visit func(*user.User) error) error

	// EachSession calls visit with the live sessions of u, the newest first, until visit fails.
	EachSession(ctx context.Context, u *user.User, visit func(*session.Session) error) error

	// Standing returns what is known of the sign-ins of u.
	Standing(ctx context.Context, u *user.User) (Standing, error)

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
