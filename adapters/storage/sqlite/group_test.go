package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"time"

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

// When a write ends the goroutine that runs the group, no write of the group is acknowledged, and the next writes run.
func TestGroupSurvivesTheEndOfItsGoroutine(t *testing.T) {
	s := opened(t)
	acknowledged := false
	together(
		t, s,
		func() error {
			return s.Write(t.Context(), "exit", sqltable.Durable, func(context.Context, sqltable.Querier) error {
				runtime.Goexit()
				return nil
			})
		},
		func() error { // may run in the goroutine that runs both, and not return
			err := s.Users().Add(t.Context(), sampleUser(t, "1"))
			acknowledged = err == nil
			return err
		},
	)
	if _, err := s.Users().Get(t.Context(), "1"); (err == nil) != acknowledged {
		t.Errorf("the other write was acknowledged: %t; its user: %v", acknowledged, err)
	}
	mustAdd(t, s, "2")
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
