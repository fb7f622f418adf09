package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// sessionDocument is a session as stored.
type sessionDocument struct {
	ID         string    `bson:"_id"`
	User       string    `bson:"user"` // the sort key of the owner's id
	Epoch      int64     `bson:"epoch,omitempty"`
	Created    time.Time `bson:"created"`
	Expires    time.Time `bson:"expires"`
	Generation int64     `bson:"generation"`
	RotatedAt  time.Time `bson:"rotated_at,omitempty"`
	UsedAt     time.Time `bson:"used_at,omitempty"`
	RevokedAt  time.Time `bson:"revoked_at,omitempty"`
	Reason     string    `bson:"reason"`
	UserAgent  string    `bson:"user_agent"`
	Address    string    `bson:"address"`
	Version    int64     `bson:"version"`
}

var sessionTable = table[session.Session, sessionDocument]{
	name: "sessions",
	document: func(x *session.Session) sessionDocument {
		s := x.Snapshot()
		return sessionDocument{
			ID: string(s.ID), User: s.User.SortKey(),
			Epoch: s.Epoch, Created: instant(s.Created), Expires: instant(s.Expires),
			Generation: int64(s.Generation), RotatedAt: instant(s.RotatedAt), UsedAt: instant(s.UsedAt), RevokedAt: instant(s.RevokedAt),
			Reason: string(s.Reason), UserAgent: s.UserAgent, Address: s.Address, Version: s.Version,
		}
	},
	restore: func(d sessionDocument) (*session.Session, error) {
		return session.Restore(session.Snapshot{
			ID: session.ID(d.ID), User: user.IDFromSortKey(d.User),
			Epoch: d.Epoch, Created: d.Created, Expires: d.Expires,
			Generation: int(d.Generation), RotatedAt: d.RotatedAt, UsedAt: d.UsedAt, RevokedAt: d.RevokedAt,
			Reason: session.Reason(d.Reason), UserAgent: d.UserAgent, Address: d.Address, Version: d.Version,
		})
	},
	next: func(x *session.Session, version int64) (*session.Session, error) {
		s := x.Snapshot()
		s.Version = version
		return session.Restore(s)
	},
	version: func(x *session.Session) int64 { return x.Snapshot().Version },
	missing: session.ErrNotFound,
	id:      func(d sessionDocument) string { return d.ID },
	exists:  session.ErrExists,
}

type sessions struct{ s *Store }

var _ outbound.Sessions = sessions{}

// Add implements outbound.Sessions.
func (r sessions) Add(ctx context.Context, x *session.Session) error {
	const op = "add session"
	if _, ok := keyOf(x.User()); !ok {
		return fmt.Errorf("mongodb: %s: %q is no user's id", op, x.User())
	}
	return sessionTable.add(ctx, r.s, op, sessionTable.document(x))
}

// Get implements outbound.Sessions.
func (r sessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	return sessionTable.find(ctx, r.s, "get session", "_id", string(id))
}

// Update implements outbound.Sessions.
func (r sessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	return sessionTable.update(ctx, r.s, "update session", string(id), change)
}

// List implements outbound.Sessions. It passes by those of the owner that do not count any more.
func (r sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	const op = "list sessions"
	owner, ok := keyOf(q.Owner)
	if !ok {
		return nil, ctx.Err() // nobody's
	}
	filter, order := listSessions(q, owner)
	docs, err := findAll[sessionDocument](ctx, r.s, op, lookup{Find: sessionTable.name, Filter: filter, Sort: order, Skip: int64(max(q.Skip, 0))}, q.Limit)
	if err != nil {
		return nil, err
	}
	found := make([]*session.Session, len(docs))
	for i, d := range docs {
		if found[i], err = sessionTable.restore(d); err != nil {
			return nil, fmt.Errorf("mongodb: %s: %w", op, err)
		}
	}
	return found, nil
}

// listSessions returns the filter and the order of a query.
func listSessions(q session.Query, owner string) (filter, order bson.D) {
	conditions := bson.A{
		is("user", owner), is("revoked_at", compared("$exists", false)), is("expires", compared("$gt", instant(q.LiveAt))),
	}
	if q.Epoch > 0 {
		conditions = append(conditions, is("epoch", compared("$gte", q.Epoch)))
	}
	switch {
	case q.From == nil:
	case q.Back:
		conditions = append(conditions, newer("created", q.From.Created, string(q.From.ID)))
	default:
		conditions = append(conditions, older("created", q.From.Created, string(q.From.ID)))
	}
	return all(conditions), byTime("created", q.Back)
}

// DeleteOf implements outbound.Sessions.
func (r sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	key, ok := keyOf(owner)
	if !ok {
		return nil // nobody's
	}
	_, err := r.s.delete(ctx, "delete sessions of a user", sessionTable.name, is("user", key))
	return err
}

// Sweep implements outbound.Sessions. The longest expired go first.
func (r sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.s.sweep(ctx, "sweep sessions", sessionTable.name, is("expires", compared("$lte", instant(now))), is("expires", 1), limit)
}
