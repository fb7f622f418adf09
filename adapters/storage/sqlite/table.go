package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// table maps one aggregate to one table.
type table[T any] struct {
	name    string
	fields  []string       // what scan reads, in its order; id first
	derived []string       // what is written besides, for queries alone
	row     func(*T) []any // the values of fields and derived
	scan    func(scanner) (*T, error)
	next    func(*T, int64) (*T, error) // the same state under another version
	version func(*T) int64
	missing error           // the refusal when no row has the id
	fresh   func(string) *T // or else what there is then: one of version 0
	unique  string          // the column besides the id that is; "" for none
	taken   conflicts
	guard   func(ctx context.Context, q querier, op string, before, after *T) error // refuses a change; nil for none
}

func (t *table[T]) selectAll() string {
	return "SELECT " + strings.Join(t.fields, ", ") + " FROM " + t.name
}

func (t *table[T]) selectWhere(column string) string {
	return t.selectAll() + " WHERE " + column + " = ?"
}

func (t *table[T]) insert() string { return t.insertMany(1) }

func (t *table[T]) insertMany(rows int) string {
	columns := slices.Concat(t.fields, t.derived)
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES " + row + strings.Repeat(", "+row, rows-1)
}

// insertNew leaves rows alone that are there, and returns the ids of those that it adds. (INSERT OR IGNORE
// would also pass over defects.)
func (t *table[T]) insertNew(rows int) string {
	query := t.insertMany(rows) + " ON CONFLICT (id) DO NOTHING"
	if t.unique != "" {
		query += " ON CONFLICT (" + t.unique + ") DO NOTHING"
	}
	return query + " RETURNING id"
}

// selectPage reads so many rows behind an id.
func (t *table[T]) selectPage() string { return t.selectAll() + " WHERE id > ? ORDER BY id LIMIT ?" }

func (t *table[T]) countID() string { return "SELECT count(*) FROM " + t.name + " WHERE id = ?" }

func (t *table[T]) updateColumns(columns ...string) string {
	return "UPDATE " + t.name + " SET " + strings.Join(columns, " = ?, ") + " = ? WHERE id = ?"
}

// get reads the row whose column, which is unique, has a value.
func (t *table[T]) get(ctx context.Context, q querier, op, column, value string) (*T, error) {
	v, err := t.scan(q.QueryRowContext(ctx, t.selectWhere(column), value))
	if errors.Is(err, sql.ErrNoRows) {
		if t.fresh != nil {
			return t.fresh(value), nil
		}
		return nil, fmt.Errorf("sqlite: %s: %w", op, t.missing)
	}
	return v, translate(ctx, op, err)
}

// add stores a new row.
func (t *table[T]) add(ctx context.Context, q querier, op string, v *T) error {
	_, err := q.ExecContext(ctx, t.insert(), t.row(v)...)
	return t.taken.translate(ctx, op, err)
}

// list reads the rows that a statement finds, in its order.
func (t *table[T]) list(ctx context.Context, s *Store, op, query string, args []any) (found []*T, err error) {
	err = s.read(ctx, func(q querier) error {
		found, err = t.rows(ctx, q, query, args)
		return translate(ctx, op, err)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (t *table[T]) rows(ctx context.Context, q querier, query string, args []any) (found []*T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what there is to tell, rows.Err tells
	for rows.Next() {
		v, err := t.scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, rows.Err()
}

// writer is Store.write or Store.writeSoon.
type writer func(ctx context.Context, op string, f func(querier) error) error

// update applies change to the row with an id and returns the aggregate as stored. It writes the
// columns that differ, so that indexes over the others are left alone, and none when nothing does.
func (t *table[T]) update(ctx context.Context, write writer, op, id string, change func(*T) error) (out *T, err error) {
	err = write(ctx, op, func(q querier) error {
		v, err := t.get(ctx, q, op, "id", id)
		if err != nil {
			return err
		}
		former, before := *v, t.row(v)
		version := t.version(v)
		if err := change(v); err != nil {
			return err
		}
		if slices.Equal(before, t.row(v)) {
			out = v
			return nil
		}
		if t.guard != nil {
			if err := t.guard(ctx, q, op, &former, v); err != nil {
				return err
			}
		}
		if out, err = t.next(v, version+1); err != nil {
			return fmt.Errorf("sqlite: %s: %w", op, err)
		}
		if version == 0 {
			return t.add(ctx, q, op, out)
		}
		return t.save(ctx, q, op, before, t.row(out))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *table[T]) save(ctx context.Context, q querier, op string, before, after []any) error {
	var changed []string
	var args []any
	for i, column := range slices.Concat(t.fields, t.derived) {
		if before[i] != after[i] {
			changed = append(changed, column)
			args = append(args, after[i])
		}
	}
	args = append(args, before[0])
	_, err := q.ExecContext(ctx, t.updateColumns(changed...), args...)
	return t.taken.translate(ctx, op, err)
}

// restored names in err which row broke a rule.
func restored[T any](id string, v *T, err error) (*T, error) {
	if err != nil {
		return nil, fmt.Errorf("row %q: %w", id, err)
	}
	return v, nil
}

// millis is a time as stored.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// micros is a time of a user as stored.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// ofMicros is a time of a user as read.
func ofMicros(us sql.Null[int64]) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.V).UTC()
}

// instant is a time as read.
func instant(ms sql.Null[int64]) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.V).UTC()
}
