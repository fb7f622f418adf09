package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

// together starts writes that wait for the turn, gives them the turn when all are waiting, and returns the result or
// the panic of each.
func together(t *testing.T, s *Store, writes ...func() error) []any {
	t.Helper()
	out := make([]any, len(writes))
	s.group.turn <- struct{}{}
	var running sync.WaitGroup
	for i, write := range writes {
		running.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					out[i] = p
				}
			}()
			if err := write(); err != nil {
				out[i] = err
			}
		})
		for waiting := 0; waiting <= i; runtime.Gosched() {
			s.group.mu.Lock()
			waiting = len(s.group.waiting)
			s.group.mu.Unlock()
		}
	}
	<-s.group.turn
	running.Wait()
	return out
}

func mustAdd(t *testing.T, s *Store, id user.ID) {
	t.Helper()
	if err := s.Users().Add(t.Context(), sampleUser(t, id)); err != nil {
		t.Fatal(err)
	}
}

// Concurrent writes share one commit, and each fails alone.
func TestConcurrentWritesShareACommit(t *testing.T) {
	s := opened(t)
	for _, id := range []user.ID{"1", "2"} {
		mustAdd(t, s, id)
	}
	refused := errors.New("refused")
	panics := errors.New("panics")
	commits, stored := s.group.commits.Load(), s.group.writes.Load()
	got := together(
		t, s,
		func() error { return s.Users().Add(t.Context(), sampleUser(t, "3")) },
		func() error { return s.Users().Add(t.Context(), sampleUser(t, "1")) }, // is there
		func() error {
			_, err := s.Users().Update(t.Context(), "2", func(u *user.User) error {
				u.EndSessions(time.Now())
				return refused
			})
			return err
		},
		func() error {
			return s.Write(t.Context(), "panic", sqltable.Durable, func(ctx context.Context, q sqltable.Querier) error {
				if _, err := q.Exec(ctx, "DELETE FROM users"); err != nil {
					return err
				}
				panic(panics)
			})
		},
		func() error { return s.Users().Delete(t.Context(), "2", func(*user.User) error { return nil }) },
	)
	for i, want := range []error{nil, user.ErrEmailTaken, refused, panics, nil} {
		if err, _ := got[i].(error); !errors.Is(err, want) {
			t.Errorf("write %d: got %v, want %v", i+1, got[i], want)
		}
	}
	if c, w := s.group.commits.Load()-commits, s.group.writes.Load()-stored; c != 1 || w != 2 {
		t.Errorf("%d commits of %d writes, want 1 of 2", c, w)
	}
	for id, want := range map[user.ID]error{"1": nil, "2": user.ErrNotFound, "3": nil} {
		if _, err := s.Users().Get(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("user %s: got %v, want %v", id, err, want)
		}
	}
}

// Each of several writes runs once, also when one fails before it changes something. When one fails later, all run again.
func TestWritesRunAgainWhenOneIsUndone(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(context.Context, sqltable.Querier) error
		runs int
	}{
		"before a change": {func(context.Context, sqltable.Querier) error { return user.ErrStale }, 1},
		"after a change": {func(ctx context.Context, q sqltable.Querier) error {
			_, err := q.Exec(ctx, "DELETE FROM users")
			return errors.Join(user.ErrStale, err)
		}, 2},
		"after a change that returns its row": {func(ctx context.Context, q sqltable.Querier) error {
			var n int64
			err := q.QueryRow(ctx, "UPDATE counters SET value = 77 RETURNING value").Scan(&n)
			return errors.Join(user.ErrStale, err)
		}, 2},
		"in a query": {func(ctx context.Context, q sqltable.Querier) error {
			var n int64
			return errors.Join(user.ErrStale, q.QueryRow(ctx, "SELECT json_extract('{', '$')").Scan(&n))
		}, 2},
		"in a query for many rows": {func(ctx context.Context, q sqltable.Querier) error {
			none := func(sqltable.Row) error { return nil }
			return errors.Join(user.ErrStale, q.QueryEach(ctx, "SELECT json_extract('{', '$')", nil, none))
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t)
			mustAdd(t, s, "1")
			runs := 0
			got := together(
				t, s,
				func() error {
					_, err := s.Users().Update(t.Context(), "1", func(u *user.User) error { runs++; u.Rename("Ann", "Lee"); return nil })
					return err
				},
				func() error { return s.Write(t.Context(), "fail", sqltable.Durable, c.fail) },
				func() error { return s.Users().Add(t.Context(), sampleUser(t, "2")) },
			)
			if failed, _ := got[1].(error); got[0] != nil || !errors.Is(failed, user.ErrStale) || got[2] != nil {
				t.Errorf("got %v", got)
			}
			if runs != c.runs {
				t.Errorf("another write ran %d times, want %d", runs, c.runs)
			}
			if u, err := s.Users().Get(t.Context(), "1"); err != nil || u.Snapshot().FirstName != "Ann" || u.Version() != 2 {
				t.Errorf("the other write left %v, %v", u, err)
			}
			if n, err := s.UserIDs().NewUserID(t.Context()); err != nil || n != "3" {
				t.Errorf("the next id is %s, %v", n, err)
			}
		})
	}
}

// A caller that gives up while it waits stores nothing, and the other writes run.
func TestWaitingWriteEndsWithItsContext(t *testing.T) {
	s := opened(t)
	ctx, leave := context.WithCancel(t.Context())
	s.group.turn <- struct{}{}
	left := make(chan error)
	go func() { left <- s.Users().Add(ctx, sampleUser(t, "1")) }()
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-s.group.turn
	mustAdd(t, s, "2")
	if _, err := s.Users().Get(t.Context(), "1"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("the user of the caller that left: %v", err)
	}
}

// A commit that fails fails for all writes in it: none of them is stored.
func TestFailedCommitFailsForAll(t *testing.T) {
	s := opened(t)
	broken := func(ctx context.Context, q sqltable.Querier) error {
		// A deferred foreign key makes the commit fail, as a full disk does.
		for _, statement := range []string{
			"CREATE TABLE parents (id INTEGER PRIMARY KEY)",
			"CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
			"INSERT INTO children VALUES (1)",
		} {
			if _, err := q.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
	got := together(
		t, s,
		func() error { return s.Users().Add(t.Context(), sampleUser(t, "1")) },
		func() error { return s.Write(t.Context(), "broken", sqltable.Durable, broken) },
	)
	for i, err := range got {
		if err == nil {
			t.Errorf("write %d succeeded", i+1)
		}
	}
	if _, err := s.Users().Get(t.Context(), "1"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("the user: %v", err)
	}
	mustAdd(t, s, "1")
}

// When a write ends the goroutine that runs a group, every caller of the group gets an error, and the next writes run.
func TestGroupSurvivesTheEndOfItsGoroutine(t *testing.T) {
	s := opened(t)
	exits := func(context.Context, sqltable.Querier) error {
		runtime.Goexit()
		return nil
	}
	exit := func() error { return s.Write(t.Context(), "exit", sqltable.Durable, exits) }
	add := func() error { return s.Users().Add(t.Context(), sampleUser(t, "1")) }
	for i, err := range together(t, s, exit, add) {
		if err != any(errNotEnded) {
			t.Errorf("write %d: got %v, want %v", i+1, err, errNotEnded)
		}
	}
	if _, err := s.Users().Get(t.Context(), "1"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("the user of the write that failed: %v", err)
	}
	mustAdd(t, s, "2")

	// The caller that gets the turn is not always the first in the group, and its own write can be left for the next transaction.
	s.groupSize = 1
	for range 2 {
		w := &write{ctx: t.Context(), op: "exit", mode: sqltable.Durable, work: exits, ran: make(chan struct{}), done: make(chan struct{})}
		s.group.waiting = append(s.group.waiting, w)
	}
	last := s.group.waiting[1]
	if err := s.gate.Enter(); err != nil {
		t.Fatal(err)
	}
	s.group.turn <- struct{}{}
	go s.takeTurn(last)
	if <-last.done; !errors.Is(last.err, errNotEnded) {
		t.Errorf("got %v, want %v", last.err, errNotEnded)
	}
	mustAdd(t, s, "3")
}

// noConnection is a driver that panics.
type noConnection struct{}

func (noConnection) Connect(context.Context) (driver.Conn, error) { panic("no connection") }
func (noConnection) Driver() driver.Driver                        { return nil }

// A panic outside the writes, before a transaction or after it, goes on in the goroutine of one caller. The other writes have
// their own results, and the next writes run.
func TestPanicOutsideWrites(t *testing.T) {
	s := opened(t)
	writes := []func() error{
		func() error { return s.Users().Add(t.Context(), sampleUser(t, "1")) },
		func() error { return s.Users().Add(t.Context(), sampleUser(t, "2")) },
	}
	writer := s.writer
	s.writer = sql.OpenDB(noConnection{})
	for i, got := range together(t, s, writes...) { // each has the turn once
		if got != "no connection" {
			t.Errorf("write %d: got %v", i+1, got)
		}
	}
	if err := s.writer.Close(); err != nil {
		t.Error(err)
	}
	s.writer = writer

	s.options.Committed = func(int) { panic("not counted") }
	if got := together(t, s, writes...); !slices.Contains(got, any("not counted")) || !slices.Contains(got, nil) {
		t.Errorf("got %v, want one panic and one success", got)
	}
	s.options.Committed = nil
	mustAdd(t, s, "3")
	for _, id := range []user.ID{"1", "2", "3"} {
		if _, err := s.Users().Get(t.Context(), id); err != nil {
			t.Errorf("user %s: %v", id, err)
		}
	}
}

// beforeCommit has SQLite call a function at the beginning of each commit.
func beforeCommit(t *testing.T, s *Store, f func()) {
	t.Helper()
	c, err := s.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = c.Raw(func(c any) error {
		hooks, ok := c.(sqlite.HookRegisterer)
		if !ok {
			return fmt.Errorf("a connection is a %T", c)
		}
		hooks.RegisterCommitHook(func() int32 { f(); return 0 })
		return nil
	})
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
}

// A caller whose context ends during a slow commit leaves at once. Reads are served, Close waits for the commit, and the write
// is stored.
func TestCallerLeavesASlowCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := reopened(t, path)
	committing, release := make(chan struct{}), make(chan struct{})
	beforeCommit(t, s, func() {
		committing <- struct{}{}
		<-release
	})
	ctx, leave := context.WithCancel(t.Context())
	added := make(chan error)
	go func() { added <- s.Users().Add(ctx, sampleUser(t, "1")) }()
	<-committing
	leave()
	if err := <-added; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := s.Users().Get(t.Context(), "1"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("the user before the commit: %v", err)
	}
	for range 20 { // Shut returns either nil or the error of ctx when it could return both
		if err := s.gate.Shut(ctx); err == nil {
			t.Fatal("Close would not wait for the commit")
		}
	}
	close(release)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := reopened(t, path).Users().Get(t.Context(), "1"); err != nil {
		t.Errorf("the user after the commit: %v", err)
	}
}

// With group_commit=off, each write is a transaction of its own.
func TestGroupCommitOff(t *testing.T) {
	u, err := url.Parse("sqlite:" + t.TempDir() + "/roster.db?group_commit=off")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Driver.Open(u, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := b.(*Store)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	var writes []func() error
	for i := range 5 {
		writes = append(writes, func() error { return s.Users().Add(t.Context(), sampleUser(t, user.ID(fmt.Sprint(i+1)))) })
	}
	for i, err := range together(t, s, writes...) {
		if err != nil {
			t.Errorf("write %d: %v", i+1, err)
		}
	}
	if c, w := s.group.commits.Load(), s.group.writes.Load(); c != 5 || w != 5 {
		t.Errorf("%d commits of %d writes, want 5 of 5", c, w)
	}
}
