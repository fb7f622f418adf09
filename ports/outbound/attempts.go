package outbound

import (
	"context"
	"time"

	"roster/domain/lockout"
)

// Attempts keeps the failed sign-ins. What a method returns shares no memory with what is kept.
type Attempts interface {
	// Get returns the record of a subject, or a new one (version 0) when there is none.
	Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error)

	// Update changes the record of a subject atomically, as Users.Update does; where there is none,
	// change is given a new one, which is stored with version 1. Of many at once each sees the change
	// of the one before. A loss of power may undo the last ones.
	Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error)

	// DeleteOf removes all records of an account and returns how many went.
	DeleteOf(ctx context.Context, a lockout.Account) (int, error)

	// Sweep removes records that had expired at now or before, at most limit of them, and returns how
	// many went.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}
