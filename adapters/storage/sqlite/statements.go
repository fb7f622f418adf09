package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"roster/adapters/storage"
)

// selectPing reads one row of ours.
const selectPing = "SELECT count(*) FROM counters WHERE name = 'user_id'"

// querier is what a connection pool and a transaction have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// statements holds what is asked so often that planning it each time shows, by text.
type statements struct {
	read, write map[string]*sql.Stmt
}

func prepareStatements(ctx context.Context, reader, writer *sql.DB) (s statements, err error) {
	s = statements{read: map[string]*sql.Stmt{}, write: map[string]*sql.Stmt{}}
	for _, p := range []struct {
		db      *sql.DB
		into    map[string]*sql.Stmt
		queries []string
	}{
		{reader, s.read, []string{selectPing, userTable.selectWhere("id"), userTable.selectWhere("email_key"), sessionTable.selectWhere("id"), attemptTable.selectWhere("id")}},
		{writer, s.write, []string{
			userTable.selectWhere("id"), sessionTable.selectWhere("id"), attemptTable.selectWhere("id"),
			userTable.insert(), sessionTable.insert(), attemptTable.insert(), appendEvent(), userTable.countID(),
		}},
	} {
		if p.db == nil {
			continue // the database is only read
		}
		for _, q := range p.queries {
			if p.into[q], err = p.db.PrepareContext(ctx, q); err != nil {
				delete(p.into, q)
				return s, err
			}
		}
	}
	return s, nil
}

func (s statements) close() (err error) {
	for _, m := range []map[string]*sql.Stmt{s.read, s.write} {
		for _, st := range m {
			err = errors.Join(err, st.Close())
		}
	}
	return err
}

// connections is the readers with their prepared statements.
type connections struct {
	*sql.DB
	ready map[string]*sql.Stmt
}

// QueryRowContext uses the prepared statement if there is one.
func (c connections) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if st, ok := c.ready[query]; ok {
		return st.QueryRowContext(ctx, args...)
	}
	return c.DB.QueryRowContext(ctx, query, args...)
}

// transaction is a write transaction with the writer's prepared statements.
type transaction struct {
	*sql.Tx
	ready map[string]*sql.Stmt
}

// QueryRowContext uses the prepared statement if there is one.
func (t transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if st, ok := t.ready[query]; ok {
		return t.StmtContext(ctx, st).QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}

// ExecContext uses the prepared statement if there is one.
func (t transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if st, ok := t.ready[query]; ok {
		return t.StmtContext(ctx, st).ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// read runs f on the readers. Each query of f sees the database as of its own beginning.
func (s *Store) read(ctx context.Context, f func(querier) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	err := f(connections{s.reader, s.ready.read})
	if s.source != nil {
		if changed := s.source.Unchanged(); changed != nil {
			return fmt.Errorf("sqlite: %w", changed) // which is why f may have failed
		}
	}
	return err
}

// enterToWrite lets one write in; it calls gate.Leave when done.
func (s *Store) enterToWrite(op string) error {
	if s.writer == nil {
		return fmt.Errorf("sqlite: %s: %w", op, storage.ErrReadOnly)
	}
	return s.gate.Enter()
}

// write runs f in a transaction that no other write overlaps. When f fails nothing is stored and
// write returns its error as it is.
//
// No write goes without a transaction: the driver reports a single statement as cut short when its
// context ends at the last moment, even if it was stored. Of a commit it reports what happened.
func (s *Store) write(ctx context.Context, op string, f func(querier) error) error {
	if err := s.enterToWrite(op); err != nil {
		return err
	}
	defer s.gate.Leave()
	return s.transact(ctx, s.writer, op, f)
}

// beginner is the writer's pool or its connection.
type beginner interface {
	BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error)
}

func (s *Store) transact(ctx context.Context, b beginner, op string, f func(querier) error) error {
	tx, err := b.BeginTx(ctx, nil)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(transaction{tx, s.ready.write}); err != nil {
		return err
	}
	return translate(ctx, op, tx.Commit())
}

// writeSoon is write for what a loss of power may undo: it does not wait for the disk, to which the next
// write takes it along. A crash of this process undoes nothing.
func (s *Store) writeSoon(ctx context.Context, op string, f func(querier) error) error {
	return s.tuned(ctx, op, "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL", f)
}

// writeMuch is write for very many rows at once, which lie all over the indexes: pages of these are kept in
// memory until the end, and moved from the log into the database less often: every 64 MB.
func (s *Store) writeMuch(ctx context.Context, op string, f func(querier) error) error {
	return s.tuned(ctx, op, "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384",
		"PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 1000", f) // SQLite's own
}

// tuned is write with the writer set up in another way meanwhile.
func (s *Store) tuned(ctx context.Context, op, before, after string, f func(querier) error) error {
	if err := s.enterToWrite(op); err != nil {
		return err
	}
	defer s.gate.Leave()
	c, err := s.writer.Conn(ctx)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = c.Close() }() // gives it back
	defer func() {
		if _, err := c.ExecContext(context.WithoutCancel(ctx), after); err != nil {
			// The next write would not be durable, or not as it should: it gets a new connection instead.
			_ = c.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	if _, err := c.ExecContext(ctx, before); err != nil {
		return translate(ctx, op, err)
	}
	return s.transact(ctx, c, op, f)
}

// delete runs a statement that deletes, and returns how many rows went.
func (s *Store) delete(ctx context.Context, op, query string, args ...any) (gone int, err error) {
	err = s.write(ctx, op, func(q querier) error {
		result, err := q.ExecContext(ctx, query, args...)
		if err != nil {
			return translate(ctx, op, err)
		}
		n, err := result.RowsAffected()
		gone = int(n)
		return translate(ctx, op, err)
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}
