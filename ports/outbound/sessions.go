package outbound

import (
	"context"
	"time"

	"roster/domain/session"
	"roster/domain/user"
)

// Sessions keeps sessions. What a method returns shares no memory with what is kept.
type Sessions interface {
	// Add stores a new session, or fails with session.ErrExists. Once it returns nil, a loss of
	// power does not undo it; so with Update.
	Add(ctx context.Context, s *session.Session) error

	// Get returns the session, or session.ErrNotFound.
	Get(ctx context.Context, id session.ID) (*session.Session, error)

	// Update changes one session atomically, as Users.Update does, and returns it as stored. Of
	// many at once each sees the change of the one before. It fails with session.ErrNotFound.
	Update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error)

	// List returns the sessions that q asks for, in its order; none is no failure.
	List(ctx context.Context, q session.Query) ([]*session.Session, error)

	// DeleteOf removes all sessions of a user; none is no failure.
	DeleteOf(ctx context.Context, owner user.ID) error

	// Sweep removes sessions that had expired at now or before, at most limit of them, and returns
	// how many went.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}

// SessionIDs mints identifiers that cannot be guessed and do not come twice.
type SessionIDs interface {
	NewSessionID() session.ID
	NewTokenID() string // 32 lower-case hexadecimal digits, as SimpleJWT's jti
}
