package sqltable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Table keeps the aggregates T, each with a state S, in one table.
type Table[T any, S any] struct {
	Name    string
	Columns []Column
	Statements

	db       DB
	d        *Dialect
	fields   []field[S] // the id first, derived fields last
	read     int        // the number of fields that are read: all but the derived ones
	snapshot func(*T) S
	restore  func(S) (*T, error)
	version  func(*S) *int64 // nil if rows never change
	missing  error           // the error when no row has the id, if fresh is nil
	fresh    func(string) *T // returns an aggregate of version 0 when no row has the id
	unique   string          // the unique column besides the id; "" for none
	taken    Conflicts
}

// Statements are the statements of a table that are the same for every call. Argument 1 is the id, or the value of
// the other unique column.
type Statements struct {
	Select       string // all columns of all rows: the beginning of a query
	SelectByID   string
	SelectUnique string // by the other unique column
	SelectToSet  string // locks the row
	SelectPage   string // the rows after an id in order of id, at most as many as argument 2
	Insert       string
	InsertOnce   string // does nothing if a row has the same id
	Delete       string
}

// newTable completes t, which has the name, the fields and the functions of the aggregate.
func newTable[T, S any](db DB, d *Dialect, t Table[T, S]) *Table[T, S] {
	t.db, t.d, t.read = db, d, len(t.fields)
	for _, f := range t.fields {
		t.Columns = append(t.Columns, f.Column)
	}
	for t.fields[t.read-1].into == nil {
		t.read--
	}
	first, id := d.argument(1), t.Columns[0].Name
	t.Select = "SELECT " + names(t.Columns[:t.read]) + " FROM " + t.Name
	t.SelectByID = t.Select + " WHERE " + id + " = " + first
	if t.unique != "" {
		t.SelectUnique = t.Select + " WHERE " + t.unique + " = " + first
	}
	t.SelectToSet = t.SelectByID + d.ForUpdate
	t.SelectPage = t.Select + " WHERE " + id + " > " + first + " ORDER BY " + id + " LIMIT " + d.argument(2)
	arguments := make([]string, len(t.Columns))
	for i := range arguments {
		arguments[i] = d.argument(i + 1)
	}
	t.Insert = "INSERT INTO " + t.Name + " (" + names(t.Columns) + ") VALUES (" + strings.Join(arguments, ", ") + ")"
	t.InsertOnce = t.Insert + " ON CONFLICT (" + id + ") DO NOTHING"
	t.Delete = "DELETE FROM " + t.Name + " WHERE " + id + " = " + first
	return &t
}

func names(columns []Column) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return strings.Join(out, ", ")
}

// qualified returns the columns that are read, each qualified by an alias of the table.
func (t *Table[T, S]) qualified(alias string) string {
	return alias + "." + strings.ReplaceAll(names(t.Columns[:t.read]), ", ", ", "+alias+".")
}

// Update returns the statement that sets some columns of the row with an id, which is the last argument.
func (t *Table[T, S]) Update(columns ...string) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = " + t.d.argument(i+1)
	}
	return "UPDATE " + t.Name + " SET " + strings.Join(set, ", ") + " WHERE " + t.Columns[0].Name + " = " + t.d.argument(len(set)+1)
}

// failure translates an error of the database.
func (t *Table[T, S]) failure(ctx context.Context, op string, err error) error {
	return t.db.Failure(ctx, op, err, t.taken)
}

// refused adds the database and the operation to an error of the domain.
func (d *Dialect) refused(op string, err error) error {
	return fmt.Errorf("%s: %s: %w", d.Name, op, err)
}

// values returns the values of s in the order of Columns.
func (t *Table[T, S]) values(s *S) []any {
	out := make([]any, len(t.fields))
	for i, f := range t.fields {
		out[i] = f.value(s)
		if f.lossy {
			out[i] = t.d.sanitize(out[i])
		}
	}
	return out
}

// check is values, or an error when s cannot be stored.
func (t *Table[T, S]) check(s *S) ([]any, error) {
	for _, f := range t.fields {
		if f.check != nil {
			if err := f.check(s); err != nil {
				return nil, err
			}
		}
	}
	row := t.values(s)
	for _, v := range row {
		if text, ok := v.(string); ok && !t.d.storable(text) {
			return nil, errNotStorable
		}
	}
	return row, nil
}

var errNotStorable = errors.New("it holds NUL, or what is not UTF-8, where that cannot be replaced")

// scan reads an aggregate. Errors name a row that breaks a rule.
func (t *Table[T, S]) scan(row Row) (*T, error) {
	var r scanner[T, S]
	if err := row.Scan(r.into(t, make([]any, 0, t.read))...); err != nil {
		return nil, err
	}
	return r.restore()
}

// scanner reads one aggregate from the columns of a row.
type scanner[T, S any] struct {
	t     *Table[T, S]
	state S
	texts []string
}

// into appends the destinations for Scan of the columns that are read.
func (r *scanner[T, S]) into(t *Table[T, S], to []any) []any {
	r.t, r.texts = t, make([]string, t.read)
	for i := range r.texts {
		to = append(to, t.fields[i].into(&r.state, &r.texts[i]))
	}
	return to
}

// restore returns the aggregate once Scan has set the destinations.
func (r *scanner[T, S]) restore() (*T, error) {
	for i, text := range r.texts {
		if take := r.t.fields[i].take; take != nil {
			take(&r.state, text)
		}
	}
	v, err := r.t.restore(r.state)
	if err != nil {
		return nil, fmt.Errorf("row %q: %w", r.t.key(&r.state), err)
	}
	return v, nil
}

// key returns the id of s as stored.
func (t *Table[T, S]) key(s *S) string { return asText(t.fields[0].value(s)) }

func asText(v any) string { s, _ := v.(string); return s }

// find reads the aggregate that a query selects by a value.
func (t *Table[T, S]) find(ctx context.Context, op, query, value string) (v *T, err error) {
	err = t.db.Read(ctx, func(ctx context.Context, q Querier) error {
		v, err = t.get(ctx, q, op, query, value)
		return err
	})
	return v, err
}

func (t *Table[T, S]) get(ctx context.Context, q Querier, op, query, value string) (*T, error) {
	if !t.d.storable(value) {
		return t.absent(op, value)
	}
	v, err := t.scan(q.QueryRow(ctx, query, value))
	if errors.Is(err, sql.ErrNoRows) {
		return t.absent(op, value)
	}
	return v, t.failure(ctx, op, err)
}

func (t *Table[T, S]) absent(op, id string) (*T, error) {
	if t.fresh != nil {
		return t.fresh(id), nil
	}
	return nil, t.d.refused(op, t.missing)
}

// List reads the aggregates that a query selects, in its order.
func (t *Table[T, S]) List(ctx context.Context, op, query string, args []any) (found []*T, err error) {
	err = t.db.Read(ctx, func(ctx context.Context, q Querier) (err error) {
		found, err = t.Rows(ctx, q, query, args)
		return t.failure(ctx, op, err)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Rows is List in the transaction of q, and returns the errors of q unchanged.
func (t *Table[T, S]) Rows(ctx context.Context, q Querier, query string, args []any) (found []*T, err error) {
	var r scanner[T, S] // of all rows: each Scan sets every destination anew
	into := r.into(t, make([]any, 0, t.read))
	err = q.QueryEach(ctx, query, args, func(row Row) error {
		if err := row.Scan(into...); err != nil {
			return err
		}
		v, err := r.restore()
		found = append(found, v)
		return err
	})
	return found, err
}

// add stores a new row.
func (t *Table[T, S]) add(ctx context.Context, q Querier, op string, s S) error {
	row, err := t.check(&s)
	if err != nil {
		return t.d.refused(op, err)
	}
	return later(ctx, q, t.Insert, row, func(err error) error { return t.failure(ctx, op, err) })
}

// addFirst stores a new row, or fails with ErrOvertaken when another instance has just added one with the same id.
func (t *Table[T, S]) addFirst(ctx context.Context, q Querier, op string, s S) error {
	added, err := q.Exec(ctx, t.InsertOnce, t.values(&s)...)
	if err == nil && added == 0 {
		return t.d.refused(op, ErrOvertaken)
	}
	return t.failure(ctx, op, err)
}

// addOnce stores new rows. It skips those with ids that are stored already.
func (t *Table[T, S]) addOnce(ctx context.Context, op string, states []S) error {
	if len(states) == 0 {
		return ctx.Err()
	}
	rows := make([][]any, len(states))
	for i := range states {
		rows[i] = t.values(&states[i])
	}
	// Callers that add the same rows do so in the same order. Otherwise they could deadlock.
	slices.SortStableFunc(rows, func(a, b []any) int { return strings.Compare(asText(a[0]), asText(b[0])) })
	mode := Statement
	if len(rows) > t.d.RowsPerStatement {
		mode = Durable
	}
	return t.db.Write(ctx, op, mode, func(ctx context.Context, q Querier) error {
		for some := range slices.Chunk(rows, t.d.RowsPerStatement) {
			query, args := t.InsertOnce, some[0]
			if len(some) > 1 {
				query, args = t.d.InsertNew(t.Name, t.Columns, some, t.Columns[0].Name)
			}
			if _, err := q.Exec(ctx, query, args...); err != nil {
				return t.failure(ctx, op, err)
			}
		}
		return nil
	})
}

// addLater stores a row in the transaction of q, unless its id is stored already.
func (t *Table[T, S]) addLater(ctx context.Context, q Querier, op string, s S) error {
	return later(ctx, q, t.InsertOnce, t.values(&s), func(err error) error { return t.failure(ctx, op, err) })
}

// update applies change to the row with an id and returns the aggregate as stored. It writes only the columns that
// change, so that indexes over the others need no update. guard, unless nil, may refuse the change. record, unless
// nil, stores the events of the change.
func (t *Table[T, S]) update(
	ctx context.Context, op string, m Mode, id string, change func(*T) error,
	guard func(ctx context.Context, q Querier, before S, after *T) error, record func(ctx context.Context, q Querier, op string) error,
) (out *T, err error) {
	err = t.db.Write(ctx, op, m, func(ctx context.Context, q Querier) error {
		v, err := t.get(ctx, q, op, t.SelectToSet, id)
		if err != nil {
			return err
		}
		former := t.snapshot(v)
		if err := change(v); err != nil {
			return err
		}
		if out, err = t.replace(ctx, q, op, former, v, guard); err != nil || record == nil {
			return err
		}
		return record(ctx, q, op)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// replace stores v, whose stored state is former, and returns it as stored.
func (t *Table[T, S]) replace(
	ctx context.Context, q Querier, op string, former S, v *T, guard func(ctx context.Context, q Querier, before S, after *T) error,
) (*T, error) {
	s := t.snapshot(v)
	before := t.values(&former)
	if slices.Equal(before, t.values(&s)) {
		return v, nil
	}
	if guard != nil {
		if err := guard(ctx, q, former, v); err != nil {
			return nil, err
		}
	}
	version := *t.version(&former)
	*t.version(&s) = version + 1
	out, err := t.restore(s)
	switch {
	case err != nil:
		return nil, t.d.refused(op, err)
	case version == 0:
		return out, t.addFirst(ctx, q, op, s)
	}
	return out, t.save(ctx, q, op, before, t.values(&s))
}

func (t *Table[T, S]) save(ctx context.Context, q Querier, op string, before, after []any) error {
	var changed []string
	var args []any
	for i, c := range t.Columns {
		if before[i] != after[i] {
			changed, args = append(changed, c.Name), append(args, after[i])
		}
	}
	return later(ctx, q, t.Update(changed...), append(args, before[0]), func(err error) error { return t.failure(ctx, op, err) })
}

// delete runs a statement that deletes rows, and returns how many.
func (t *Table[T, S]) delete(ctx context.Context, op, query string, args ...any) (int, error) {
	var deleted int64
	err := t.db.Write(ctx, op, Statement, func(ctx context.Context, q Querier) (err error) {
		deleted, err = q.Exec(ctx, query, args...)
		return t.failure(ctx, op, err)
	})
	if err != nil {
		return 0, err
	}
	return int(deleted), nil
}
