package inbound

import (
	"context"
	"time"

	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
)

// AdminChanges is a change of a user by the operator. Absent fields stay.
type AdminChanges struct {
	Active, Staff              *bool
	Email, FirstName, LastName field.Text
	AllowLastStaff             bool // allow a change after which no active staff user remains
}

// SignInStatus describes the sessions and failed sign-ins of a user.
type SignInStatus struct {
	Sessions    int       // live sessions
	LastFailure time.Time // the last failed sign-in in the audit trail; zero for none
	FailedFrom  string    // its client address
	// Failures is the larger of two numbers of failures not forgiven yet: from the network of FailedFrom, and from
	// all new networks.
	Failures    int
	LockedUntil time.Time // end of the wait for these networks; zero when there is none
}

// Administration is the group of use cases of the operator, for the command line. They need no actor. Each method
// fails with user.ErrNotFound when there is no such user, fault.ErrInvalid with all faults of fields, and
// user.ErrLastStaff when no active staff user would remain, unless that is allowed.
type Administration interface {
	// Create adds a user, active and not staff unless in sets the flags. Only the email address is required. Absent
	// names are empty. Without a password, none matches until SetPassword.
	Create(ctx context.Context, in UserInput) (*user.User, error)

	// CheckInput fails with fault.ErrInvalid when Create, or a change of u unless u is nil, would refuse the present
	// fields of in. It stores nothing.
	CheckInput(ctx context.Context, in UserInput, u *user.User) error

	// PasswordRules returns the rules for a new password as a sentence.
	PasswordRules() string

	// HasAdministrator reports whether there is an active staff user.
	HasAdministrator(ctx context.Context) (bool, error)

	// Find returns the user with an id or an email address.
	Find(ctx context.Context, idOrEmail string) (*user.User, error)

	// Each calls visit with the first q.Limit users that q selects, or with all when the limit is 0. It stops at the
	// first error of visit and returns it.
	Each(ctx context.Context, q user.Query, visit func(*user.User) error) error

	// EachSession calls visit with each live session of u, newest first. It stops at the first error of visit and
	// returns it.
	EachSession(ctx context.Context, u *user.User, visit func(*session.Session) error) error

	// SignInStatus returns the sessions and failed sign-ins of u.
	SignInStatus(ctx context.Context, u *user.User) (SignInStatus, error)

	// Set changes a user.
	Set(ctx context.Context, id user.ID, s AdminChanges) (*user.User, error)

	// SetPassword sets the password of a user, ends the user's sessions and unlocks the account.
	SetPassword(ctx context.Context, id user.ID, password field.Text) error

	// Unlock deletes the failed sign-ins of a user, so that no network has to wait because of them. It reports
	// whether there were any.
	Unlock(ctx context.Context, id user.ID) (bool, error)

	// Delete deletes a user and its sessions.
	Delete(ctx context.Context, id user.ID, allowLastStaff bool) error
}
