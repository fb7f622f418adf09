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
	Browser    string    `bson:"browser,omitempty"`
	Version    int64     `bson:"version"`
}

var sessionTable = table[session.Session, session.Snapshot, sessionDocument]{
	name: "sessions", record: "session",
	document: func(s session.Snapshot) sessionDocument {
		return sessionDocument{
			ID: string(s.ID), User: s.User.SortKey(),
			Epoch: s.Epoch, Created: instant(s.Created), Expires: instant(s.Expires),
			Generation: int64(s.Generation),
			RotatedAt:  instant(s.RotatedAt), UsedAt: instant(s.UsedAt), RevokedAt: instant(s.RevokedAt),
			Reason: string(s.Reason), UserAgent: s.UserAgent, Address: s.Address, Browser: s.Browser, Version: s.Version,
		}
	},
	state: func(d sessionDocument) session.Snapshot {
		return session.Snapshot{
			ID: session.ID(d.ID), User: user.IDFromSortKey(d.User),
			Epoch: d.Epoch, Created: d.Created, Expires: d.Expires,
			Generation: int(d.Generation), RotatedAt: d.RotatedAt, UsedAt: d.UsedAt, RevokedAt: d.RevokedAt,
			Reason: session.Reason(d.Reason), UserAgent: d.UserAgent, Address: d.Address, Browser: d.Browser, Version: d.Version,
		}
	},
	id:       func(d sessionDocument) string { return d.ID },
	snapshot: (*session.Session).Snapshot,
	restore:  session.Restore,
	check:    func(s session.Snapshot) error { _, err := s.User.Stored(); return err },
	version:  func(s *session.Snapshot) *int64 { return &s.Version },
	missing:  session.ErrNotFound,
	exists:   session.ErrExists,
}

type sessions struct{ s *Store }

var _ outbound.Sessions = sessions{}

func (r sessions) Add(ctx context.Context, x *session.Session, given ...outbound.Effects) error {
	const op = "add session"
	d, err := sessionTable.checked(x.Snapshot())
	if err != nil {
		return fmt.Errorf("mongodb: %s: %w", op, err)
	}
	caused, err := effectsOf(op, given)
	if err != nil {
		return err
	}
	if err := sessionTable.add(ctx, r.s, op, d, caused); err != nil {
		return err
	}
	r.s.publish(ctx, sessionTable.name, unchanged(d.ID, d.Version), caused)
	return nil
}

func (r sessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	return sessionTable.find(ctx, r.s, "get session", "_id", string(id))
}

func (r sessions) Update(
	ctx context.Context, id session.ID, change func(*session.Session) error, given ...outbound.Effects,
) (*session.Session, error) {
	return sessionTable.update(ctx, r.s, "update session", string(id), change, given...)
}

// List passes by those of the owner that do not count any more.
func (r sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	owner, err := q.Owner.Stored()
	if err != nil {
		return nil, ctx.Err() // no user has this id
	}
	filter, order := listSessions(q, owner)
	page := lookup{Find: sessionTable.name, Filter: filter, Sort: order, Skip: int64(max(q.Skip, 0))}
	return sessionTable.list(ctx, r.s, "list sessions", page, q.Limit)
}

// listSessions returns the filter and the order of a query.
func listSessions(q session.Query, owner string) (filter, order bson.D) {
	conditions := bson.A{
		is("user", owner), is("revoked_at", compared("$exists", false)), is("expires", compared("$gt", instant(q.LiveAt))),
	}
	if q.Epoch > 0 {
		conditions = append(conditions, is("epoch", compared("$gte", q.Epoch)))
	}
	if q.From != nil {
		conditions = append(conditions, fromTime("created", q.Back, q.From.Created, string(q.From.ID)))
	}
	return all(conditions), byTime("created", q.Back)
}

func (r sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	key, err := owner.Stored()
	if err != nil {
		return nil // no user has this id
	}
	const op = "delete sessions of a user"
	return tryAgain(ctx, op, func() (bool, error) {
		if _, err := r.s.deleteAll(ctx, op, sessionTable.name, append(is("user", key), withoutEffects...)); err != nil {
			return false, err
		}
		left, err := r.s.publishLeft(ctx, sessionTable.name, is("user", key))
		return !left, err
	})
}

// Sweep removes the longest expired first. A session with effects stays until AuditTrail.Sweep has published these.
func (r sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	expired := append(is("expires", compared("$lte", instant(now))), withoutEffects...)
	return r.s.sweep(ctx, "sweep sessions", sessionTable.name, expired, is("expires", 1), limit)
}
