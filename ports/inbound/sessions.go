package inbound

import (
	"context"

	"roster/domain/session"
	"roster/domain/user"
)

// SessionList is what a caller asks of the list of sessions.
type SessionList struct {
	Owner user.ID // "" for the actor
	From  *session.Position
	Back  bool
	Limit int
}

// Sessions is the conversation about where somebody is signed in. Everybody sees and ends their own
// sessions, staff everybody's. Failures common to its methods: fault.Unauthenticated when the actor is
// anonymous, fault.Forbidden when a named owner is another.
type Sessions interface {
	// List returns sessions that count, newest first, or oldest first when going back.
	List(ctx context.Context, actor Actor, q SessionList) ([]*session.Session, error)

	// End ends one session. It fails with session.ErrNotFound also when it is another's.
	End(ctx context.Context, actor Actor, id session.ID) error

	// EndAll ends every session and token of owner, "" for the actor, the one of the request as well.
	// It fails with user.ErrNotFound.
	EndAll(ctx context.Context, actor Actor, owner user.ID) error
}
