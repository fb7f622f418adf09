package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Lists by a time and then by id, newest first or back. A page begins beyond a place, so that it costs
// the same however far it lies.

// byTime returns the order.
func byTime(field string, back bool) bson.D {
	direction := -1
	if back {
		direction = 1
	}
	return bson.D{{Key: field, Value: direction}, {Key: "_id", Value: direction}}
}

// newer is the condition that a document comes after a place in time.
func newer(field string, at time.Time, id string) bson.D {
	if id == "" { // which all at that instant come after
		return is(field, compared("$gte", instant(at)))
	}
	return beside(field, "$gt", instant(at), id)
}

// older is the condition that a document comes before a place in time.
func older(field string, at time.Time, id string) bson.D {
	if id == "" {
		return is(field, compared("$lt", instant(at)))
	}
	return beside(field, "$lt", instant(at), id)
}

// beside says first what serves as the bound of an index, as beyond does.
func beside(field, operator string, at time.Time, id string) bson.D {
	return bson.D{
		{Key: field, Value: compared(operator+"e", at)},
		{Key: "$or", Value: bson.A{
			is(field, compared(operator, at)),
			bson.D{{Key: field, Value: at}, {Key: "_id", Value: compared(operator, id)}},
		}},
	}
}

// findAll reads up to limit documents that fit a filter, in an order, but for the first skip.
func findAll[D any](ctx context.Context, s *Store, op, collection string, filter, order bson.D, skip, limit int) (docs []D, err error) {
	if limit < 1 {
		return nil, ctx.Err() // to MongoDB, 0 is no limit
	}
	err = s.within(ctx, op, func(ctx context.Context) error {
		c, err := s.collection(collection).Find(ctx, filter, options.Find().SetSort(order).SetSkip(int64(max(skip, 0))).SetLimit(int64(limit)))
		if err != nil {
			return err
		}
		return c.All(ctx, &docs)
	})
	return docs, err
}

// sweepBatch is how many documents one command removes.
const sweepBatch = 1000

// sweep removes up to limit documents that are old, the first in an order first.
func (s *Store) sweep(ctx context.Context, op, collection string, old, order bson.D, limit int) (int, error) {
	o := options.Find().SetSort(order).SetProjection(is("_id", 1))
	gone := 0
	for {
		batch := min(limit-gone, sweepBatch)
		if batch < 1 {
			return gone, ctx.Err()
		}
		var found []struct {
			ID string `bson:"_id"`
		}
		err := s.within(ctx, op, func(ctx context.Context) error {
			c, err := s.collection(collection).Find(ctx, old, o.SetLimit(int64(batch)))
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
		// One of them may have been prolonged meanwhile, so its age counts here too.
		n, err := s.delete(ctx, op, collection, append(is("_id", compared("$in", ids)), old...))
		gone += n
		if err != nil || len(found) < batch {
			return gone, err
		}
	}
}

func (s *Store) delete(ctx context.Context, op, collection string, filter bson.D) (int, error) {
	var gone int64
	err := s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(collection).DeleteMany(ctx, filter)
		if err == nil {
			gone = result.DeletedCount
		}
		return err
	})
	return int(gone), err
}
