package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

// maxPrepared bounds the statements that stay prepared, since clients choose the filters of lists.
const maxPrepared = 100

// prepared holds the first maxPrepared statements of a pool of connections, prepared, by their text. Planning a
// statement for each run takes as long as running it.
type prepared struct {
	db *sql.DB

	mu    sync.RWMutex
	ready map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *prepared { return &prepared{db: db, ready: map[string]*sql.Stmt{}} }

// find returns the prepared statement for a query, or nil.
func (p *prepared) find(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.ready[query]
}

// add prepares a query and returns the statement, or nil when it cannot be prepared or there are enough. It waits for
// a connection of the pool, without the lock: the connections may be in use by statements that are about to be found.
func (p *prepared) add(ctx context.Context, query string) *sql.Stmt {
	if p.full() {
		return nil
	}
	statement, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil // running the query reports the error
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if former := p.ready[query]; former != nil || len(p.ready) >= maxPrepared {
		_ = statement.Close() // it was not run
		return former
	}
	p.ready[query] = statement
	return statement
}

func (p *prepared) full() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.ready) >= maxPrepared
}

func (p *prepared) close() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, statement := range p.ready {
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

// querier runs statements, prepared if possible.
type querier struct {
	runner
	prepared *prepared
	tx       *sql.Tx  // nil for readers
	missed   []string // the queries of tx that were not prepared
	dirty    bool     // a statement other than SELECT was run, or one has failed, which may have ended tx
}

// statement returns the prepared statement for a query, or nil.
func (q *querier) statement(ctx context.Context, query string) *sql.Stmt {
	q.mark(q.tx != nil && !strings.HasPrefix(query, "SELECT"))
	if strings.HasPrefix(query, "PRAGMA") {
		return nil // SQLite reads some settings when it prepares a statement
	}
	statement := q.prepared.find(query)
	switch {
	case statement != nil && q.tx != nil:
		return q.tx.StmtContext(ctx, statement)
	case statement == nil && q.tx != nil: // the only connection is in use
		q.missed = append(q.missed, query)
	case statement == nil:
		return q.prepared.add(ctx, query)
	}
	return statement
}

// prepareMissed prepares the queries of a transaction for the next one. It is called after its end.
func (q *querier) prepareMissed(ctx context.Context) {
	for _, query := range q.missed {
		q.prepared.add(ctx, query)
	}
}

// QueryRow implements sqltable.Querier. It does nothing after the end of ctx, and does not end with it: the two goroutines
// that would watch ctx cost as much as the statement. So it is for statements that read few rows.
func (q *querier) QueryRow(ctx context.Context, query string, args ...any) sqltable.Row {
	if err := ctx.Err(); err != nil {
		return noRow{err}
	}
	ctx = context.WithoutCancel(ctx)
	var row *sql.Row
	if statement := q.statement(ctx, query); statement != nil {
		row = statement.QueryRowContext(ctx, args...)
	} else {
		row = q.QueryRowContext(ctx, query, args...)
	}
	q.mark(q.tx != nil && row.Err() != nil)
	return row
}

// mark sets dirty on a condition, which must be false for readers: they share a querier.
func (q *querier) mark(condition bool) {
	if condition {
		q.dirty = true
	}
}

// noRow is the result of a query that was not run.
type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

func (q *querier) QueryEach(ctx context.Context, query string, args []any, f func(sqltable.Row) error) error {
	run := func() (*sql.Rows, error) { return q.QueryContext(ctx, query, args...) }
	if statement := q.statement(ctx, query); statement != nil {
		run = func() (*sql.Rows, error) { return statement.QueryContext(ctx, args...) }
	}
	rows, err := run()
	if err != nil {
		q.mark(q.tx != nil)
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err returns what went wrong
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	q.mark(q.tx != nil && rows.Err() != nil)
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
	select { // of a read by key, only the wait for a connection can be long: see querier.QueryRow
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return translate(ctx, "wait for a connection", ctx.Err())
	}
	err := f(ctx, s.readers)
	if s.source != nil {
		if changed := s.source.Unchanged(); changed != nil {
			return fmt.Errorf("sqlite: %w", changed) // f may have failed because of it
		}
	}
	return err
}

// The settings of the writer.
const (
	// A transaction reaches the disk with the next one that syncs. A crash of this process loses nothing.
	setSoon, unsetSoon = "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"
	// Many rows change pages everywhere in the indexes. These pages are kept in memory until the end, and moved from
	// the log into the database less often: every 64 MB.
	setBulk   = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384"
	unsetBulk = "PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 1000" // SQLite's defaults
)

// Write implements sqltable.DB. Concurrent writes share a transaction, and run in it one after the other.
//
// Every write has a transaction: the driver reports a single statement as interrupted when its context ends while it
// returns, even if the statement was stored. For a commit it reports the result.
func (s *Store) Write(ctx context.Context, op string, m sqltable.Mode, f sqltable.Work) error {
	if s.writer == nil {
		return fmt.Errorf("sqlite: %s: %w", op, storage.ErrReadOnly)
	}
	if err := s.gate.Enter(); err != nil {
		return err
	}
	if m == sqltable.Bulk {
		defer s.gate.Leave()
		return s.bulk(ctx, op, f)
	}
	return s.grouped(&write{ctx: ctx, op: op, mode: m, work: f})
}

// Serialize implements sqltable.DB: all writes run one after the other.
func (s *Store) Serialize(context.Context, sqltable.Querier, string) error { return nil }

// bulk runs f in a long transaction of its own. When no other process can open the database, the settings for it are
// those of the pool.
func (s *Store) bulk(ctx context.Context, op string, f sqltable.Work) error {
	c, err := s.writer.Conn(ctx)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = c.Close() }() // returns it to the pool
	if !s.alone {
		unset, err := tune(ctx, c, setBulk, unsetBulk)
		if err != nil {
			return translate(ctx, op, err)
		}
		defer unset()
	}
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	q := &querier{runner: tx, prepared: s.writes, tx: tx}
	if s.alone && !s.loaded.Load() {
		if err := startLoad(ctx, q); err != nil {
			return translate(ctx, op, err)
		}
	}
	if err := f(ctx, q); err != nil {
		return err
	}
	return translate(ctx, op, tx.Commit())
}
