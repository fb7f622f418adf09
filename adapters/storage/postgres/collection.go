package postgres

import (
	"context"
	"errors"
	"fmt"
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
	found, err := c.table.list(ctx, c.s, "read a page of "+c.table.name, c.table.selectPage(), []any{plain(after), int64(max(limit, 0))})
	if err != nil {
		return nil, err
	}
	out := make([]S, len(found))
	for i, v := range found {
		out[i] = c.snapshot(v)
	}
	return out, nil
}

// putAtOnce is how many rows one transaction stores: few enough for the store's patience.
const putAtOnce = 500

// Put implements outbound.Collection. It stores all of putAtOnce records, or none of them.
func (c collection[T, S]) Put(ctx context.Context, records []S) ([]error, error) {
	op := "put " + c.table.name
	rows := make([][]any, len(records))
	for i, x := range records {
		v, err := c.restore(x)
		if err == nil {
			rows[i], err = storableRow(c.table.row(v))
		}
		if err != nil {
			return nil, fmt.Errorf("postgres: %s: %s %q: %w", op, c.record, c.key(x), err)
		}
	}
	refused := make([]error, 0, len(records))
	for first := 0; first == 0 || first < len(rows); first += putAtOnce {
		end := min(first+putAtOnce, len(rows))
		of, err := c.putSome(ctx, op, records[first:end], rows[first:end])
		if err != nil {
			return nil, err
		}
		refused = append(refused, of...)
	}
	return refused, nil
}

// oneByOne makes transactions that do the same thing, which its argument names, wait for each other until
// they end. Of Puts into one table those with the same rows in other orders would else stop each other again
// and again.
const oneByOne = "SELECT pg_advisory_xact_lock(hashtextextended('roster: ' || $1::text, 0))"

// putSome stores records, whose rows are given, in one transaction.
func (c collection[T, S]) putSome(ctx context.Context, op string, records []S, rows [][]any) (refused []error, err error) {
	err = c.s.write(ctx, op, func(ctx context.Context, q querier) (err error) {
		if _, err := q.Exec(ctx, oneByOne, op); err != nil {
			return translate(ctx, op, err)
		}
		if refused, err = c.table.addNew(ctx, q, op, rows); err != nil || c.stored == nil {
			return err
		}
		var stored []S
		for i, x := range records {
			if refused[i] == nil {
				stored = append(stored, x)
			}
		}
		return c.stored(ctx, q, op, stored)
	})
	return refused, err
}

var errNotStorable = errors.New("it holds NUL, or what is not UTF-8, where that cannot be replaced")

// storableRow returns row, or an error when the server cannot hold a value of it.
func storableRow(row []any) ([]any, error) {
	for _, v := range row {
		if text, ok := v.(string); ok && !storable(text) {
			return nil, errNotStorable
		}
	}
	return row, nil
}
