package sqltable

import (
	"context"
	"slices"

	"roster/ports/outbound"
)

// tries is how often rows are stored that another transaction keeps out, and makes room for.
const tries = 4

// addNew stores those rows of which the id and the other unique value are free, or become so by no row before
// them, and says why each of the others is refused. What kept a row out may be gone when it is looked for; such a
// row is tried again.
func (t *Table[T, S]) addNew(ctx context.Context, q Querier, op string, rows [][]any) ([]error, error) {
	refused := make([]error, len(rows))
	unique, refusals := []string{t.Columns[0].Name}, []error{outbound.ErrKeyTaken}
	if t.unique != "" {
		unique, refusals = append(unique, t.unique), append(refusals, t.taken.Unique)
	}
	left := make([]int, len(rows)) // to be stored
	for i := range left {
		left[i] = i
	}
	for range tries {
		some := make([][]any, len(left))
		for i, nth := range left {
			some[i] = rows[nth]
		}
		query, args := t.d.InsertNew(t.Name, t.Columns, some, unique...)
		stored, err := texts(ctx, q, query+" RETURNING "+unique[0], args)
		if err != nil {
			return nil, t.failure(ctx, op, err)
		}
		left = slices.DeleteFunc(left, func(nth int) bool {
			id := rows[nth][0]
			is := stored[id]
			delete(stored, id) // so that another row with the same id counts as left
			return is
		})
		for i, column := range unique {
			taken, err := t.taking(ctx, q, column, rows, left)
			if err != nil {
				return nil, t.failure(ctx, op, err)
			}
			left = slices.DeleteFunc(left, func(nth int) bool {
				if taken[nth] {
					refused[nth] = refusals[i]
				}
				return taken[nth]
			})
		}
		if len(left) == 0 {
			return refused, nil
		}
	}
	return nil, t.d.refused(op, ErrOvertaken)
}

// taking returns for which of the rows left a row is there with the same value of a column.
func (t *Table[T, S]) taking(ctx context.Context, q Querier, column string, rows [][]any, left []int) (map[int]bool, error) {
	if len(left) == 0 {
		return nil, nil
	}
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
	values := make([]string, len(left))
	for j, nth := range left {
		values[j] = asText(rows[nth][i])
	}
	query, args := t.d.SelectAny(t.Name, column, values)
	there, err := texts(ctx, q, query, args)
	taken := map[int]bool{}
	for _, nth := range left {
		taken[nth] = there[rows[nth][i]]
	}
	return taken, err
}

// texts returns the texts that a query finds.
func texts(ctx context.Context, q Querier, query string, args []any) (map[any]bool, error) {
	found := map[any]bool{}
	err := q.QueryEach(ctx, query, args, func(row Row) error {
		var text string
		err := row.Scan(&text)
		found[text] = true
		return err
	})
	return found, err
}
