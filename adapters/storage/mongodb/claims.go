package mongodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/domain/user"
)

// No unique index on email_key can span shards, so on a sharded cluster each email key is claimed in a
// collection of its own, by _id, before a user is written with it. Nobody may take a claim away or
// delete it unless, in this order,
//
//   - they read the claim and then see that its holder is no user with the key, and
//   - the claim still has the token that they read.
//
// Whoever wrote a user looks at the claim once more and gives it a new token (confirm). So of a write
// of a user and somebody else's taking of its claim, however long either was paused, either the taker
// sees the user or a new token, or the writer sees that the claim is lost and takes the write back.
// If the writer crashed before it looked, the taker still sees the user, when it looks for one after
// it took the claim (rival).
const claimsCollection = "email_claims"

// fresh is how long a claim counts without a user: somebody is about to write one.
const fresh = time.Minute

type claim struct {
	Key   string    `bson:"_id"`
	User  string    `bson:"user"` // the sort key of the holder's id
	At    time.Time `bson:"at"`
	Token string    `bson:"token"` // another one with each write
}

func newClaim(key, id string, at time.Time) claim { return claim{key, id, instant(at), rand.Text()} }

// same is the filter of every compare-and-set of a claim.
func (c claim) same() bson.D {
	token := bson.E{Key: "token", Value: c.Token}
	if c.Token == "" {
		token.Value = nil // not there
	}
	return bson.D{{Key: "_id", Value: c.Key}, {Key: "user", Value: c.User}, token}
}

var errTaken = fmt.Errorf("mongodb: claim email: %w", user.ErrEmailTaken)

// claims is users on a sharded cluster. Ids are sort keys.
type claims struct{ s *Store }

// claim makes the claim on key that of id, or returns user.ErrEmailTaken.
func (c claims) claim(ctx context.Context, op, key, id string) error {
	return tryAgain(ctx, op, func() (bool, error) {
		mine := newClaim(key, id, time.Now())
		err := c.insert(ctx, op, mine)
		if duplicate(err) {
			held, err := c.read(ctx, op, key)
			if errors.Is(err, mongo.ErrNoDocuments) {
				return false, nil // just released
			}
			if err != nil {
				return false, err
			}
			if held.User != id { // what is ours need only be made fresh
				if err := c.mustBeStale(ctx, op, held); err != nil {
					return false, err
				}
			}
			if swapped, err := c.swap(ctx, op, held, mine); !swapped || err != nil {
				return false, err
			}
		} else if err != nil {
			return false, err
		}
		return true, c.noRival(ctx, op, mine)
	})
}

// mustBeStale refuses to take a claim that counts. One whose holder crashed, or lost it and gave up,
// does not.
func (c claims) mustBeStale(ctx context.Context, op string, held claim) error {
	if time.Since(held.At) < fresh {
		return errTaken
	}
	holds, err := c.holds(ctx, op, held.User, held.Key)
	if holds {
		return errTaken
	}
	return err
}

// noRival looks on all shards whether another user has the key that mine, just made, is on: one whose
// writer crashed before confirm, while mine was made, or one from before there were claims. The claim
// is then handed over, already stale: if that user's writer is yet to give up, it counts no longer.
func (c claims) noRival(ctx context.Context, op string, mine claim) error {
	var d userDocument
	err := c.s.findOne(ctx, op, userTable.name, userTable.rival(userDocument{ID: mine.User, EmailKey: mine.Key}), &d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := c.swap(ctx, op, mine, newClaim(mine.Key, d.ID, time.UnixMilli(0))); err != nil {
		return err
	}
	return errTaken
}

// confirm reports whether the claim is still that of id, who was just written with the key. The new
// token stops all who judged the claim by what was there before the user. A claim that is gone was
// nobody's meanwhile, or is nobody's again, and can be made anew.
func (c claims) confirm(ctx context.Context, op, key, id string) (ours bool, err error) {
	err = tryAgain(ctx, op, func() (bool, error) {
		mine := newClaim(key, id, time.Now())
		if err := c.insert(ctx, op, mine); !duplicate(err) {
			ours = err == nil
			return true, err
		}
		held, err := c.read(ctx, op, key)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return false, nil
		}
		if err != nil || held.User != id {
			return true, err
		}
		ours, err = c.swap(ctx, op, held, mine)
		return ours, err
	})
	return ours, err
}

// release deletes the claim of id on key, unless the user has the key: another change of the same user
// may have brought it. A failure leaves a claim that goes stale, so nobody need know.
func (c claims) release(ctx context.Context, op, key, id string) {
	held, err := c.read(ctx, op, key)
	if err != nil || held.User != id {
		return
	}
	if holds, err := c.holds(ctx, op, id, key); holds || err != nil {
		return
	}
	_, _ = c.s.deleteOne(ctx, op, claimsCollection, held.same())
}

// holds reports whether there is a user with that id and key.
func (c claims) holds(ctx context.Context, op, id, key string) (bool, error) {
	err := c.s.findOne(ctx, op, userTable.name, bson.D{{Key: "_id", Value: id}, {Key: "email_key", Value: key}}, &named{})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	return err == nil, err
}

func (c claims) insert(ctx context.Context, op string, mine claim) error {
	return c.s.insertOne(ctx, op, claimsCollection, mine)
}

func (c claims) read(ctx context.Context, op, key string) (held claim, err error) {
	err = c.s.findOne(ctx, op, claimsCollection, is("_id", key), &held)
	return held, err
}

// swap puts next in the place of held, if that is still there.
func (c claims) swap(ctx context.Context, op string, held, next claim) (swapped bool, err error) {
	return c.s.replaceOne(ctx, op, claimsCollection, held.same(), next)
}

// add is users.Add.
func (c claims) add(ctx context.Context, op string, d userDocument) error {
	// An id that is taken is told first, as elsewhere.
	if err := userTable.absent(ctx, c.s, op, bson.D{{Key: "_id", Value: d.ID}}, user.ErrIDTaken); err != nil {
		return err
	}
	if err := c.claim(ctx, op, d.EmailKey, d.ID); err != nil {
		return err
	}
	if err := userTable.add(ctx, c.s, op, d); err != nil {
		if errors.Is(err, user.ErrIDTaken) || errors.Is(err, user.ErrEmailTaken) {
			c.release(ctx, op, d.EmailKey, d.ID)
		}
		return err // or else the user may still be stored: the claim then counts, or goes stale
	}
	return c.added(ctx, op, d)
}

// added ends an add whose user is stored, whether or not anybody waits any more.
func (c claims) added(ctx context.Context, op string, d userDocument) error {
	ctx = context.WithoutCancel(ctx)
	ours, err := c.confirm(ctx, op, d.EmailKey, d.ID)
	if ours || err != nil {
		return err
	}
	if _, err = c.s.deleteOne(ctx, op, userTable.name, unchanged(d.ID, d.Version)); err != nil {
		return err
	}
	return errTaken
}

// byEmail is users.ByEmail. It asks the two shards that have the claim and the user. Without a claim
// it asks all, since the user may be from before there were claims; and so when its holder has not the
// key, since a taker that crashed may have left another user with it.
func (c claims) byEmail(ctx context.Context, op, key string) (*user.User, error) {
	held, err := c.read(ctx, op, key)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
	case err != nil:
		return nil, err
	default:
		u, err := userTable.find(ctx, c.s, op, "_id", held.User)
		if err == nil && u.Snapshot().EmailKey == key {
			return u, nil
		}
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return nil, err
		}
	}
	return userTable.find(ctx, c.s, op, "email_key", key)
}

// update is users.Update.
func (c claims) update(ctx context.Context, op, id string, change func(*user.User) error) (*user.User, error) {
	var (
		former  user.User
		touched []string // all keys of all attempts
		refused bool
	)
	out, err := userTable.update(ctx, c.s, op, id, func(u *user.User) error {
		former, refused = *u, true // until all is claimed
		if err := change(u); err != nil {
			return err
		}
		from, to := former.Snapshot().EmailKey, u.Snapshot().EmailKey
		if from != to {
			touched = append(touched, from, to)
			// The old key is kept fresh, so that nobody takes it before it may have to be put back.
			if err := c.claim(ctx, op, from, id); err != nil && !errors.Is(err, user.ErrEmailTaken) {
				return err
			}
			if err := c.claim(ctx, op, to, id); err != nil {
				return err
			}
		}
		refused = false
		return nil
	})
	switch {
	case err == nil:
		err = c.updated(ctx, op, id, &former, out)
	case !refused && !errors.Is(err, user.ErrNotFound) && !errors.Is(err, user.ErrLastStaff):
		return nil, err // the user may still be stored: the claims then count, or go stale
	}
	for _, key := range touched {
		c.release(ctx, op, key, id)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// updated ends an update that is stored: it is taken back when the claim on a new key was lost.
func (c claims) updated(ctx context.Context, op, id string, former, out *user.User) error {
	from, to := former.Snapshot(), out.Snapshot()
	if from.EmailKey == to.EmailKey {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	ours, err := c.confirm(ctx, op, to.EmailKey, id)
	if ours || err != nil {
		return err
	}
	back, err := userTable.update(ctx, c.s, op, id, func(u *user.User) error {
		s := u.Snapshot()
		switch {
		case s.Version == to.Version:
			*u = *former
			u.AllowLastStaff() // the email decides: it is another user's by now
			return nil
		case s.EmailKey != to.EmailKey:
			return nil
		}
		s.Email, s.EmailKey = from.Email, from.EmailKey
		now, err := user.Restore(s)
		if err == nil {
			*u = *now
		}
		return err
	})
	if errors.Is(err, user.ErrNotFound) {
		return errTaken
	}
	if err != nil {
		return err
	}
	if key := back.Snapshot().EmailKey; key == from.EmailKey {
		ours, err := c.confirm(ctx, op, key, id)
		if err != nil {
			return err
		}
		if !ours {
			return fmt.Errorf("mongodb: %s: user %s was paused too long and lost both the new email and the former", op, out.ID())
		}
	}
	return errTaken
}

// remove is users.Delete. The user goes first: a claim without a user goes stale, and a user without a
// claim could get a rival.
func (c claims) remove(ctx context.Context, op, id string, check func(*user.User) error) error {
	var key string
	err := userTable.remove(ctx, c.s, op, id, func(u *user.User) error {
		key = u.Snapshot().EmailKey
		return check(u)
	})
	if err == nil {
		c.release(ctx, op, key, id)
	}
	return err
}

// findMode finds out whether this is a sharded cluster: the URL says so, or the server is a mongos; and
// whether there are several members to wait for.
func (s *Store) findMode(ctx context.Context) error {
	var server greeting
	err := s.within(ctx, "greet the server", func(ctx context.Context) error {
		return s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&server)
	})
	s.sharded = s.place.sharded || server.mongos()
	s.replicated = server.replicated()
	return err
}

// greeting is what a server says of itself.
type greeting struct {
	Msg     string `bson:"msg"`
	SetName string `bson:"setName"`
}

func (g greeting) mongos() bool { return g.Msg == "isdbgrid" }

func (g greeting) replicated() bool { return g.SetName != "" || g.mongos() }
