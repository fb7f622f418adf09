package sqltable

import (
	"context"
	"slices"

	"roster/ports/outbound"
)

// tries bounds the attempts to store rows that conflict with a concurrent transaction that then rolls back.
const tries = 4

// addNew stores each row unless its id or its other unique value is taken, by a stored row or by an earlier one of
// rows. It returns the reason of each refusal, or nil. The conflicting row may be gone when its reason is looked up;
// then the refused row is tried again.
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

// taking returns the indexes in left for which a stored row has the same value of a column.
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

// texts returns the set of the texts that a query selects.
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
