package mongodb

import (
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// beyond returns the condition that a document comes after the one with some values in an order: a >= x, and one of
// a > x, a = x and b > y, and so on. The first part is the bound of an index, so that a page costs the same wherever it
// begins.
func beyond(order bson.D, values ...any) bson.D {
	var ladder bson.A
	var equal bson.D
	for i, o := range order {
		ladder = append(ladder, append(slices.Clip(equal), bson.E{Key: o.Key, Value: compared(after(o), values[i])}))
		equal = append(equal, bson.E{Key: o.Key, Value: values[i]})
	}
	if len(order) == 1 {
		return is(order[0].Key, compared(after(order[0]), values[0]))
	}
	return bson.D{{Key: order[0].Key, Value: compared(after(order[0])+"e", values[0])}, {Key: "$or", Value: ladder}}
}

func after(o bson.E) string {
	if o.Value == -1 {
		return "$lt"
	}
	return "$gt"
}

// byTime is the order by a time and then by id, newest first or oldest first.
func byTime(field string, oldestFirst bool) bson.D {
	direction := -1
	if oldestFirst {
		direction = 1
	}
	return bson.D{{Key: field, Value: direction}, {Key: "_id", Value: direction}}
}

// fromTime returns the condition that a document comes after the one with a time and an id in the order byTime. Without
// an id, what has that time comes after in the order of time, and not in the reverse order.
func fromTime(field string, oldestFirst bool, at time.Time, id string) bson.D {
	switch {
	case id != "":
		return beyond(byTime(field, oldestFirst), instant(at), id)
	case oldestFirst:
		return is(field, compared("$gte", instant(at)))
	}
	return is(field, compared("$lt", instant(at)))
}

// named is what is read of a document of which only the id is needed.
type named struct {
	ID string `bson:"_id"`
}

// sweep deletes up to limit documents that are old, the first in an order first.
func (s *Store) sweep(ctx context.Context, op, collection string, old, order bson.D, limit int) (int, error) {
	found, err := findAll[named](ctx, s, op, lookup{Find: collection, Filter: old, Sort: order, Projection: is("_id", 1)}, limit)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	// One of them may have been prolonged since, so that its age counts here too.
	return s.deleteAll(ctx, op, collection, append(is("_id", compared("$in", ids)), old...))
}
