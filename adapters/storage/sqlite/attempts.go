package sqlite

import (
	"context"
	"database/sql"
	"time"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

var attemptTable = table[lockout.Record]{
	name:   "attempts",
	fields: []string{"id", "failures", "last", "expires", "version"},
	row: func(r *lockout.Record) []any {
		s := r.Snapshot()
		return []any{string(s.Subject), s.Failures, millis(s.Last), millis(s.Expires), s.Version}
	},
	scan: func(row scanner) (*lockout.Record, error) {
		var s lockout.Snapshot
		var last, expires sql.Null[int64]
		if err := row.Scan(&s.Subject, &s.Failures, &last, &expires, &s.Version); err != nil {
			return nil, err
		}
		s.Last, s.Expires = instant(last), instant(expires)
		r, err := lockout.Restore(s)
		return restored(string(s.Subject), r, err)
	},
	next: func(r *lockout.Record, version int64) (*lockout.Record, error) {
		s := r.Snapshot()
		s.Version = version
		return lockout.Restore(s)
	},
	version: func(r *lockout.Record) int64 { return r.Snapshot().Version },
	fresh:   func(id string) *lockout.Record { return lockout.New(lockout.Subject(id)) },
}

const (
	deleteAttemptsOf = "DELETE FROM attempts WHERE id >= ? AND id < ?"
	sweepAttempts    = "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE expires <= ? ORDER BY expires LIMIT ?)"
)

type attempts struct{ s *Store }

var _ outbound.Attempts = attempts{}

// Get implements outbound.Attempts.
func (r attempts) Get(ctx context.Context, s lockout.Subject) (x *lockout.Record, err error) {
	err = r.s.read(ctx, func(q querier) error {
		x, err = attemptTable.get(ctx, q, "get failed sign-ins", "id", string(s))
		return err
	})
	return x, err
}

// Update implements outbound.Attempts. It does not wait for the disk: others write behind it, and many
// may fail to sign in.
func (r attempts) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	return attemptTable.update(ctx, r.s.writeSoon, "update failed sign-ins", string(s), change)
}

// DeleteOf implements outbound.Attempts.
func (r attempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	first, end := a.Range()
	return r.s.delete(ctx, "delete failed sign-ins of an account", deleteAttemptsOf, string(first), string(end))
}

// Sweep implements outbound.Attempts. The longest expired go first.
func (r attempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.s.delete(ctx, "sweep failed sign-ins", sweepAttempts, now.UnixMilli(), max(limit, 0))
}
