package mongodb

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/domain/user"
)

// No unique index on email_key can span shards. On a sharded cluster each email key is claimed by a document of this
// collection, with the key as its _id, before a user is written with that key. Each write of a claim gives it a new
// token, and a claim is replaced or deleted only if it has the token that was read.
//
// A claim whose holder has not the key counts for a minute, and then may be taken by another caller:
//
//   - A holder that exists may be about to get the key by an update. The taker replaces the holder's write_token
//     first, so that the update fails (see guarded).
//   - A holder that does not exist may be about to be added. An insert cannot be made to fail, so an add looks at its
//     claim again after the insert (confirm), and deletes the user when the claim is lost. When it ends between the
//     two, the taker finds the user (noRival).
const claimsCollection = "email_claims"

// fresh is how long a claim counts whose holder has not the key.
const fresh = time.Minute

type claim struct {
	Key   string    `bson:"_id"`
	User  string    `bson:"user"` // the sort key of the holder's id
	At    time.Time `bson:"at"`
	Token string    `bson:"token"`
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

// claims is the claims of a store. Ids are sort keys.
type claims struct{ s *Store }

// claim makes the claim on key that of id. It fails with user.ErrEmailTaken.
func (c claims) claim(ctx context.Context, op, key, id string) error {
	return tryAgain(ctx, op, func() (bool, error) {
		mine := newClaim(key, id, time.Now())
		held, err := c.insertOrRead(ctx, op, mine)
		if err == nil && held.User != id {
			if time.Since(held.At) < fresh {
				return false, errTaken
			}
			err = c.revoke(ctx, op, held)
		}
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return false, ignoreMissing(err)
		}
		if held.Token != mine.Token {
			if swapped, err := c.swap(ctx, op, held, mine); !swapped || err != nil {
				return false, err
			}
		}
		return true, c.noRival(ctx, op, mine)
	})
}

// confirm reports whether the claim is still that of id, a user just added, and gives it a new token. A claim that was
// deleted is made anew: no user has the key.
func (c claims) confirm(ctx context.Context, op, key, id string) (claimed bool, err error) {
	err = tryAgain(ctx, op, func() (bool, error) {
		mine := newClaim(key, id, time.Now())
		held, err := c.insertOrRead(ctx, op, mine)
		if err != nil {
			return false, ignoreMissing(err)
		}
		if held.User != id {
			return true, nil
		}
		if claimed = held.Token == mine.Token; !claimed {
			claimed, err = c.swap(ctx, op, held, mine)
		}
		return claimed, err
	})
	return claimed, err
}

// insertOrRead inserts a claim, or returns the one that is there. It fails with mongo.ErrNoDocuments when that has just
// been deleted.
func (c claims) insertOrRead(ctx context.Context, op string, mine claim) (held claim, err error) {
	if err := c.insert(ctx, op, mine); !duplicate(err) {
		return mine, err
	}
	return c.read(ctx, op, mine.Key)
}

// ignoreMissing leaves out mongo.ErrNoDocuments.
func ignoreMissing(err error) error {
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	return err
}

// revoke makes an update fail by which the holder of a claim would get the key. It fails with user.ErrEmailTaken when the
// holder has the key, and with user.ErrNotFound when there is no such user.
func (c claims) revoke(ctx context.Context, op string, held claim) error {
	other := bson.D{{Key: "_id", Value: held.User}, {Key: "email_key", Value: compared("$ne", held.Key)}}
	revoked, err := c.s.setOne(ctx, op, userTable.name, other, is(writeToken, rand.Text()))
	if revoked || err != nil {
		return err
	}
	err = c.s.findOne(ctx, op, userTable.name, is("_id", held.User), &named{}, is("_id", 1))
	if errors.Is(err, mongo.ErrNoDocuments) {
		return user.ErrNotFound
	}
	if err != nil {
		return err
	}
	return errTaken
}

// noRival fails with user.ErrEmailTaken when another user has the key of the claim mine: one whose add ended before
// confirm, or one from before the cluster was sharded. It asks all shards, and gives that user the claim.
func (c claims) noRival(ctx context.Context, op string, mine claim) error {
	var rival named
	err := c.s.findOne(ctx, op, userTable.name, userTable.rival(userDocument{ID: mine.User, EmailKey: mine.Key}), &rival, is("_id", 1))
	if err != nil {
		return ignoreMissing(err)
	}
	// The add of that user may yet delete it, so that the claim does not count for a minute.
	if _, err := c.swap(ctx, op, mine, newClaim(mine.Key, rival.ID, time.UnixMilli(0))); err != nil {
		return err
	}
	return errTaken
}

// release deletes the claim of id on key, unless the user has the key: another change of the same user may have brought
// it. A failure leaves a claim that others may take.
func (c claims) release(ctx context.Context, op, key, id string) {
	held, err := c.read(ctx, op, key)
	if err != nil || held.User != id {
		return
	}
	if err := c.revoke(ctx, op, held); err == nil || errors.Is(err, user.ErrNotFound) {
		_, _ = c.s.deleteOne(ctx, op, claimsCollection, held.same())
	}
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
func (c claims) add(ctx context.Context, op string, d userDocument, caused effects) error {
	// The id is checked first, as by the other backends.
	if err := userTable.absent(ctx, c.s, op, is("_id", d.ID), user.ErrIDTaken); err != nil {
		return err
	}
	if err := c.claim(ctx, op, d.EmailKey, d.ID); err != nil {
		return err
	}
	if err := userTable.add(ctx, c.s, op, d, caused); err != nil {
		if errors.Is(err, user.ErrIDTaken) {
			c.release(ctx, op, d.EmailKey, d.ID)
		}
		return err // after any other error the user may be stored
	}
	ctx = context.WithoutCancel(ctx) // the user is stored
	claimed, err := c.confirm(ctx, op, d.EmailKey, d.ID)
	if claimed || err != nil {
		return err
	}
	if _, err = c.s.deleteOne(ctx, op, userTable.name, unchanged(d.ID, d.Version)); err != nil {
		return err
	}
	return cmp.Or(c.s.deleteEffects(ctx, caused), errTaken) // another instance may have published them
}

// byEmail is users.ByEmail. It asks the two shards that have the claim and its holder, and all shards when there is no
// claim, or its holder has not the key: a user may have the key all the same (see noRival).
func (c claims) byEmail(ctx context.Context, op, key string) (*user.User, error) {
	held, err := c.read(ctx, op, key)
	if err == nil {
		u, err := userTable.find(ctx, c.s, op, "_id", held.User)
		if err == nil && u.Snapshot().EmailKey == key {
			return u, nil
		}
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return nil, err
		}
	} else if !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, err
	}
	return userTable.find(ctx, c.s, op, "email_key", key)
}
