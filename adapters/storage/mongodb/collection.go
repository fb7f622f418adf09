package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/ports/outbound"
)

// collection is the documents D of one collection as snapshots S.
type collection[S, D any] struct {
	s        *Store
	name     string
	record   string // what errors call one
	key      func(S) string
	document func(S) (D, error)
	id       func(D) string
	snapshot func(D) (S, error)
	put      func(ctx context.Context, op string, docs []D) (refused []error, err error)
}

// restored returns how a document becomes a snapshot, by way of the aggregate's rules.
func restored[T, S, D any](restore func(D) (*T, error), snapshot func(*T) S) func(D) (S, error) {
	return func(d D) (s S, err error) {
		v, err := restore(d)
		if err != nil {
			return s, err
		}
		return snapshot(v), nil
	}
}

// Key implements outbound.Collection.
func (c collection[S, D]) Key(record S) string { return c.key(record) }

// Page implements outbound.Collection.
func (c collection[S, D]) Page(ctx context.Context, after string, limit int) ([]S, error) {
	op := "read a page of " + c.name
	docs, err := findAll[D](ctx, c.s, op, c.name, is("_id", compared("$gt", after)), is("_id", 1), 0, limit)
	if err != nil {
		return nil, err
	}
	out := make([]S, len(docs))
	for i, d := range docs {
		if out[i], err = c.snapshot(d); err != nil {
			return nil, fmt.Errorf("mongodb: %s: document %q: %w", op, c.id(d), err)
		}
	}
	return out, nil
}

// putAtOnce is how many documents one command stores: few enough for our patience.
const putAtOnce = 500

// Put implements outbound.Collection. Documents are stored one by one, whatever becomes of the others.
func (c collection[S, D]) Put(ctx context.Context, records []S) ([]error, error) {
	if len(records) == 0 {
		return nil, ctx.Err()
	}
	op := "put " + c.name
	docs := make([]D, len(records))
	for i, x := range records {
		var err error
		if docs[i], err = c.document(x); err != nil {
			return nil, fmt.Errorf("mongodb: %s: %s %q: %w", op, c.record, c.key(x), err)
		}
	}
	refused := make([]error, 0, len(docs))
	for len(refused) < len(docs) {
		end := min(len(refused)+putAtOnce, len(docs))
		of, err := c.put(ctx, op, docs[len(refused):end])
		if err != nil {
			return nil, err
		}
		refused = append(refused, of...)
	}
	return refused, nil
}

// putByID stores documents of which nothing but the id is unique.
func (c collection[S, D]) putByID(ctx context.Context, op string, docs []D) ([]error, error) {
	refused := make([]error, len(docs))
	taken, err := insertNew(ctx, c.s, op, c.name, docs)
	for _, i := range taken {
		refused[i] = outbound.ErrKeyTaken
	}
	return refused, err
}

// insertNew stores all documents but those that have something unique which another has, and returns where
// these stand.
func insertNew[D any](ctx context.Context, s *Store, op, collection string, docs []D) (taken []int, err error) {
	err = s.within(ctx, op, func(ctx context.Context) error {
		// Without an order the server goes on behind one that it refuses.
		_, err := s.collection(collection).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
		return err
	})
	if !onlyDuplicates(err) {
		return nil, err
	}
	if e, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		for _, w := range e.WriteErrors {
			taken = append(taken, w.Index)
		}
	}
	return taken, nil
}
