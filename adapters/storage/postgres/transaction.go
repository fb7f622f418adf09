package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

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

// run runs f, which leaves nothing behind when it fails or can be done twice, until it succeeds or operationTimeout is over.
func (s *Store) run(ctx context.Context, f func(context.Context) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	ctx, cancel := context.WithTimeoutCause(ctx, operationTimeout, errTimeout)
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

func (s *Store) Write(ctx context.Context, op string, m sqltable.Mode, f sqltable.Work) error {
	switch m {
	case sqltable.Statement:
		return s.Read(ctx, f)
	case sqltable.Soon: // it is acknowledged shortly before it is on the disk
		return s.transact(ctx, op, []string{"BEGIN", "SET LOCAL synchronous_commit = off"}, f)
	case sqltable.Durable, sqltable.Bulk:
	}
	return s.transact(ctx, op, []string{"BEGIN"}, f)
}

// serialize makes transactions with the same argument wait for each other until they end.
const serialize = "SELECT pg_advisory_xact_lock(hashtextextended('roster: ' || $1::text, 0))"

// Serialize implements sqltable.DB. As transactions are READ COMMITTED, the next statement sees everything that was
// committed before this one got the lock.
func (s *Store) Serialize(ctx context.Context, q sqltable.Querier, what string) error {
	_, err := q.Exec(ctx, serialize, what)
	return err
}

func (s *Store) transact(ctx context.Context, op string, begin []string, f sqltable.Work) error {
	return s.run(ctx, func(ctx context.Context) error {
		c, err := s.pool.Acquire(ctx)
		if err != nil {
			return translate(ctx, op, err)
		}
		defer c.Release() // which closes a connection that is still in a transaction
		defer func() {
			if !c.Conn().IsClosed() && c.Conn().PgConn().TxStatus() != idle {
				_, _ = c.Exec(ctx, "ROLLBACK")
			}
		}()
		t := &transaction{querier: querier{c, s.listing}, on: c}
		for _, statement := range begin {
			t.Later(statement, nil, func(err error) error { return translate(ctx, op, err) })
		}
		if err := f(ctx, t); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return translate(ctx, op, err)
		}
		return t.commit(ctx, op)
	})
}

// idle is the status of a connection without a transaction.
const idle = 'I'

// transaction runs statements in a transaction. It sends those whose result is not needed together with the next one, and
// so BEGIN with the first one and COMMIT with the last ones.
type transaction struct {
	querier
	on      *pgxpool.Conn
	waiting pgx.Batch
	failed  []func(error) error // of each waiting statement

	committing bool
}

var _ sqltable.Batcher = (*transaction)(nil)

// Later implements sqltable.Batcher.
func (t *transaction) Later(query string, args []any, failed func(error) error) {
	t.waiting.Queue(query, args...)
	t.failed = append(t.failed, failed)
}

// send sends the waiting statements and one more, whose result is the next of the answer.
func (t *transaction) send(ctx context.Context, query string, args ...any) (pgx.BatchResults, error) {
	batch, failed := t.waiting, t.failed
	t.waiting, t.failed = pgx.Batch{}, nil
	batch.Queue(query, args...)
	answer := t.on.SendBatch(ctx, &batch)
	for _, f := range failed {
		if _, err := answer.Exec(); err != nil {
			_ = answer.Close() // it repeats the error
			if t.committing && unsure(err) {
				return nil, err
			}
			return nil, f(err)
		}
	}
	return answer, nil
}

func (t *transaction) QueryRow(ctx context.Context, query string, args ...any) sqltable.Row {
	if len(t.failed) == 0 {
		return t.querier.QueryRow(ctx, query, args...)
	}
	answer, err := t.send(ctx, query, args...)
	return lastRow{answer, err}
}

// lastRow is the row that the last statement of a batch finds.
type lastRow struct {
	answer pgx.BatchResults
	err    error
}

func (r lastRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := r.answer.QueryRow().Scan(dest...)
	if end := r.answer.Close(); err == nil {
		err = end
	}
	return err
}

func (t *transaction) QueryEach(ctx context.Context, query string, args []any, f func(sqltable.Row) error) error {
	if len(t.failed) > 0 { // a statement of a batch has no mode of its own
		if _, err := t.Exec(ctx, "SELECT"); err != nil {
			return err
		}
	}
	return t.querier.QueryEach(ctx, query, args, f)
}

func (t *transaction) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if len(t.failed) == 0 {
		return t.querier.Exec(ctx, query, args...)
	}
	answer, err := t.send(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	result, err := answer.Exec()
	if end := answer.Close(); err == nil {
		err = end
	}
	return result.RowsAffected(), err
}

// commit ends the transaction with what is waiting, also when the caller goes away during it. When the connection is lost
// it is not known whether the transaction was stored, and it must not be tried again.
func (t *transaction) commit(ctx context.Context, op string) error {
	whole := context.WithoutCancel(ctx)
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		whole, cancel = context.WithDeadline(whole, end)
		defer cancel()
	}
	t.committing = true
	answer, err := t.send(whole, "COMMIT")
	if err != nil && !unsure(err) {
		return err
	}
	unknown := unsure(err)
	if err == nil {
		var result pgconn.CommandTag
		if result, err = answer.Exec(); err == nil && result.String() == "ROLLBACK" {
			err = pgx.ErrTxCommitRollback
		}
		_ = answer.Close() // it repeats the error
		unknown = unsure(err)
	}
	if err = translate(ctx, op, err); unknown && errors.Is(err, errLost) {
		return outage(op, errUnsure, err)
	}
	return err
}

// unsure reports whether err, from the driver, leaves open whether the server did what it was sent.
func unsure(err error) bool { return err != nil && isLost(err) && !pgconn.SafeToRetry(err) }
