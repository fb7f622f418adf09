package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// table maps one aggregate to one table.
type table[T any] struct {
	name    string
	fields  []string       // what scan reads, in its order; id first
	derived []string       // what is written besides, for queries alone
	row     func(*T) []any // the values of fields and derived
	scan    func(pgx.Row) (*T, error)
	next    func(*T, int64) (*T, error) // the same state under another version
	version func(*T) int64
	missing error                                                                   // the refusal when no row has the id
	fresh   func(string) *T                                                         // or else what there is then: one of version 0
	unique  string                                                                  // the column besides the id that is; "" for none
	taken   error                                                                   // the refusal when its value is
	guard   func(ctx context.Context, q querier, op string, before, after *T) error // refuses a change; nil for none
}

func (t *table[T]) selectAll() string {
	return "SELECT " + strings.Join(t.fields, ", ") + " FROM " + t.name
}

func (t *table[T]) selectWhere(column string) string {
	return t.selectAll() + " WHERE " + column + " = $1"
}

// selectPage reads so many rows behind an id.
func (t *table[T]) selectPage() string { return t.selectAll() + " WHERE id > $1 ORDER BY id LIMIT $2" }

// selectToChange reads a row that nobody else may change until the transaction ends.
func (t *table[T]) selectToChange() string { return t.selectWhere("id") + " FOR UPDATE" }

func (t *table[T]) insert() string {
	columns := slices.Concat(t.fields, t.derived)
	places := make([]string, len(columns))
	for i := range places {
		places[i] = place(i + 1)
	}
	return "INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
}

func (t *table[T]) deleteOne() string { return "DELETE FROM " + t.name + " WHERE id = $1" }

// get reads the row that a query finds by a value.
func (t *table[T]) get(ctx context.Context, q querier, op, query, value string) (*T, error) {
	if !storable(value) {
		return t.absent(op, value)
	}
	v, err := t.scan(q.QueryRow(ctx, query, value))
	if errors.Is(err, pgx.ErrNoRows) {
		return t.absent(op, value)
	}
	return v, translate(ctx, op, err)
}

func (t *table[T]) absent(op, id string) (*T, error) {
	if t.fresh != nil {
		return t.fresh(id), nil
	}
	return nil, fmt.Errorf("postgres: %s: %w", op, t.missing)
}

// add stores a new row.
func (t *table[T]) add(ctx context.Context, q querier, op string, v *T) error {
	_, err := q.Exec(ctx, t.insert(), t.row(v)...)
	return translate(ctx, op, err)
}

// addFirst stores a new row, unless somebody else was faster: errOvertaken.
func (t *table[T]) addFirst(ctx context.Context, q querier, op string, v *T) error {
	result, err := q.Exec(ctx, t.insertFirst(), t.row(v)...)
	if err == nil && result.RowsAffected() == 0 {
		return fmt.Errorf("postgres: %s: %w", op, errOvertaken)
	}
	return translate(ctx, op, err)
}

func (t *table[T]) insertFirst() string { return t.insert() + " ON CONFLICT (id) DO NOTHING" }

// list reads the rows that a statement finds, in its order.
func (t *table[T]) list(ctx context.Context, s *Store, op, query string, args []any) (found []*T, err error) {
	err = s.read(ctx, func(ctx context.Context, c querier) error {
		found = nil
		rows, err := c.Query(ctx, query, append([]any{s.listing}, args...)...)
		if err != nil {
			return translate(ctx, op, err)
		}
		defer rows.Close()
		for rows.Next() {
			v, err := t.scan(rows)
			if err != nil {
				return translate(ctx, op, err)
			}
			found = append(found, v)
		}
		return translate(ctx, op, rows.Err())
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// writer is Store.write or Store.writeSoon.
type writer func(ctx context.Context, op string, f func(context.Context, querier) error) error

// update applies change to the row with an id and returns the aggregate as stored. It writes the
// columns that differ, so that indexes over the others are left alone, and none when nothing does.
func (t *table[T]) update(ctx context.Context, write writer, op, id string, change func(*T) error) (out *T, err error) {
	err = write(ctx, op, func(ctx context.Context, q querier) error {
		v, err := t.get(ctx, q, op, t.selectToChange(), id)
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
			return fmt.Errorf("postgres: %s: %w", op, err)
		}
		if version == 0 {
			return t.addFirst(ctx, q, op, out)
		}
		return t.save(ctx, q, op, before, t.row(out))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *table[T]) save(ctx context.Context, q querier, op string, before, after []any) error {
	var set []string
	var args []any
	for i, column := range slices.Concat(t.fields, t.derived) {
		if before[i] != after[i] {
			args = append(args, after[i])
			set = append(set, column+" = "+place(len(args)))
		}
	}
	args = append(args, before[0])
	_, err := q.Exec(ctx, "UPDATE "+t.name+" SET "+strings.Join(set, ", ")+" WHERE id = "+place(len(args)), args...)
	return translate(ctx, op, err)
}

// place is where the nth argument goes in a statement.
func place(n int) string { return "$" + strconv.Itoa(n) }

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
func ofMicros(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return time.UnixMicro(*us).UTC()
}

// instant is a time as read.
func instant(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}

// storable reports whether the server can hold s: it refuses NUL and what is not UTF-8.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// plain returns s without what the server cannot hold.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
