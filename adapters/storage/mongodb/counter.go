package mongodb

import (
	"context"
	"errors"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/domain/user"
	"roster/ports/outbound"
)

// The one counter: the highest counted id ever given or added. Start makes it, and nothing else does:
// a counter that was lost must not begin anew, since ids would come twice.
const (
	counterCollection = "counters"
	counterID         = "user_id"
)

type counter struct {
	ID    string `bson:"_id"`
	Value int64  `bson:"value"`
}

type userIDs struct{ s *Store }

var _ outbound.UserIDs = userIDs{}

var errUsedUp = errors.New("mongodb: counted ids are used up, or their counter is gone")

func (r userIDs) NewUserID(ctx context.Context) (user.ID, error) {
	var c counter
	err := r.s.within(ctx, "count up the user id", func(ctx context.Context) error {
		return r.s.collection(counterCollection).FindOneAndUpdate(ctx,
			bson.D{{Key: "_id", Value: counterID}, {Key: "value", Value: bson.D{{Key: "$lt", Value: int64(math.MaxInt64)}}}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "value", Value: int64(1)}}}},
			options.FindOneAndUpdate().SetReturnDocument(options.After),
		).Decode(&c)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return "", errUsedUp
	}
	if err != nil {
		return "", err
	}
	return user.IntegerID(c.Value), nil
}

// behind reports whether n was neither given nor added before.
func (r userIDs) behind(ctx context.Context, op string, n int64) (bool, error) {
	last, err := r.last(ctx, op)
	return last < n, err
}

// last returns the highest id that was given or added.
func (r userIDs) last(ctx context.Context, op string) (int64, error) {
	var c counter
	err := r.s.findOne(ctx, op, counterCollection, is("_id", counterID), &c)
	return c.Value, err
}

// raise lets counting go on above n; it never goes back.
func (r userIDs) raise(ctx context.Context, op string, n int64) error {
	return r.s.within(ctx, op, func(ctx context.Context) error {
		_, err := r.s.collection(counterCollection).UpdateOne(ctx,
			bson.D{{Key: "_id", Value: counterID}}, bson.D{{Key: "$max", Value: bson.D{{Key: "value", Value: n}}}})
		return err
	})
}
