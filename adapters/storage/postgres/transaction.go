package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roster/adapters/storage/sqltable"
)

// runner is a pool of connections or a transaction.
type runner interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

// querier runs statements. Those that may find many rows are planned for their values.
type querier struct {
	on      runner
	listing pgx.QueryExecMode
}

func (q *querier) QueryRow(ctx context.Context, query string, args ...any) sqltable.Row {
	return q.on.QueryRow(ctx, query, args...)
}

func (q *querier) QueryEach(ctx context.Context, query string, args []any, f func(sqltable.Row) error) error {
	rows, err := q.on.Query(ctx, query, append([]any{q.listing}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (q *querier) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := q.on.Exec(ctx, query, args...)
	return result.RowsAffected(), err
}

// tries is how often an operation is tried that lost its connection or a deadlock, or was overtaken.
const tries = 4

// run runs f, which leaves nothing behind when it fails or can be done twice, for as long as the store
// is patient.
func (s *Store) run(ctx context.Context, f func(context.Context) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	for n := 1; ; n++ {
		if err := f(ctx); n == tries || !again(err) || ctx.Err() != nil {
			return err
		}
	}
}

// Read implements sqltable.DB. Each statement of f is a transaction of its own.
func (s *Store) Read(ctx context.Context, f sqltable.Work) error {
	return s.run(ctx, func(ctx context.Context) error { return f(ctx, s.readers) })
}

// soon begins a transaction that is acknowledged shortly before it is on the disk.
var soon = pgx.TxOptions{BeginQuery: "BEGIN; SET LOCAL synchronous_commit = off"}

func (s *Store) Write(ctx context.Context, op string, m sqltable.Mode, f sqltable.Work) error {
	switch m {
	case sqltable.Statement:
		return s.Read(ctx, f)
	case sqltable.Soon:
		return s.transact(ctx, op, soon, f)
	case sqltable.Durable, sqltable.Bulk:
	}
	return s.transact(ctx, op, pgx.TxOptions{}, f)
}

// serialize makes transactions with the same argument wait for each other until they end.
const serialize = "SELECT pg_advisory_xact_lock(hashtextextended('roster: ' || $1::text, 0))"

// Serialize implements sqltable.DB. As transactions are READ COMMITTED, the next statement sees everything that was
// committed before this one got the lock.
func (s *Store) Serialize(ctx context.Context, q sqltable.Querier, what string) error {
	_, err := q.Exec(ctx, serialize, what)
	return err
}

func (s *Store) transact(ctx context.Context, op string, o pgx.TxOptions, f sqltable.Work) error {
	return s.run(ctx, func(ctx context.Context) error {
		tx, err := s.pool.BeginTx(ctx, o)
		if err != nil {
			return translate(ctx, op, err)
		}
		defer func() { _ = tx.Rollback(ctx) }() // after Commit it does nothing
		if err := f(ctx, &querier{tx, s.listing}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return translate(ctx, op, err)
		}
		return commit(ctx, op, tx)
	})
}

// commit ends a transaction, also when the caller goes away during it. When the connection is lost it is not known
// whether the transaction was stored, and it must not be tried again.
func commit(ctx context.Context, op string, tx pgx.Tx) error {
	whole := context.WithoutCancel(ctx)
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		whole, cancel = context.WithDeadline(whole, end)
		defer cancel()
	}
	err := translate(ctx, op, tx.Commit(whole))
	if errors.Is(err, errLost) {
		return outage(op, errUnsure, err)
	}
	return err
}
