package inbound

import (
	"context"

	"roster/domain/session"
	"roster/domain/user"
)

// Sessions is the use cases about the sessions of users. A user sees and ends the own sessions, staff those of
// every user. Each method fails with fault.Unauthenticated when the actor is anonymous and fault.Forbidden when
// the actor names another owner without being staff.
type Sessions interface {
	// List returns live sessions of q.Owner, "" for the actor, newest first, or oldest first when going back. LiveAt
	// and Epoch of q are ignored. It fails with user.ErrNotFound.
	List(ctx context.Context, actor Actor, q session.Query) ([]*session.Session, error)

	// End ends one session. It fails with session.ErrNotFound also when the session is another user's.
	End(ctx context.Context, actor Actor, id session.ID) error

	// EndAll ends every session and token of owner, "" for the actor, that of the request included. It fails with
	// user.ErrNotFound.
	EndAll(ctx context.Context, actor Actor, owner user.ID) error
}
