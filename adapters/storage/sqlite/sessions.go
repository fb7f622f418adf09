package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

var sessionTable = table[session.Session]{
	name: "sessions",
	fields: []string{
		"id", "owner", "created", "confirmed", "expires", "generation", "rotated_at", "revoked_at",
		"reason", "user_agent", "address", "version",
	},
	row: func(x *session.Session) []any {
		s := x.Snapshot()
		return []any{
			string(s.ID), s.User.SortKey(), millis(s.Created), millis(s.Confirmed), millis(s.Expires),
			s.Generation, millis(s.RotatedAt), millis(s.RevokedAt), string(s.Reason), s.UserAgent, s.Address, s.Version,
		}
	},
	scan: func(row scanner) (*session.Session, error) {
		var s session.Snapshot
		var owner string
		var created, confirmed, expires, rotated, revoked sql.Null[int64]
		if err := row.Scan(&s.ID, &owner, &created, &confirmed, &expires, &s.Generation, &rotated, &revoked,
			&s.Reason, &s.UserAgent, &s.Address, &s.Version); err != nil {
			return nil, err
		}
		s.User = user.IDFromSortKey(owner)
		s.Created, s.Confirmed, s.Expires = instant(created), instant(confirmed), instant(expires)
		s.RotatedAt, s.RevokedAt = instant(rotated), instant(revoked)
		return session.Restore(s)
	},
	next: func(x *session.Session, version int64) (*session.Session, error) {
		s := x.Snapshot()
		s.Version = version
		return session.Restore(s)
	},
	version: func(x *session.Session) int64 { return x.Snapshot().Version },
	missing: session.ErrNotFound,
	taken:   conflicts{id: session.ErrExists},
}

const (
	deleteOf = "DELETE FROM sessions WHERE owner = ?"
	sweep    = "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE expires <= ? ORDER BY expires LIMIT ?)"
)

type sessions struct{ s *Store }

var _ outbound.Sessions = sessions{}

// Add implements outbound.Sessions.
func (r sessions) Add(ctx context.Context, x *session.Session) error {
	const op = "add session"
	if _, ok := keyOf(x.User()); !ok {
		return fmt.Errorf("sqlite: %s: %q is no user's id", op, x.User())
	}
	return r.s.write(ctx, op, func(q querier) error { return sessionTable.add(ctx, q, op, x) })
}

// Get implements outbound.Sessions.
func (r sessions) Get(ctx context.Context, id session.ID) (x *session.Session, err error) {
	err = r.s.read(ctx, func(q querier) error {
		x, err = sessionTable.get(ctx, q, "get session", "id", string(id))
		return err
	})
	return x, err
}

// Update implements outbound.Sessions.
func (r sessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	return sessionTable.update(ctx, r.s, "update session", string(id), change)
}

// List implements outbound.Sessions.
func (r sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	return nil, nil
}

// DeleteOf implements outbound.Sessions.
func (r sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	key, ok := keyOf(owner)
	if !ok {
		return nil // nobody's
	}
	_, err := r.delete(ctx, "delete sessions of a user", deleteOf, key)
	return err
}

// Sweep implements outbound.Sessions. The longest expired go first.
func (r sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.delete(ctx, "sweep sessions", sweep, now.UnixMilli(), max(limit, 0))
}

func (r sessions) delete(ctx context.Context, op, query string, args ...any) (gone int, err error) {
	err = r.s.write(ctx, op, func(q querier) error {
		result, err := q.ExecContext(ctx, query, args...)
		if err != nil {
			return translate(ctx, op, err)
		}
		n, err := result.RowsAffected()
		gone = int(n)
		return translate(ctx, op, err)
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}
