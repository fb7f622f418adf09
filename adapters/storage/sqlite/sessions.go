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
		"id", "owner", "epoch", "created", "expires", "generation", "rotated_at", "used_at",
		"revoked_at", "reason", "user_agent", "address", "version",
	},
	row: func(x *session.Session) []any {
		s := x.Snapshot()
		return []any{
			string(s.ID), s.User.SortKey(), s.Epoch, millis(s.Created), millis(s.Expires),
			s.Generation, millis(s.RotatedAt), millis(s.UsedAt),
			millis(s.RevokedAt), string(s.Reason), s.UserAgent, s.Address, s.Version,
		}
	},
	scan: func(row scanner) (*session.Session, error) {
		var s session.Snapshot
		var owner string
		var created, expires, rotated, used, revoked sql.Null[int64]
		if err := row.Scan(&s.ID, &owner, &s.Epoch, &created, &expires, &s.Generation, &rotated, &used,
			&revoked, &s.Reason, &s.UserAgent, &s.Address, &s.Version); err != nil {
			return nil, err
		}
		s.User = user.IDFromSortKey(owner)
		s.Created, s.Expires = instant(created), instant(expires)
		s.RotatedAt, s.UsedAt, s.RevokedAt = instant(rotated), instant(used), instant(revoked)
		x, err := session.Restore(s)
		return restored(string(s.ID), x, err)
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
	return sessionTable.update(ctx, r.s.write, "update session", string(id), change)
}

// List implements outbound.Sessions. It passes by those of the owner that do not count any more.
func (r sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	owner, ok := keyOf(q.Owner)
	if !ok {
		return nil, ctx.Err() // nobody's
	}
	query, args := listSessions(q, owner)
	return sessionTable.list(ctx, r.s, "list sessions", query, args)
}

// listSessions returns the statement for a query.
func listSessions(q session.Query, owner string) (string, []any) {
	k := keyset{time: "created", back: q.Back}
	k.and("owner = " + k.given(owner))
	k.and("revoked_at IS NULL")
	k.and("expires > " + k.given(q.LiveAt.UnixMilli()))
	if q.Epoch > 0 {
		k.and("epoch >= " + k.given(q.Epoch))
	}
	switch {
	case q.From == nil:
	case q.Back:
		k.newer(q.From.Created, string(q.From.ID))
	default:
		k.older(q.From.Created, string(q.From.ID))
	}
	statement := sessionTable.selectAll() + k.String() + k.end(q.Limit)
	if q.Skip > 0 {
		statement += " OFFSET " + k.given(q.Skip)
	}
	return statement, k.args
}

// DeleteOf implements outbound.Sessions.
func (r sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	key, ok := keyOf(owner)
	if !ok {
		return nil // nobody's
	}
	_, err := r.s.delete(ctx, "delete sessions of a user", deleteOf, key)
	return err
}

// Sweep implements outbound.Sessions. The longest expired go first.
func (r sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.s.delete(ctx, "sweep sessions", sweep, now.UnixMilli(), max(limit, 0))
}
