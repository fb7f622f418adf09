package outbound

import (
	"context"

	"roster/domain/session"
	"roster/domain/user"
)

// Users stores users. Email keys are unique, also under concurrent changes on other instances. So is the rule of the
// last active staff user: Update and Delete fail with user.ErrLastStaff when user.User.LosesAdministration reports true and no
// other active staff user would remain. Returned users share no memory with stored ones.
type Users interface {
	// Add stores a new user. It fails with user.ErrEmailTaken or user.ErrIDTaken. After Add, Update or Delete
	// returns nil, a loss of power does not undo it.
	Add(ctx context.Context, u *user.User, events ...Events) error

	// Get returns a user. It fails with user.ErrNotFound.
	Get(ctx context.Context, id user.ID) (*user.User, error)

	// WithSession returns a user and a session in one round trip where the backend can. It fails with
	// user.ErrNotFound. The session is nil when there is none with this id. It need not be the user's.
	WithSession(ctx context.Context, id user.ID, s session.ID) (*user.User, *session.Session, error)

	// ByEmail returns the user with an email key. It fails with user.ErrNotFound.
	ByEmail(ctx context.Context, key string) (*user.User, error)

	// Update calls change with a user, stores the result atomically and returns it as stored, with its version
	// incremented. change must be pure: it may run several times, and the last run counts. When change fails, Update
	// stores nothing and returns its error. Otherwise Update fails with user.ErrNotFound, user.ErrEmailTaken or
	// user.ErrLastStaff.
	//
	// When change changes nothing, Update stores nothing but the events and the version stays. When it returns nil then, the state
	// that change received is as durable as a stored one, even if it is another caller's change that was not
	// acknowledged yet.
	Update(ctx context.Context, id user.ID, change func(*user.User) error, events ...Events) (*user.User, error)

	// Delete calls check with a user and deletes the user atomically. check must be pure and may run several times.
	// When check fails, Delete deletes nothing and returns its error. Otherwise Delete fails with user.ErrNotFound
	// or user.ErrLastStaff. The id is never assigned again.
	Delete(ctx context.Context, id user.ID, check func(*user.User) error, events ...Events) error

	// List returns the users that q selects, in its order. The list may be empty. A search, which is a query with Terms
	// and without Only, examines at most SearchCandidates users, those that an index finds first. When more users may
	// match, the others are left out, and also from Count.
	List(ctx context.Context, q user.Query) ([]*user.User, error)

	// Count returns the number of users that f selects.
	Count(ctx context.Context, f user.Filter) (int, error)
}

// SearchCandidates is how many users a search examines at most, so that its cost has a bound whatever the terms are.
const SearchCandidates = 1_000

// UserIDs generates ids of new users. It returns no id twice, and none that a user has or had.
type UserIDs interface {
	NewUserID(ctx context.Context) (user.ID, error)
}
