package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/ports/outbound"
)

// collection is the documents of a table as states S.
type collection[T, S any, D comparable] struct {
	*table[T, S, D]
	s   *Store
	put func(ctx context.Context, s *Store, op string, docs []D) (refused []error, err error)

	// left returns those of a change, which a crash may have left in a document; nil for none. See outbox.
	left func(effects) []D
}

func (c collection[T, S, D]) Key(record S) string { return c.id(c.document(record)) }

func (c collection[T, S, D]) Page(ctx context.Context, after string, limit int) ([]S, error) {
	left, err := c.leftAfter(ctx, after, limit) // before the rest, since the service moves them there
	if err != nil {
		return nil, err
	}
	q := lookup{Find: c.name, Filter: is("_id", compared("$gt", after)), Sort: is("_id", 1)}
	found, err := c.list(ctx, c.s, "read a page of "+c.name, q, limit)
	if err != nil {
		return nil, err
	}
	out := make([]S, len(found))
	for i, v := range found {
		out[i] = c.snapshot(v)
	}
	if len(left) == 0 {
		return out, nil
	}
	return c.first(append(out, left...), limit), nil
}

// leftAfter returns the first records after a key that a crash left in documents. A command that only reads, such as an
// export, cannot move them to their collection.
func (c collection[T, S, D]) leftAfter(ctx context.Context, after string, limit int) (left []S, err error) {
	if c.left == nil || limit < 1 {
		return nil, ctx.Err()
	}
	for _, of := range []string{userTable.name, sessionTable.name} {
		for last, more := "", true; more; {
			q := lookup{
				Find: of, Filter: append(slices.Clip(withEffects), is("_id", compared("$gt", last))...), Sort: is("_id", 1), Projection: onlyEffects,
			}
			found, err := findAll[outbox[versioned]](ctx, c.s, "find effects", q, putAtOnce)
			if err != nil {
				return nil, err
			}
			for _, d := range found {
				for _, x := range c.left(d.Effects) {
					if c.id(x) > after {
						left = append(left, c.state(x))
					}
				}
				last = d.Document.ID
			}
			left, more = c.first(left, limit), len(found) == putAtOnce
		}
	}
	return left, nil
}

// first returns the records with the first keys. Of those with the same key it takes the first.
func (c collection[T, S, D]) first(records []S, limit int) []S {
	slices.SortStableFunc(records, func(a, b S) int { return strings.Compare(c.Key(a), c.Key(b)) })
	records = slices.CompactFunc(records, func(a, b S) bool { return c.Key(a) == c.Key(b) })
	return records[:min(max(limit, 0), len(records))]
}

// putAtOnce is how many documents one command stores: few enough for oneCommand.
const putAtOnce = 500

// Put stores one by one, whatever becomes of the others.
func (c collection[T, S, D]) Put(ctx context.Context, records []S) ([]error, error) {
	if len(records) == 0 {
		return nil, ctx.Err()
	}
	op := "put " + c.name
	docs := make([]D, len(records))
	for i, x := range records {
		var err error
		if docs[i], err = c.checked(x); err != nil {
			return nil, fmt.Errorf("mongodb: %s: %s %q: %w", op, c.record, c.Key(x), err)
		}
	}
	refused := make([]error, 0, len(docs))
	for some := range slices.Chunk(docs, putAtOnce) {
		of, err := c.put(ctx, c.s, op, some)
		if err != nil {
			return nil, err
		}
		refused = append(refused, of...)
	}
	return refused, nil
}

// putByID stores documents of which only the id is unique.
func (t *table[T, S, D]) putByID(ctx context.Context, s *Store, op string, docs []D) ([]error, error) {
	refused := make([]error, len(docs))
	err := s.within(ctx, op, func(ctx context.Context) error {
		// Without an order the server goes on after a document that it refuses.
		_, err := s.collection(t.name).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
		return err
	})
	if !onlyDuplicates(err) {
		return refused, err
	}
	if e, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		for _, w := range e.WriteErrors {
			refused[w.Index] = outbound.ErrKeyTaken
		}
	}
	return refused, nil
}
