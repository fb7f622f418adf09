package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// querier is what a connection pool and a transaction have in common.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
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

// read runs f on any connections. Each statement of f is a transaction of its own.
func (s *Store) read(ctx context.Context, f func(context.Context, querier) error) error {
	return s.run(ctx, func(ctx context.Context) error { return f(ctx, s.pool) })
}

// delete runs a statement that deletes, and can be repeated, and returns how many rows went.
func (s *Store) delete(ctx context.Context, op, query string, args ...any) (gone int, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		result, err := q.Exec(ctx, query, args...)
		gone = int(result.RowsAffected())
		return translate(ctx, op, err)
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}

// write runs f in a transaction. When f fails nothing is stored and write returns its error as it is.
func (s *Store) write(ctx context.Context, op string, f func(context.Context, querier) error) error {
	return s.transact(ctx, op, pgx.TxOptions{}, f)
}

// soon are the transactions that are told before they are on the disk, where they are a moment later.
var soon = pgx.TxOptions{BeginQuery: "BEGIN; SET LOCAL synchronous_commit = off"}

// writeSoon is write for what a crash of the server may undo.
func (s *Store) writeSoon(ctx context.Context, op string, f func(context.Context, querier) error) error {
	return s.transact(ctx, op, soon, f)
}

func (s *Store) transact(ctx context.Context, op string, o pgx.TxOptions, f func(context.Context, querier) error) error {
	return s.run(ctx, func(ctx context.Context) error {
		tx, err := s.pool.BeginTx(ctx, o)
		if err != nil {
			return translate(ctx, op, err)
		}
		defer func() { _ = tx.Rollback(ctx) }() // after Commit it does nothing
		if err := f(ctx, tx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return translate(ctx, op, err)
		}
		return commit(ctx, op, tx)
	})
}

// commit ends a transaction. A caller who goes away meanwhile does not keep it from telling what was
// done. When the connection is lost nobody knows, and it must not be tried again.
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
