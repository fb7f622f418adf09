package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"roster/ports/outbound"
)

// insertAll adds any number of rows, in their order. It takes each column as an array, so that it is one
// statement however many there are.
func (t *table[T]) insertAll() string {
	names := slices.Concat(t.fields, t.derived)
	arrays := make([]string, len(names))
	for i, name := range names {
		arrays[i] = place(i+1) + "::" + typeOf(name) + "[]"
	}
	columns := strings.Join(names, ", ")
	return "INSERT INTO " + t.name + " (" + columns + ") SELECT " + columns +
		" FROM unnest(" + strings.Join(arrays, ", ") + ") WITH ORDINALITY AS given (" + columns + ", nth) ORDER BY nth"
}

// insertNew leaves rows alone that are there, and returns the ids of those that it adds. It waits for
// whoever is about to add one of them.
func (t *table[T]) insertNew() string { return t.insertAll() + " ON CONFLICT DO NOTHING RETURNING id" }

// selectAny returns those of many values that a column has.
func (t *table[T]) selectAny(column string) string {
	return "SELECT " + column + " FROM " + t.name + " WHERE " + column + " = ANY($1::text[])"
}

// typeOf returns the type of a column, which has the same in every table.
func typeOf(column string) string {
	switch column {
	case "active", "staff":
		return "boolean"
	case "joined_us", "last_login_us", "session_epoch", "sessions_valid_after_us", "version", // of users
		"epoch", "created", "expires", "generation", "rotated_at", "used_at", "revoked_at", "failures", "last", "at":
		return "bigint"
	}
	return "text"
}

// columns returns rows as the arguments of insertAll. Their types are such that the driver need not ask
// the server for them.
func (t *table[T]) columns(rows [][]any) []any {
	names := slices.Concat(t.fields, t.derived)
	out := make([]any, len(names))
	for i, name := range names {
		switch typeOf(name) {
		case "boolean":
			out[i] = column(rows, i, func(v any) bool { b, _ := v.(bool); return b })
		case "bigint":
			out[i] = column(rows, i, func(v any) *int64 {
				if n, ok := v.(int64); ok {
					return &n
				}
				return nil
			})
		default:
			out[i] = column(rows, i, text)
		}
	}
	return out
}

func column[V any](rows [][]any, i int, value func(any) V) []V {
	out := make([]V, len(rows))
	for j, row := range rows {
		out[j] = value(row[i])
	}
	return out
}

func text(v any) string { s, _ := v.(string); return s }

// addNew stores those rows whose id and other unique value are free, or become so by no row before them,
// and says why each of the others is refused. What kept a row from being stored may be gone when it is
// looked for; such a row is tried again.
func (t *table[T]) addNew(ctx context.Context, q querier, op string, rows [][]any) ([]error, error) {
	refused := make([]error, len(rows))
	left := make([]int, len(rows)) // to be stored
	for i := range left {
		left[i] = i
	}
	for range tries {
		some := make([][]any, len(left))
		for i, nth := range left {
			some[i] = rows[nth]
		}
		stored, err := valuesOf(ctx, q, t.insertNew(), t.columns(some)...)
		if err != nil {
			return nil, translate(ctx, op, err)
		}
		left = slices.DeleteFunc(left, func(nth int) bool {
			id := rows[nth][0]
			is := stored[id]
			delete(stored, id) // so that another of the same id has not been
			return is
		})
		if len(left) == 0 {
			return refused, nil
		}
		if left, err = t.refuse(ctx, q, rows, left, refused); err != nil {
			return nil, translate(ctx, op, err)
		}
		if len(left) == 0 {
			return refused, nil
		}
	}
	return nil, fmt.Errorf("postgres: %s: %w", op, errOvertaken)
}

// refuse says in refused what stands against those rows that are left, and returns those against which
// nothing stands any more.
func (t *table[T]) refuse(ctx context.Context, q querier, rows [][]any, left []int, refused []error) ([]int, error) {
	names := slices.Concat(t.fields, t.derived)
	for _, unique := range []struct {
		column  string
		refusal error
	}{{"id", outbound.ErrKeyTaken}, {t.unique, t.taken}} {
		if unique.column == "" || len(left) == 0 {
			break
		}
		i := slices.Index(names, unique.column)
		values := make([]string, len(left))
		for j, nth := range left {
			values[j] = text(rows[nth][i])
		}
		there, err := valuesOf(ctx, q, t.selectAny(unique.column), values)
		if err != nil {
			return nil, err
		}
		left = slices.DeleteFunc(left, func(nth int) bool {
			if there[rows[nth][i]] {
				refused[nth] = unique.refusal
			}
			return there[rows[nth][i]]
		})
	}
	return left, nil
}

// valuesOf runs a query and returns the texts that it finds.
func valuesOf(ctx context.Context, q querier, query string, args ...any) (map[any]bool, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	out := make(map[any]bool, len(found))
	for _, v := range found {
		out[v] = true
	}
	return out, err
}
