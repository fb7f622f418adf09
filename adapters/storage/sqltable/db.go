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

// Work is the function that Read and Write run. They may run it several times and use its last run only.
type Work func(context.Context, Querier) error

// Mode is the durability and the size of a write.
type Mode int

// The modes.
const (
	Durable   Mode = iota // a transaction, on the disk when it is acknowledged
	Soon                  // a transaction that a crash may undo
	Bulk                  // as Durable, with very many rows
	Statement             // as Durable, but one statement that does no harm when it is run again
)

// DB is a database.
type DB interface {
	// Read runs f outside of a transaction and returns its error unchanged.
	Read(ctx context.Context, f Work) error
	// Write runs f in a transaction; for Statement it may do without one. When f fails nothing is stored, and
	// Write returns its error unchanged.
	Write(ctx context.Context, op string, m Mode, f Work) error
	// Serialize makes the transaction of q wait for the end of other transactions that called it with the same
	// name.
	Serialize(ctx context.Context, q Querier, name string) error
	// Failure translates err, which Querier returned during op, into an error that the ports promise, or nil.
	Failure(ctx context.Context, op string, err error, c Conflicts) error

	// The lists that each database plans in its own way.
	ListUsers(ctx context.Context, t *UserTable, q user.Query) ([]*user.User, error)
	CountUsers(ctx context.Context, t *UserTable, f user.Filter) (int, error)
	EventList(t *EventTable, q audit.Query) (query string, args []any)
}

// Conflicts has the error of the domain for each unique index of a table; nil where there is no such index.
type Conflicts struct {
	ID     error
	Unique error // of the column besides the id
}

// ErrOvertaken means that another instance has just stored the row that this transaction was to add.
var ErrOvertaken = storage.Unavailable(errors.New("overtaken by another"))

// Dialect is the part of SQL that differs between databases. Its functions get column names of this package only.
type Dialect struct {
	Name      string                   // begins every error
	Argument  string                   // the prefix of a numbered placeholder
	ForUpdate string                   // the suffix of a query that locks its row; "" where transactions do not overlap
	Storable  func(text string) bool   // whether a text can be stored; nil when every text can
	Sanitize  func(text string) string // replaces the characters that cannot be stored; nil when every text can be

	// OtherStaff selects whether a user other than the one with the id in argument 1 is active staff.
	OtherStaff string

	RowsPerStatement, RowsPerTransaction int // at most, of a Put

	// InsertNew returns the statement that adds rows in their order. It skips a row whose value in a unique column
	// is taken.
	InsertNew func(table string, columns []Column, rows [][]any, unique ...string) (query string, args []any)
	// SelectAny returns the statement that selects those of values that a column contains.
	SelectAny func(table, column string, values []string) (query string, args []any)
	// DeleteFirst returns the statement that deletes the rows that meet a condition on arguments 1 and 3, in an
	// order, at most as many as argument 2.
	DeleteFirst func(table, condition, order string) string
}

func (d *Dialect) argument(n int) string { return d.Argument + strconv.Itoa(n) }

func (d *Dialect) storable(text string) bool { return d.Storable == nil || d.Storable(text) }

// sanitize replaces the characters of a text that cannot be stored, and returns other values unchanged.
func (d *Dialect) sanitize(v any) any {
	if text, ok := v.(string); ok && d.Sanitize != nil {
		return d.Sanitize(text)
	}
	return v
}

// Key returns the stored form of a user's id, and whether a user with this id can be stored.
func (d *Dialect) Key(id user.ID) (key string, ok bool) {
	key, err := id.Stored()
	return key, err == nil && d.storable(key)
}
