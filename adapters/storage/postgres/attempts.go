package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

var attemptTable = table[lockout.Record]{
	name:   "attempts",
	fields: []string{"id", "failures", "last", "expires", "version"},
	row: func(r *lockout.Record) []any {
		s := r.Snapshot()
		return []any{string(s.Subject), int64(s.Failures), millis(s.Last), millis(s.Expires), s.Version}
	},
	scan: func(row pgx.Row) (*lockout.Record, error) {
		var s lockout.Snapshot
		var id string
		var last, expires *int64
		if err := row.Scan(&id, &s.Failures, &last, &expires, &s.Version); err != nil {
			return nil, err
		}
		s.Subject, s.Last, s.Expires = lockout.Subject(id), instant(last), instant(expires)
		r, err := lockout.Restore(s)
		return restored(id, r, err)
	},
	next: func(r *lockout.Record, version int64) (*lockout.Record, error) {
		s := r.Snapshot()
		s.Version = version
		return lockout.Restore(s)
	},
	version: func(r *lockout.Record) int64 { return r.Snapshot().Version },
	fresh:   func(id string) *lockout.Record { return lockout.New(lockout.Subject(id)) },
}

type failedAttempts struct{ s *Store }

var _ outbound.Attempts = failedAttempts{}

// Get implements outbound.Attempts.
func (r failedAttempts) Get(ctx context.Context, s lockout.Subject) (x *lockout.Record, err error) {
	err = r.s.read(ctx, func(ctx context.Context, q querier) error {
		x, err = attemptTable.get(ctx, q, "get failed sign-ins", attemptTable.selectWhere("id"), string(s))
		return err
	})
	return x, err
}

// Update implements outbound.Attempts. It does not wait for the disk: many may fail to sign in.
func (r failedAttempts) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	return attemptTable.update(ctx, r.s.writeSoon, "update failed sign-ins", string(s), change)
}

const deleteAttemptsOf = "DELETE FROM attempts WHERE id >= $1 AND id < $2"

// DeleteOf implements outbound.Attempts.
func (r failedAttempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	first, end := a.Range()
	return r.s.delete(ctx, "delete failed sign-ins of an account", deleteAttemptsOf, string(first), string(end))
}

// sweepAttempts passes over records that another instance sweeps or changes, as sweep does.
const sweepAttempts = `DELETE FROM attempts WHERE id = ANY(ARRAY(
	SELECT id FROM attempts WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED))`

// Sweep implements outbound.Attempts. The longest expired go first.
func (r failedAttempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.s.delete(ctx, "sweep failed sign-ins", sweepAttempts, now.UnixMilli(), int64(max(limit, 0)))
}
