package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
)

// lookup is a find command. The driver's own Find sends no time limit to the server, which goes on with a
// query that has no reader any more until it notices that the connection is closed; a command that is given
// as a document is sent with the limit of its context.
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

// findAll reads the documents that q finds, at most limit of them, in one batch. 0 is no limit to MongoDB,
// and nothing here.
func findAll[D any](ctx context.Context, s *Store, op string, q lookup, limit int) (docs []D, err error) {
	if limit < 1 {
		return nil, ctx.Err()
	}
	q.Limit = int64(limit)
	q.BatchSize = min(q.Limit, maxBatch) + 1 // with room for one more the server sees the end, and keeps no cursor
	q.ReadConcern = s.reads
	err = s.within(ctx, op, func(ctx context.Context) error {
		c, err := s.db.RunCommandCursor(ctx, q)
		if mayReadAgain(err) { // the driver tries only its own reads again
			c, err = s.db.RunCommandCursor(ctx, q)
		}
		if err != nil {
			return err
		}
		return c.All(ctx, &docs)
	})
	return docs, err
}
