package outbound

import (
	"context"
	"time"

	"roster/domain/session"
	"roster/domain/user"
)

// Sessions stores sessions. Returned sessions share no memory with stored ones.
type Sessions interface {
	// Add stores a new session. It fails with session.ErrExists. After Add or Update returns nil, a loss of power
	// does not undo it.
	Add(ctx context.Context, s *session.Session, effects ...Effects) error

	// Get returns a session. It fails with session.ErrNotFound.
	Get(ctx context.Context, id session.ID) (*session.Session, error)

	// Update changes a session atomically, as Users.Update does, and returns it as stored. Concurrent updates run
	// one after the other. It fails with session.ErrNotFound.
	Update(ctx context.Context, id session.ID, change func(*session.Session) error, effects ...Effects) (*session.Session, error)

	// List returns the sessions that q selects, in its order. The list may be empty.
	List(ctx context.Context, q session.Query) ([]*session.Session, error)

	// DeleteOf deletes all sessions of a user. There may be none.
	DeleteOf(ctx context.Context, owner user.ID) error

	// Sweep deletes at most limit sessions that expired at now or before, and returns their number.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}

// SessionIDs generates ids and secrets that are unique and cannot be guessed.
type SessionIDs interface {
	NewSessionID() session.ID
	NewTokenID() string // 32 lower-case hexadecimal digits, as SimpleJWT's jti claim
	NewSecret() string  // of a browser session: 256 random bits in base64url
}
