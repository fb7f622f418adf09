package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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
			int64(s.Generation), millis(s.RotatedAt), millis(s.RevokedAt), string(s.Reason),
			plain(s.UserAgent), plain(s.Address), // any bytes that a client sends
			s.Version,
		}
	},
	scan: func(row pgx.Row) (*session.Session, error) {
		var s session.Snapshot
		var id, owner, reason string
		var created, confirmed, expires, rotated, revoked *int64
		if err := row.Scan(&id, &owner, &created, &confirmed, &expires, &s.Generation, &rotated, &revoked,
			&reason, &s.UserAgent, &s.Address, &s.Version); err != nil {
			return nil, err
		}
		s.ID, s.User, s.Reason = session.ID(id), user.IDFromSortKey(owner), session.Reason(reason)
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
}

type sessions struct{ s *Store }

var _ outbound.Sessions = sessions{}

// Add implements outbound.Sessions.
func (r sessions) Add(ctx context.Context, x *session.Session) error {
	const op = "add session"
	if _, ok := keyOf(x.User()); !ok {
		return fmt.Errorf("postgres: %s: %q is no user's id", op, x.User())
	}
	return r.s.write(ctx, op, func(ctx context.Context, q querier) error { return sessionTable.add(ctx, q, op, x) })
}

// Get implements outbound.Sessions.
func (r sessions) Get(ctx context.Context, id session.ID) (x *session.Session, err error) {
	err = r.s.read(ctx, func(ctx context.Context, q querier) error {
		x, err = sessionTable.get(ctx, q, "get session", sessionTable.selectWhere("id"), string(id))
		return err
	})
	return x, err
}

// Update implements outbound.Sessions.
func (r sessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	return sessionTable.update(ctx, r.s, "update session", string(id), change)
}

const deleteOf = "DELETE FROM sessions WHERE owner = $1"

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

// sweep passes over sessions that another instance sweeps or changes. The array makes the server look
// each id up.
const sweep = `DELETE FROM sessions WHERE id = ANY(ARRAY(
	SELECT id FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED))`

// Sweep implements outbound.Sessions. The longest expired go first.
func (r sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.delete(ctx, "sweep sessions", sweep, now.UnixMilli(), int64(max(limit, 0)))
}

// delete runs a statement that can be repeated.
func (r sessions) delete(ctx context.Context, op, query string, args ...any) (gone int, err error) {
	err = r.s.read(ctx, func(ctx context.Context, q querier) error {
		result, err := q.Exec(ctx, query, args...)
		gone = int(result.RowsAffected())
		return translate(ctx, op, err)
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}
