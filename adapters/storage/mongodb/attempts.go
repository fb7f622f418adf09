package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

// attemptDocument is the failed sign-ins of one subject as stored.
type attemptDocument struct {
	ID       string    `bson:"_id"` // the subject
	Failures int64     `bson:"failures"`
	Last     time.Time `bson:"last"`
	Expires  time.Time `bson:"expires"`
	Version  int64     `bson:"version"`
}

var attemptTable = table[lockout.Record, lockout.Snapshot, attemptDocument]{
	name: "attempts", record: "failed sign-ins of",
	document: func(s lockout.Snapshot) attemptDocument {
		return attemptDocument{
			ID: string(s.Subject), Failures: int64(s.Failures), Last: instant(s.Last), Expires: instant(s.Expires), Version: s.Version,
		}
	},
	state: func(d attemptDocument) lockout.Snapshot {
		return lockout.Snapshot{
			Subject: lockout.Subject(d.ID), Failures: int(d.Failures), Last: d.Last, Expires: d.Expires, Version: d.Version,
		}
	},
	id:       func(d attemptDocument) string { return d.ID },
	snapshot: (*lockout.Record).Snapshot,
	restore:  lockout.Restore,
	version:  func(s *lockout.Snapshot) *int64 { return &s.Version },
	fresh:    func(id string) *lockout.Record { return lockout.New(lockout.Subject(id)) },
	life:     func(d attemptDocument) bson.E { return bson.E{Key: "expires", Value: d.Expires} },
}

type failedAttempts struct{ s *Store }

var _ outbound.Attempts = failedAttempts{}

func (r failedAttempts) Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error) {
	return attemptTable.find(ctx, r.s, "get failed sign-ins", "_id", string(s))
}

// Update waits for the primary alone: many may fail to sign in.
func (r failedAttempts) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	return attemptTable.update(ctx, r.s, "update failed sign-ins", string(s), change)
}

func (r failedAttempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	return r.s.deleteAll(ctx, "delete failed sign-ins of an account", attemptTable.name, attemptsOf(a))
}

func attemptsOf(a lockout.Account) bson.D {
	first, end := a.Range()
	return is("_id", append(compared("$gte", string(first)), compared("$lt", string(end))...))
}

// Sweep removes the longest expired first.
func (r failedAttempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.s.sweep(ctx, "sweep failed sign-ins", attemptTable.name, is("expires", compared("$lte", instant(now))), is("expires", 1), limit)
}
