package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
)

// lookup is a find command. The driver's own Find sends no time limit to the server, which goes on with a query that has
// no reader any more until it notices that the connection is closed. A command that is given as a document is sent with
// the limit of its context.
type lookup struct {
	Find        string       `bson:"find"` // the collection
	Filter      bson.D       `bson:"filter"`
	Sort        bson.D       `bson:"sort,omitempty"`
	Projection  bson.D       `bson:"projection,omitempty"`
	Skip        int64        `bson:"skip,omitempty"`
	Limit       int64        `bson:"limit,omitempty"`
	BatchSize   int64        `bson:"batchSize"`
	OnDisk      bool         `bson:"allowDiskUse,omitempty"`
	ReadConcern *readConcern `bson:"readConcern,omitempty"`
}

// aggregation is an aggregate command.
type aggregation struct {
	Aggregate   string       `bson:"aggregate"` // the collection
	Pipeline    bson.A       `bson:"pipeline"`
	Cursor      bson.D       `bson:"cursor"`
	ReadConcern *readConcern `bson:"readConcern,omitempty"`
}

type readConcern struct {
	Level string `bson:"level"`
}

// concern is the read concern that the URL asks for, if any.
func concern(c *readconcern.ReadConcern) *readConcern {
	if c == nil || c.Level == "" {
		return nil
	}
	return &readConcern{c.Level}
}

// maxBatch is more than any page of the service holds. A server may set room aside for a whole batch.
const maxBatch = 10_000

// batch is the size of a batch for limit documents: with room for one more the server sees the end, and keeps no cursor.
func batch(limit int) int64 { return int64(min(limit, maxBatch)) + 1 }

// findAll reads the documents that q finds, at most limit of them. 0 is no limit to MongoDB, and nothing here.
func findAll[D any](ctx context.Context, s *Store, op string, q lookup, limit int) ([]D, error) {
	if limit < 1 {
		return nil, ctx.Err()
	}
	q.Limit, q.BatchSize, q.ReadConcern = int64(limit), batch(limit), s.reads
	return readAll[D](ctx, s, op, q)
}

// aggregateAll reads what a makes, at most limit documents.
func aggregateAll[D any](ctx context.Context, s *Store, op string, a aggregation, limit int) ([]D, error) {
	if limit < 1 {
		return nil, ctx.Err()
	}
	a.Pipeline = append(a.Pipeline, is("$limit", limit))
	a.Cursor, a.ReadConcern = is("batchSize", batch(limit)), s.reads
	return readAll[D](ctx, s, op, a)
}

func readAll[D any](ctx context.Context, s *Store, op string, command any) (docs []D, err error) {
	err = s.within(ctx, op, func(ctx context.Context) error {
		c, err := s.db.RunCommandCursor(ctx, command)
		if mayReadAgain(err) { // the driver tries only its own reads again
			c, err = s.db.RunCommandCursor(ctx, command)
		}
		if err != nil {
			return err
		}
		return c.All(ctx, &docs)
	})
	return docs, err
}
