package mongodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/domain/user"
)

// A write changes one document, and the rule that an active staff user is left is about several. So a user
// resigns in three steps, each acknowledged by a majority before the next begins:
//
//  1. The document of the user gets a new random staff_token.
//  2. The document of another user gets one too, provided that this is an active staff user.
//  3. The user is changed or deleted, provided that the document still has the token of step 1.
//
// When the third fails, all three are tried again. That one user stays is seen so: suppose that the last active
// staff users all resigned, and let A be the one of the latest step 1. Its step 2 found an active staff user B,
// and B resigned later. If B's step 1 came before A's step 2, that replaced the token, and B's step 3 failed. If
// it came after, it came after A's step 1 too, which was not the latest then.
//
// A crash leaves a token that no write asks for. Any other change of the user removes it. Tokens leave the
// version as it is, and the entity tag with it.
const staffToken = "staff_token"

// resign does steps 1 and 2 for the user that same finds, and returns the filter of step 3, or nil when one of
// the two users has changed and all has to be tried again. It fails with user.ErrLastStaff when there is no
// other active staff user.
func (s *Store) resign(ctx context.Context, op, id string, same bson.D) (bson.D, error) {
	staff := bson.D{{Key: "active", Value: true}, {Key: "staff", Value: true}}
	var other struct {
		ID string `bson:"_id"`
	}
	err := s.within(ctx, op, func(ctx context.Context) error {
		return s.collection(userTable.name).FindOne(ctx, append(is("_id", compared("$ne", id)), staff...),
			options.FindOne().SetProjection(is("_id", 1))).Decode(&other)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, fmt.Errorf("mongodb: %s: %w", op, user.ErrLastStaff)
	}
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	for _, write := range []struct {
		filter bson.D
		token  string
	}{{same, token}, {append(is("_id", other.ID), staff...), rand.Text()}} {
		if found, err := s.setOne(ctx, op, userTable.name, write.filter, is(staffToken, write.token)); !found || err != nil {
			return nil, err
		}
	}
	return append(same, bson.E{Key: staffToken, Value: token}), nil
}
