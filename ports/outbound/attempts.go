package outbound

import (
	"context"
	"time"

	"roster/domain/lockout"
)

// Attempts stores failed sign-ins. Returned records share no memory with stored ones.
type Attempts interface {
	// Get returns the record of a subject, or a new one (version 0) when there is none.
	Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error)

	// Update changes the record of a subject atomically, as Users.Update does. When there is none, change receives a
	// new one, which is stored with version 1. Concurrent updates run one after the other. A loss of power may undo
	// the last updates.
	Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error)

	// DeleteOf deletes all records of an account and returns their number.
	DeleteOf(ctx context.Context, a lockout.Account) (int, error)

	// Sweep deletes at most limit records that expired at now or before, and returns their number.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}
