// Package outbound states what the service needs of the outside: storage, hashing, tokens, time. Each
// port tells every failure; anything else that a method returns is a defect or an outage. Every method
// that takes a context gives up when it ends and returns the context's error, and storage that is away
// or overloaded is fault.Unavailable. The two are never one: the caller's deadline is the caller's error,
// whatever else noticed it first.
package outbound

import (
	"context"

	"roster/domain/user"
)

// Users keeps users. Their email keys are unique, whatever happens at the same time. The last active staff
// user stays one, whatever happens at the same time, on this instance or another: Update and Delete fail
// with user.ErrLastStaff when the user resigns (user.User.Resigns) and no other active staff user would be
// left. What a method returns shares no memory with what is kept.
type Users interface {
	// Add stores a new user. It fails with user.ErrEmailTaken or user.ErrIDTaken. Once it returns
	// nil, a loss of power does not undo it; so with Update and Delete.
	Add(ctx context.Context, u *user.User) error

	// Get returns the user, or user.ErrNotFound.
	Get(ctx context.Context, id user.ID) (*user.User, error)

	// ByEmail returns the user with the email key, or user.ErrNotFound.
	ByEmail(ctx context.Context, key string) (*user.User, error)

	// Update changes one user atomically and returns it as stored, its version counted up by one.
	// change must be pure: it may run several times, and only its last run counts. When it fails,
	// nothing is stored and Update returns its error; when it changes nothing, nothing is stored
	// and the version stays. Else it fails with user.ErrNotFound, user.ErrEmailTaken or
	// user.ErrLastStaff. A change that changes nothing is acknowledged like any other: what change was given is then as durable
	// as what Update stores, also when another caller's change of it is not acknowledged yet.
	Update(ctx context.Context, id user.ID, change func(*user.User) error) (*user.User, error)

	// Delete removes one user atomically, if check agrees to the user as it is then; when check
	// fails, nothing is removed and Delete returns its error. check must be pure and may run
	// several times. Else it fails with user.ErrNotFound or user.ErrLastStaff. The id is never used
	// again.
	Delete(ctx context.Context, id user.ID, check func(*user.User) error) error

	// List returns the users that q asks for, in its order; none is no failure.
	List(ctx context.Context, q user.Query) ([]*user.User, error)

	// Count returns how many users fit f.
	Count(ctx context.Context, f user.Filter) (int, error)
}

// UserIDs mints identifiers for new users. No id is given twice, nor one that a user has or had.
type UserIDs interface {
	NewUserID(ctx context.Context) (user.ID, error)
}
