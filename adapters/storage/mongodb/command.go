package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The commands about one document, each within oneCommand.

// findOne decodes a document that fits a filter, all of it or a projection. It fails with mongo.ErrNoDocuments when there is
// none.
func (s *Store) findOne(ctx context.Context, op, collection string, filter bson.D, into any, projection ...bson.D) error {
	return s.within(ctx, op, func(ctx context.Context) error {
		o := options.FindOne()
		if len(projection) > 0 && projection[0] != nil {
			o.SetProjection(projection[0])
		}
		return s.collection(collection).FindOne(ctx, filter, o).Decode(into)
	})
}

func (s *Store) insertOne(ctx context.Context, op, collection string, document any) error {
	return s.within(ctx, op, func(ctx context.Context) error {
		_, err := s.collection(collection).InsertOne(ctx, document)
		return err
	})
}

// setOne sets fields of the document that fits a filter, and reports whether there is one.
func (s *Store) setOne(ctx context.Context, op, collection string, filter, fields bson.D) (found bool, err error) {
	err = s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(collection).UpdateOne(ctx, filter, is("$set", fields))
		found = err == nil && result.MatchedCount == 1
		return err
	})
	return found, err
}

// replaceOne puts a document in the place of the one that fits a filter, and reports whether there was one.
func (s *Store) replaceOne(ctx context.Context, op, collection string, filter bson.D, document any) (found bool, err error) {
	err = s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(collection).ReplaceOne(ctx, filter, document)
		found = err == nil && result.MatchedCount == 1
		return err
	})
	return found, err
}

// deleteOne deletes the document that fits a filter, and reports whether there was one.
func (s *Store) deleteOne(ctx context.Context, op, collection string, filter bson.D) (found bool, err error) {
	err = s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(collection).DeleteOne(ctx, filter)
		found = err == nil && result.DeletedCount == 1
		return err
	})
	return found, err
}

// deleteAll deletes the documents that fit a filter, and returns their number.
func (s *Store) deleteAll(ctx context.Context, op, collection string, filter bson.D) (n int, err error) {
	err = s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(collection).DeleteMany(ctx, filter)
		if err == nil {
			n = int(result.DeletedCount)
		}
		return err
	})
	return n, err
}
