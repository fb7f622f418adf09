package memory

import (
	"context"
	"time"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

type attempts struct {
	*shelf[lockout.Subject, lockout.Record, lockout.Snapshot]
}

var _ outbound.Attempts = attempts{}

func (s attempts) Get(ctx context.Context, subject lockout.Subject) (*lockout.Record, error) {
	return s.get(ctx, subject)
}

func (s attempts) Update(ctx context.Context, subject lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	return s.update(ctx, subject, change, nil, nil)
}

func (s attempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	return s.remove(ctx, func(r lockout.Snapshot) bool { return a.Has(r.Subject) })
}

func (s attempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return s.sweep(ctx, limit, func(r lockout.Snapshot) bool { return !r.Expires.After(now) },
		func(a, b lockout.Snapshot) int { return a.Expires.Compare(b.Expires) })
}
