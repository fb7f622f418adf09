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

// The rule that an active staff user is left is about several documents, and a write changes one. So a user
// who resigns does so in three writes, each acknowledged by a majority before the next:
//
//  1. The user's document gets a new random staff_token.
//  2. The document of another user, still active staff by then, gets one too: that user stays.
//  3. The user is changed or deleted, if the document still has the token of 1.
//
// Of two users who resign at the same time and each rely on the other, 2 of one comes after 1 of the other,
// and takes its token away: at least one of them fails in 3 and tries again. In general: suppose that the last
// active staff users all went. Take the one who did 1 last of all. The user whom its 2 found was active staff
// then and went later, so did 1 before that 2, whose token then made its 3 fail; or after, and so was later.
// Both contradict.
//
// A crash in between leaves a token that no write asks for. Any other change of the user drops it. The version
// stays, and the entity tag with it.
const staffToken = "staff_token"

// resign does 1 and 2 for the user whom same finds, and returns the filter for 3. It is nil when one of the
// two users changed since, and all has to be tried again. It fails with user.ErrLastStaff when no other active
// staff user is left.
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
		var found int64
		err := s.within(ctx, op, func(ctx context.Context) error {
			result, err := s.collection(userTable.name).UpdateOne(ctx, write.filter, is("$set", is(staffToken, write.token)))
			if err == nil {
				found = result.MatchedCount
			}
			return err
		})
		if found == 0 || err != nil {
			return nil, err
		}
	}
	return append(same, bson.E{Key: staffToken, Value: token}), nil
}
