package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

// maxGroup bounds the writes of one transaction, and so the time that the first of them waits for the last.
const maxGroup = 128

// group lets concurrent writes share a transaction (group commit), since a commit costs a wait for the disk. A write fails
// alone, and it is acknowledged after the commit. One of the waiting callers at a time has the writes of all run, in a
// goroutine, so that no caller waits longer than its context for a disk that is slow.
type group struct {
	turn chan struct{} // holds a value while writes are run

	mu      sync.Mutex
	waiting []*write

	commits, writes atomic.Int64 // transactions committed, and the writes in them
}

// write is a write of one caller.
type write struct {
	ctx  context.Context // of the caller
	op   string
	mode sqltable.Mode
	work sqltable.Work

	err      error
	panicked any
	ran      chan struct{} // closed after the work was run: what is left is the commit
	done     chan struct{} // closed after the commit
}

// grouped runs a write in a transaction with others, and leaves the gate. A write whose context ends before it is run is left
// out. When the context ends during the commit, grouped returns its error, and the write is stored or not.
func (s *Store) grouped(w *write) error {
	g := &s.group
	w.ran, w.done = make(chan struct{}), make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	turn, leave := g.turn, s.gate.Leave
	defer func() { leave() }()
	for running := true; running; {
		select {
		case <-w.done:
			running = false
		case turn <- struct{}{}:
			turn, leave = nil, func() {} // the goroutine leaves
			go s.takeTurn(w)
		case <-w.ctx.Done():
			if g.remove(w) {
				return translate(w.ctx, w.op, w.ctx.Err())
			}
			select {
			case <-w.done:
				running = false
			case <-w.ran:
				select { // both may be closed
				case <-w.done:
					running = false
				default:
					return translate(w.ctx, w.op, w.ctx.Err())
				}
			}
		}
	}
	if w.panicked != nil {
		panic(w.panicked)
	}
	return w.err
}

// takeTurn runs waiting writes, w included, returns the turn, even when this goroutine exits, and leaves the gate.
func (s *Store) takeTurn(w *write) {
	defer s.gate.Leave()
	defer func() { <-s.group.turn }()
	s.runAll(w)
}

// remove removes a write from the waiting ones, and reports whether it was one of them.
func (g *group) remove(w *write) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// mode returns the strongest mode of the waiting writes.
func (g *group) mode() sqltable.Mode {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.ContainsFunc(g.waiting, func(w *write) bool { return w.mode != sqltable.Soon }) {
		return sqltable.Durable
	}
	return sqltable.Soon
}

// take removes and returns up to n waiting writes for a transaction of a mode, in the order of arrival.
func (g *group) take(mode sqltable.Mode, n int) (batch []*write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *write) bool {
		fits := len(batch) < n && (mode == sqltable.Durable || w.mode == sqltable.Soon)
		if fits {
			batch = append(batch, w)
		}
		return fits
	})
	return batch
}

// runAll runs waiting writes in transactions until w is done, or no transaction can begin.
func (s *Store) runAll(w *write) {
	for {
		select {
		case <-w.done: // by the caller that had the turn before, or by the last transaction
			return
		default:
		}
		if err := s.runBatch(w); err != nil {
			return
		}
	}
}

// runBatch runs waiting writes in one transaction. When the transaction cannot begin, it returns the error, and w fails with it.
// When this goroutine exits, w fails too, even if it still waits: its caller does not try to get the turn again. A panic outside
// the writes goes on in the caller of w.
//
// An interrupted statement would undo the whole transaction. So the context of a caller is checked before and after
// its write runs, and not during it.
func (s *Store) runBatch(w *write) (err error) {
	var batch []*write
	ended := false // batch was committed or rolled back, and each write has its result
	defer func() {
		panicked := recover()
		if (!ended || panicked != nil) && s.group.remove(w) {
			batch = append(batch, w)
		}
		w.panicked = cmp.Or(w.panicked, panicked)
		for _, b := range batch {
			if !ended && b.err == nil {
				b.err = cmp.Or(translate(b.ctx, b.op, err), errNotEnded)
			}
			close(b.done)
		}
	}()
	ctx := w.ctx
	q := &querier{prepared: s.writes}
	defer q.prepareMissed(context.WithoutCancel(ctx))
	c, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // returns it to the pool
	mode := s.group.mode()
	if mode == sqltable.Soon {
		unset, err := tune(ctx, c, setSoon, unsetSoon)
		if err != nil {
			return err
		}
		defer unset()
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if tx != nil {
			_ = tx.Rollback() // after Commit it does nothing
		}
	}()
	batch = s.group.take(mode, s.groupSize)
	q.runner, q.tx = tx, tx
	kept, err := runEach(ctx, q, batch, false)
	if errors.Is(err, errSpoiled) {
		if err = tx.Rollback(); err == nil && len(batch) > 1 {
			if tx, err = c.BeginTx(ctx, nil); err == nil {
				q.runner, q.tx = tx, tx
				kept, err = runEach(ctx, q, batch, true)
			}
		}
	}
	if err == nil && kept > 0 {
		for _, b := range batch {
			close(b.ran)
		}
		err = tx.Commit()
	}
	ended = true
	if err != nil {
		for _, b := range batch {
			if b.err == nil {
				b.err = translate(ctx, b.op, err)
			}
		}
		return nil
	}
	if kept > 0 {
		s.group.commits.Add(1)
		s.group.writes.Add(int64(kept))
		if s.options.Committed != nil {
			s.options.Committed(kept)
		}
	}
	return nil
}

// errNotEnded is the error of writes of a transaction whose goroutine exited or panicked before its end.
var errNotEnded = storage.Unavailable(errors.New("sqlite: the transaction was not ended"))

// errSpoiled means that a write has failed after it changed something.
var errSpoiled = errors.New("sqlite: part of a write is in the transaction")

// The statements around each of several writes in a transaction.
const (
	savepoint        = "SAVEPOINT one_write"
	releaseSavepoint = "RELEASE one_write"
	undoSavepoint    = "ROLLBACK TO one_write"
)

// runEach runs the writes of a transaction, and returns how many succeeded. Without savepoints it fails with errSpoiled when
// a write has to be undone: writes rarely fail after their first change, and a savepoint for each costs two statements and
// makes the search index write to its tables. Another error means that the transaction cannot go on.
func runEach(ctx context.Context, q *querier, batch []*write, savepoints bool) (kept int, err error) {
	for _, w := range batch {
		q.dirty, w.err, w.panicked = false, nil, nil
		if savepoints {
			err = runUndoable(ctx, q, w)
		} else if runOne(q, w); q.dirty && !w.succeeded() {
			err = errSpoiled
		}
		if err != nil {
			return 0, err
		}
		if w.succeeded() {
			kept++
		}
	}
	return kept, nil
}

func (w *write) succeeded() bool { return w.err == nil && w.panicked == nil }

// runOne runs a write and sets its error.
func runOne(q *querier, w *write) {
	if w.err = translate(w.ctx, w.op, w.ctx.Err()); w.err != nil {
		return
	}
	defer func() { w.panicked = recover() }()
	if w.err = w.work(context.WithoutCancel(w.ctx), q); w.err == nil {
		w.err = translate(w.ctx, w.op, w.ctx.Err())
	}
}

// runUndoable is runOne, and undoes a write that fails.
func runUndoable(ctx context.Context, q *querier, w *write) error {
	if _, err := q.Exec(ctx, savepoint); err != nil {
		return err
	}
	runOne(q, w)
	if !w.succeeded() {
		if _, err := q.Exec(ctx, undoSavepoint); err != nil {
			return errors.Join(w.err, err)
		}
	}
	_, err := q.Exec(ctx, releaseSavepoint)
	return err
}

// tune changes settings of a connection of the writer. unset changes them back.
func tune(ctx context.Context, c *sql.Conn, set, back string) (unset func(), err error) {
	unset = func() {
		if _, err := c.ExecContext(context.WithoutCancel(ctx), back); err != nil {
			// The next write would run with the wrong settings, durability among them: it gets a new connection.
			_ = c.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	if _, err := c.ExecContext(ctx, set); err != nil {
		unset()
		return nil, err
	}
	return unset, nil
}
