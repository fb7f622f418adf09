package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

// prepared holds the statements that are run so often that planning them each time would show, by text.
type prepared map[string]*sql.Stmt

func prepareAll(ctx context.Context, db *sql.DB, queries []string) (prepared, error) {
	p := prepared{}
	for _, q := range queries {
		statement, err := db.PrepareContext(ctx, q)
		if err != nil {
			return p, err
		}
		p[q] = statement
	}
	return p, nil
}

func (p prepared) close() (err error) {
	for _, statement := range p {
		err = errors.Join(err, statement.Close())
	}
	return err
}

// runner is a pool of connections or a transaction.
type runner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// querier runs statements, those that are prepared by their plans.
type querier struct {
	runner
	tx    *sql.Tx // nil for readers
	ready prepared
}

// statement returns the prepared statement for a query, or nil.
func (q *querier) statement(ctx context.Context, query string) *sql.Stmt {
	statement := q.ready[query]
	if statement != nil && q.tx != nil {
		return q.tx.StmtContext(ctx, statement)
	}
	return statement
}

func (q *querier) QueryRow(ctx context.Context, query string, args ...any) sqltable.Row {
	if statement := q.statement(ctx, query); statement != nil {
		return statement.QueryRowContext(ctx, args...)
	}
	return q.QueryRowContext(ctx, query, args...)
}

func (q *querier) QueryEach(ctx context.Context, query string, args []any, f func(sqltable.Row) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err returns what went wrong
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (q *querier) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	execute := q.ExecContext
	if statement := q.statement(ctx, query); statement != nil {
		execute = func(ctx context.Context, _ string, args ...any) (sql.Result, error) {
			return statement.ExecContext(ctx, args...)
		}
	}
	result, err := execute(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Read implements sqltable.DB. Each query of f sees the database as of its own beginning.
func (s *Store) Read(ctx context.Context, f sqltable.Work) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	err := f(ctx, s.readers)
	if s.source != nil {
		if changed := s.source.Unchanged(); changed != nil {
			return fmt.Errorf("sqlite: %w", changed) // which is why f may have failed
		}
	}
	return err
}

// The settings of the writer.
const (
	// A transaction reaches the disk with the next one that waits for it. A crash of this process undoes nothing.
	setSoon, unsetSoon = "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"
	// Very many rows at once lie all over the indexes. Pages of these are kept in memory until the end, and moved
	// from the log into the database less often: every 64 MB.
	setBulk   = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384"
	unsetBulk = "PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 1000" // SQLite's own
)

// Write implements sqltable.DB. Concurrent writes share a transaction, and run in it one after the other.
//
// No write goes without a transaction: the driver reports a single statement as cut short when its context ends at
// the last moment, even if it was stored. Of a commit it reports what happened.
func (s *Store) Write(ctx context.Context, op string, m sqltable.Mode, f sqltable.Work) error {
	if s.writer == nil {
		return fmt.Errorf("sqlite: %s: %w", op, storage.ErrReadOnly)
	}
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if m == sqltable.Bulk {
		return s.bulk(ctx, op, f)
	}
	return s.grouped(&write{ctx: ctx, op: op, mode: m, work: f})
}

// Serialize implements sqltable.DB: all writes run one after the other.
func (s *Store) Serialize(context.Context, sqltable.Querier, string) error { return nil }

// bulk runs f in a transaction of its own, which takes long.
func (s *Store) bulk(ctx context.Context, op string, f sqltable.Work) error {
	c, err := s.writer.Conn(ctx)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = c.Close() }() // returns it to the pool
	unset, err := tune(ctx, c, setBulk, unsetBulk)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer unset()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(ctx, &querier{tx, tx, s.writes}); err != nil {
		return err
	}
	return translate(ctx, op, tx.Commit())
}
