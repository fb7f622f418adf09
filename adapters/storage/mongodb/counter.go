package mongodb

import (
	"context"
	"errors"
	"math"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/domain/user"
	"roster/ports/outbound"
)

// The one counter: the highest integer id ever assigned or added. Start makes it, and nothing else does: a counter that
// was lost must not begin anew, since ids would come twice.
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

var errUsedUp = errors.New("mongodb: integer ids are used up, or their counter is gone")

func (r userIDs) NewUserID(ctx context.Context) (user.ID, error) {
	var c counter
	err := r.s.within(ctx, "assign a user id", func(ctx context.Context) error {
		return r.s.collection(counterCollection).FindOneAndUpdate(ctx,
			append(is("_id", counterID), is("value", compared("$lt", int64(math.MaxInt64)))...), is("$inc", is("value", int64(1))),
			options.FindOneAndUpdate().SetReturnDocument(options.After),
		).Decode(&c)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return "", errUsedUp
	}
	if err != nil {
		return "", err
	}
	r.s.counted.Store(c.Value)
	return user.IntegerID(c.Value), nil
}

// last returns the highest id that was assigned or added.
func (r userIDs) last(ctx context.Context, op string) (int64, error) {
	var c counter
	err := r.s.findOne(ctx, op, counterCollection, is("_id", counterID), &c)
	return c.Value, err
}

// skip makes new ids higher than those of users about to be added. It comes before they are, so that a crash leaves a gap
// and no id that is assigned twice.
func (r userIDs) skip(ctx context.Context, op string, docs ...userDocument) error {
	n, err := r.higher(ctx, op, docs...)
	if err != nil || n == 0 {
		return err
	}
	return r.raise(ctx, op, n)
}

// higher returns the highest id of some users if the counter is below it, or 0. Ids that were assigned here are not.
func (r userIDs) higher(ctx context.Context, op string, docs ...userDocument) (int64, error) {
	var highest int64
	for _, d := range docs {
		if n, counted := user.IDFromSortKey(d.ID).Integer(); counted {
			highest = max(highest, n)
		}
	}
	if highest <= r.s.counted.Load() {
		return 0, nil
	}
	if last, err := r.last(ctx, op); err != nil || highest <= last {
		return 0, err
	}
	return highest, nil
}

// raise makes new ids higher than n. It never lowers the counter.
func (r userIDs) raise(ctx context.Context, op string, n int64) error {
	return r.s.within(ctx, op, func(ctx context.Context) error {
		_, err := r.s.collection(counterCollection).UpdateOne(ctx, is("_id", counterID), is("$max", is("value", n)))
		return err
	})
}
