package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// sessionDocument is a session as stored.
type sessionDocument struct {
	ID         string    `bson:"_id"`
	User       string    `bson:"user"` // the sort key of the owner's id
	Created    time.Time `bson:"created"`
	Confirmed  time.Time `bson:"confirmed"`
	Expires    time.Time `bson:"expires"`
	Generation int64     `bson:"generation"`
	RotatedAt  time.Time `bson:"rotated_at,omitempty"`
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
			Created: instant(s.Created), Confirmed: instant(s.Confirmed), Expires: instant(s.Expires),
			Generation: int64(s.Generation), RotatedAt: instant(s.RotatedAt), RevokedAt: instant(s.RevokedAt),
			Reason: string(s.Reason), UserAgent: s.UserAgent, Address: s.Address, Version: s.Version,
		}
	},
	restore: func(d sessionDocument) (*session.Session, error) {
		return session.Restore(session.Snapshot{
			ID: session.ID(d.ID), User: user.IDFromSortKey(d.User),
			Created: d.Created, Confirmed: d.Confirmed, Expires: d.Expires,
			Generation: int(d.Generation), RotatedAt: d.RotatedAt, RevokedAt: d.RevokedAt,
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
	_, err := r.delete(ctx, "delete sessions of a user", bson.D{{Key: "user", Value: key}})
	return err
}

// sweepBatch is how many sessions one command removes.
const sweepBatch = 1000

// Sweep implements outbound.Sessions. The longest expired go first.
func (r sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	const op = "sweep sessions"
	expired := bson.E{Key: "expires", Value: bson.D{{Key: "$lte", Value: instant(now)}}}
	gone := 0
	for {
		batch := min(limit-gone, sweepBatch)
		if batch < 1 {
			return gone, ctx.Err()
		}
		o := options.Find().SetSort(bson.D{{Key: "expires", Value: 1}}).SetLimit(int64(batch)).
			SetProjection(bson.D{{Key: "_id", Value: 1}})
		var found []struct {
			ID string `bson:"_id"`
		}
		err := r.s.within(ctx, op, func(ctx context.Context) error {
			c, err := r.s.collection(sessionTable.name).Find(ctx, bson.D{expired}, o)
			if err != nil {
				return err
			}
			return c.All(ctx, &found)
		})
		if err != nil || len(found) == 0 {
			return gone, err
		}
		ids := make([]string, len(found))
		for i, f := range found {
			ids[i] = f.ID
		}
		// One of them may have been prolonged meanwhile, so its expiry counts here too.
		n, err := r.delete(ctx, op, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, expired})
		gone += n
		if err != nil || len(found) < batch {
			return gone, err
		}
	}
}

func (r sessions) delete(ctx context.Context, op string, filter bson.D) (int, error) {
	var gone int64
	err := r.s.within(ctx, op, func(ctx context.Context) error {
		result, err := r.s.collection(sessionTable.name).DeleteMany(ctx, filter)
		if err == nil {
			gone = result.DeletedCount
		}
		return err
	})
	return int(gone), err
}
