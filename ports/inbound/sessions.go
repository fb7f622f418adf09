package inbound

import (
	"context"

	"roster/domain/session"
	"roster/domain/user"
)

// Sessions is the group of use cases about sessions. A user may list and end its own sessions, and staff those of
// all users. Each method fails with fault.Unauthenticated when the actor is anonymous, and fault.Forbidden when the
// actor names another user without being staff.
type Sessions interface {
	// List returns live sessions of q.Owner, "" for the actor, newest first, or oldest first with q.Back. It ignores
	// q.LiveAt and q.Epoch. It fails with user.ErrNotFound.
	List(ctx context.Context, actor Actor, q session.Query) ([]*session.Session, error)

	// End ends a session. It fails with session.ErrNotFound, also when the actor may not end it.
	End(ctx context.Context, actor Actor, id session.ID) error

	// EndAll ends all sessions and tokens of owner, "" for the actor, including that of the request. It fails with
	// user.ErrNotFound.
	EndAll(ctx context.Context, actor Actor, owner user.ID) error
}
