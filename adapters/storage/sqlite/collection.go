package sqlite

import (
	"context"
	"fmt"

	"roster/ports/outbound"
)

// collection is the rows of one table as snapshots S.
type collection[T, S any] struct {
	s        *Store
	table    *table[T]
	record   string // what errors call one
	key      func(S) string
	restore  func(S) (*T, error)
	snapshot func(*T) S
	stored   func(ctx context.Context, q querier, op string, records []S) error // what else to write; may be nil
}

// Key implements outbound.Collection.
func (c collection[T, S]) Key(record S) string { return c.key(record) }

// Page implements outbound.Collection.
func (c collection[T, S]) Page(ctx context.Context, after string, limit int) ([]S, error) {
	found, err := c.table.list(ctx, c.s, "read a page of "+c.table.name, c.table.selectPage(), []any{after, max(limit, 0)})
	if err != nil {
		return nil, err
	}
	out := make([]S, len(found))
	for i, v := range found {
		out[i] = c.snapshot(v)
	}
	return out, nil
}

// Put implements outbound.Collection. All is stored, or nothing. Other writes wait meanwhile: the more
// records, the longer.
func (c collection[T, S]) Put(ctx context.Context, records []S) ([]error, error) {
	op := "put " + c.table.name
	vs := make([]*T, len(records))
	for i, x := range records {
		var err error
		if vs[i], err = c.restore(x); err != nil {
			return nil, fmt.Errorf("sqlite: %s: %s %q: %w", op, c.record, c.key(x), err)
		}
	}
	refused := make([]error, 0, len(records))
	err := c.s.writeMuch(ctx, op, func(q querier) error {
		for len(refused) < len(vs) {
			n := min(len(vs)-len(refused), putAtOnce)
			of, err := c.table.addNew(ctx, q, op, vs[len(refused):len(refused)+n])
			if err != nil {
				return err
			}
			refused = append(refused, of...)
		}
		if c.stored == nil {
			return nil
		}
		var stored []S
		for i, x := range records {
			if refused[i] == nil {
				stored = append(stored, x)
			}
		}
		return c.stored(ctx, q, op, stored)
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

// putAtOnce is how many rows one statement stores. The index over trigrams takes what one statement adds
// in one go, so that more at once cost less each; a statement has 32,766 arguments at most.
const putAtOnce = 250

// addNew stores those rows whose id and other unique value are free, or become so by no row before them,
// and says why each of the others is refused.
func (t *table[T]) addNew(ctx context.Context, q querier, op string, vs []*T) ([]error, error) {
	args := make([]any, 0, len(vs)*(len(t.fields)+len(t.derived)))
	ids := make([]any, len(vs))
	for i, v := range vs {
		row := t.row(v)
		ids[i] = row[0]
		args = append(args, row...)
	}
	stored, err := t.insertedBy(ctx, q, t.insertNew(len(vs)), args)
	if err != nil {
		return nil, translate(ctx, op, err)
	}
	refused := make([]error, len(vs))
	for i, id := range ids {
		if stored[id] {
			delete(stored, id) // so that another of the same id has not been
			continue
		}
		if refused[i], err = t.refusal(ctx, q, op, id); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// insertedBy runs a statement that returns the ids of the rows that it adds.
func (t *table[T]) insertedBy(ctx context.Context, q querier, query string, args []any) (ids map[any]bool, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what there is to tell, rows.Err tells
	ids = map[any]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids[id] = true
	}
	return ids, rows.Err()
}

// refusal says which of its unique values kept a row from being stored.
func (t *table[T]) refusal(ctx context.Context, q querier, op string, id any) (refusal, err error) {
	if t.taken.other == nil {
		return outbound.ErrKeyTaken, nil
	}
	var n int
	if err := q.QueryRowContext(ctx, t.countID(), id).Scan(&n); err != nil {
		return nil, translate(ctx, op, err)
	}
	if n > 0 {
		return outbound.ErrKeyTaken, nil
	}
	return t.taken.other, nil
}
