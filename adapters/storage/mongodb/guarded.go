package mongodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/domain/user"
)

// writeToken is a field of a user. A write changes one document, and some changes of a user depend on another: an active
// staff user must remain, and on a sharded cluster the new email must be claimed. Such a change takes three steps, each
// acknowledged by a majority before the next begins:
//
//  1. The document of the user gets a new random write_token.
//  2. The other document is written: another active staff user gets a new write_token too, or the claim is made.
//  3. The user is changed or deleted if the document still has the token of step 1.
//
// When the third fails, all three are tried again.
//
// One active staff user remains: suppose that the last ones all resigned, and let A be the one of the latest step 1. Its
// step 2 found an active staff user B, and B resigned later. If B's step 1 came before A's step 2, that replaced the
// token, and B's step 3 failed. If it came after, it came after A's step 1 too, which was not the latest then.
//
// An email is not given to two users: a write that takes the claim of step 2 first replaces the token of step 1, if the user
// has not the email yet (claims.revoke). If step 1 came after that, so did step 2, and the taking fails.
//
// A crash leaves a token that no write asks for. Any other change of the user removes it. Tokens leave the version as it
// is, and the entity tag with it.
const writeToken = "write_token"

// conditions are what a change of a user needs besides the user. The zero value is nothing.
type conditions struct {
	staff bool   // another active staff user
	email string // in sharded mode, the claim on this email key
}

// guarded does steps 1 and 2 for the user that same finds, and returns the filter of step 3, or nil when one of the
// documents has changed and all has to be tried again. It fails with user.ErrLastStaff and user.ErrEmailTaken.
func (s *Store) guarded(ctx context.Context, op, id string, same bson.D, c conditions) (bson.D, error) {
	token := rand.Text()
	if found, err := s.setOne(ctx, op, userTable.name, same, is(writeToken, token)); !found || err != nil {
		return nil, err
	}
	if c.staff {
		if found, err := s.markStaff(ctx, op, id); !found || err != nil {
			return nil, err
		}
	}
	if c.email != "" && s.sharded {
		if err := (claims{s}).claim(ctx, op, c.email, id); err != nil {
			return nil, err
		}
	}
	return append(same, bson.E{Key: writeToken, Value: token}), nil
}

// markStaff gives an active staff user other than id a new write_token, and reports whether that user was one still.
func (s *Store) markStaff(ctx context.Context, op, id string) (bool, error) {
	staff := bson.D{{Key: "active", Value: true}, {Key: "staff", Value: true}}
	var other named
	err := s.findOne(ctx, op, userTable.name, append(is("_id", compared("$ne", id)), staff...), &other, is("_id", 1))
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, fmt.Errorf("mongodb: %s: %w", op, user.ErrLastStaff)
	}
	if err != nil {
		return false, err
	}
	return s.setOne(ctx, op, userTable.name, append(is("_id", other.ID), staff...), is(writeToken, rand.Text()))
}
