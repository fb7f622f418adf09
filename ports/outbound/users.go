package outbound

import (
	"context"

	"roster/domain/session"
	"roster/domain/user"
)

// Users stores users. Two rules hold even under concurrent changes on several instances: email keys are unique, and the
// last active staff user stays. Update and Delete fail with user.ErrLastStaff when user.User.LosesAdministration reports
// true and no other active staff user would remain. Returned users share no memory with stored ones.
type Users interface {
	// Add stores a new user. It fails with user.ErrEmailTaken or user.ErrIDTaken. After Add, Update or Delete
	// returns nil, a loss of power does not undo it.
	Add(ctx context.Context, u *user.User, effects ...Effects) error

	// Get returns a user. It fails with user.ErrNotFound.
	Get(ctx context.Context, id user.ID) (*user.User, error)

	// WithSession returns a user and a session, in one round trip if the backend can. It fails with user.ErrNotFound. The
	// session is nil if none has this id; it may be that of another user.
	WithSession(ctx context.Context, id user.ID, s session.ID) (*user.User, *session.Session, error)

	// ByEmail returns the user with an email key. It fails with user.ErrNotFound.
	ByEmail(ctx context.Context, key string) (*user.User, error)

	// Update calls change with a user, stores the result atomically and returns it as stored, with its version
	// incremented. change must be pure: it may run several times, and the last run counts. When change fails, Update
	// stores nothing and returns its error. Otherwise Update fails with user.ErrNotFound, user.ErrEmailTaken or
	// user.ErrLastStaff.
	//
	// When change changes nothing, Update stores only the events and keeps the version. Its success then means that the
	// state that change received is durable, even if another caller stored it and has no answer yet.
	Update(ctx context.Context, id user.ID, change func(*user.User) error, effects ...Effects) (*user.User, error)

	// Delete calls check with a user and deletes the user atomically. check must be pure and may run several times.
	// When check fails, Delete deletes nothing and returns its error. Otherwise Delete fails with user.ErrNotFound
	// or user.ErrLastStaff. The id is never assigned again.
	Delete(ctx context.Context, id user.ID, check func(*user.User) error, effects ...Effects) error

	// Invited returns up to limit users in state user.Invited in the order of user.ID.SortKey, from the first one after
	// the id after; "" is before all ids. Its cost does not depend on the number of other users.
	Invited(ctx context.Context, after user.ID, limit int) ([]*user.User, error)

	// List returns the users that q selects, in its order. The list may be empty. A search, which is a query with Terms
	// and without Only, may examine only SearchCandidates users, those that an index finds first. When more users may
	// match, List and Count omit the others.
	List(ctx context.Context, q user.Query) ([]*user.User, error)

	// Count returns the number of users that f selects.
	Count(ctx context.Context, f user.Filter) (int, error)
}

// SearchCandidates is the maximum number of users that a search examines. It bounds the cost of any terms.
const SearchCandidates = 500

// UserIDs generates ids of new users. Each is unique: no user has or had it.
type UserIDs interface {
	NewUserID(ctx context.Context) (user.ID, error)
}
