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
	User    *user.User // as read when the request was authenticated; nil for anonymous
	Session session.ID // the session of the request; "" for a token without a session
	Issued  time.Time  // the iat claim of the request's token; zero when absent

	SignedIn time.Time // when the password was given, for a browser session; zero for a token
}

// Anonymous reports whether the request has no user.
func (a Actor) Anonymous() bool { return a.User == nil }

// ID returns the actor's user id, or "" when anonymous.
func (a Actor) ID() user.ID {
	if a.User == nil {
		return ""
	}
	return a.User.ID()
}

// Is reports whether the actor is the user with this id.
func (a Actor) Is(id user.ID) bool { return a.User != nil && a.User.ID() == id }

// Staff reports whether the actor is an administrator.
func (a Actor) Staff() bool { return a.User != nil && a.User.Staff() }

// UserInput holds the fields of a user in a request.
type UserInput struct {
	Email, Password, FirstName, LastName field.Text
	CurrentPassword                      field.Text // required with a new password or email address where the profile demands it
	Active, Staff                        field.Text // read in changes by staff and in Administration.Create, otherwise ignored
	Locale                               field.Text // preferred language of mails; never required, null removes it
	NamesOptional                        bool       // a new user needs no names

	Retyped field.Text // repetition of Password, which must be equal with Retype
	Retype  bool
}

// Changes is a change of a user.
type Changes struct {
	UserInput
	Full      bool    // all fields are required (PUT); otherwise absent fields stay (PATCH)
	NamesOnly bool    // Full requires the names only
	Versions  []int64 // the user must have one of these versions (If-Match); nil for any
}

// PasswordChange is a change of one's own password.
type PasswordChange struct {
	NewPassword
	Current field.Text
	// CurrentFirst checks the current password together with the fields, before the strength of the new one, as djoser does.
	// Otherwise it is checked last.
	CurrentFirst bool
}

// Deletion says how a user is deleted.
type Deletion struct {
	Versions []int64 // as in Changes
	Confirm  bool    // the current password of the actor is required
	Current  field.Text
}

// UserQuery selects a page of the list of users. The access policy sets Filter.Only.
type UserQuery struct {
	user.Query
	Email string // only the user with this address, in any spelling; "" for any
}

// Accounts is the group of use cases about users. Each method fails with fault.Unauthenticated when the actor is
// anonymous, fault.Forbidden when the access policy does not allow it, user.ErrNotFound when there is no such user
// or the actor may not know of it, and fault.ErrInvalid with all faults of fields. A method with a function read
// checks the actor's rights before it calls read, which decodes the body of the request, and returns its error.
type Accounts interface {
	// Register adds a user, if the registration setting allows it. Where the answer must not show which addresses have an
	// account, and the actor is not staff, it returns no user, and no error for an address that another user has; the owner
	// of the address gets a mail.
	Register(ctx context.Context, actor Actor, read func() (UserInput, error)) (*user.User, error)

	// List returns the users that q selects and the actor may see.
	List(ctx context.Context, actor Actor, q UserQuery) ([]*user.User, error)

	// Count returns the number of users that the filter and address of q select and the actor may see.
	Count(ctx context.Context, actor Actor, q UserQuery) (int, error)

	// Get returns one user.
	Get(ctx context.Context, actor Actor, id user.ID) (*user.User, error)

	// MayChange fails unless the actor may change the user.
	MayChange(ctx context.Context, actor Actor, id user.ID) error

	// Change changes a user, completely or not at all. It fails with user.ErrStale when the version is none of those
	// named, user.ErrLastStaff when no active staff user would remain, and lockout.ErrLocked after too many wrong
	// current passwords. A new password for another user also unlocks that account. Where addresses must be proven, a new
	// address of the actor is set by Links.ConfirmEmailChange, whose link it mails.
	Change(ctx context.Context, actor Actor, id user.ID, read func() (Changes, error)) (*user.User, error)

	// ChangePassword checks the actor's current password, replaces it, and ends the actor's other sessions. It fails
	// with lockout.ErrLocked as Change does. The fields of its faults are current_password, new_password and
	// re_new_password.
	ChangePassword(ctx context.Context, actor Actor, in PasswordChange) error

	// SignInStatus returns the sessions and failed sign-ins of a user. Only staff may.
	SignInStatus(ctx context.Context, actor Actor, id user.ID) (SignInStatus, error)

	// Unlock deletes the failed sign-ins of a user, so that no network has to wait because of them. It reports whether
	// there were any. Only staff may.
	Unlock(ctx context.Context, actor Actor, id user.ID) (bool, error)

	// Delete deletes a user and its sessions. It fails with user.ErrStale and user.ErrLastStaff as Change does.
	Delete(ctx context.Context, actor Actor, id user.ID, read func() (Deletion, error)) error
}
