package sqltable

import (
	"context"
	"errors"
	"strconv"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/user"
)

// Row is a row of a result. Scan fails with sql.ErrNoRows when there is none.
type Row interface{ Scan(dest ...any) error }

// Querier runs statements, in a transaction or each in its own.
type Querier interface {
	QueryRow(ctx context.Context, query string, args ...any) Row
	// QueryEach calls f with each row that a query finds, until f fails.
	QueryEach(ctx context.Context, query string, args []any, f func(Row) error) error
	// Exec returns how many rows were written.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
}

// Batcher is a Querier of a transaction that can run a statement later, no later than at the end. When the statement fails,
// so does the transaction, with what failed makes of the error.
type Batcher interface {
	Later(query string, args []any, failed func(error) error)
}

// later runs a statement whose result is not needed: when the transaction ends if that saves time, or at once.
func later(ctx context.Context, q Querier, query string, args []any, failed func(error) error) error {
	if b, ok := q.(Batcher); ok {
		b.Later(query, args, failed)
		return nil
	}
	_, err := q.Exec(ctx, query, args...)
	return failed(err)
}

// Work is what Read and Write run. It may run several times, and only its last run counts.
type Work func(context.Context, Querier) error

// Mode says what a write needs.
type Mode int

// What a write may need.
const (
	Durable   Mode = iota // a transaction, on the disk when it is acknowledged
	Soon                  // a transaction that a crash may undo
	Bulk                  // as Durable, with very many rows
	Statement             // as Durable, but one statement that does no harm when it is run again
)

// DB is a database.
type DB interface {
	// Read runs f outside of a transaction and returns its error as it is.
	Read(ctx context.Context, f Work) error
	// Write runs f in a transaction, which it needs not have for a Statement. When f fails nothing is stored,
	// and Write returns its error as it is.
	Write(ctx context.Context, op string, m Mode, f Work) error
	// Serialize makes the transaction of q wait until no other does the same thing, which what names.
	Serialize(ctx context.Context, q Querier, what string) error
	// Failure gives err, which Querier returned during op, the meaning that the ports promise; nil stays nil.
	Failure(ctx context.Context, op string, err error, c Conflicts) error

	// The lists that each database plans in its own way.
	ListUsers(ctx context.Context, t *UserTable, q user.Query) ([]*user.User, error)
	CountUsers(ctx context.Context, t *UserTable, f user.Filter) (int, error)
	EventList(t *EventTable, q audit.Query) (query string, args []any)
}

// Conflicts is the refusals of the domain that the unique indexes of a table stand for; nil where there is none.
type Conflicts struct {
	ID     error
	Unique error // of the column besides the id
}

// ErrOvertaken means that another instance has just stored what was not there to be changed.
var ErrOvertaken = storage.Unavailable(errors.New("overtaken by another"))

// Dialect is how a database writes what SQL leaves open. The functions get column names of this package alone.
type Dialect struct {
	Name      string                   // begins every error
	Argument  string                   // what stands before the number of an argument
	ForUpdate string                   // ends a query that locks its row; "" where transactions do not overlap
	Storable  func(text string) bool   // whether a text can be stored; nil when every text can
	Plain     func(text string) string // a text without what cannot be stored; nil as for Storable

	// OtherStaff is whether a user other than the one with an id is active staff.
	OtherStaff string

	RowsPerStatement, RowsPerTransaction int // at most, of a Put

	// InsertNew returns the statement that adds rows, in their order, but for those of which the value of a unique
	// column is taken.
	InsertNew func(table string, columns []Column, rows [][]any, unique ...string) (query string, args []any)
	// SelectAny returns the statement that finds which of some texts a column has.
	SelectAny func(table, column string, values []string) (query string, args []any)
	// DeleteFirst returns the statement that deletes the rows under a condition on argument 1, at most as many as
	// argument 2, the first in an order first.
	DeleteFirst func(table, condition, order string) string
}

func (d *Dialect) argument(n int) string { return d.Argument + strconv.Itoa(n) }

func (d *Dialect) storable(text string) bool { return d.Storable == nil || d.Storable(text) }

// plain returns a value as it can be stored.
func (d *Dialect) plain(v any) any {
	if text, ok := v.(string); ok && d.Plain != nil {
		return d.Plain(text)
	}
	return v
}

// Key returns what a user is stored under, and whether a user with this id can be stored.
func (d *Dialect) Key(id user.ID) (key string, ok bool) {
	key, err := id.Stored()
	return key, err == nil && d.storable(key)
}
