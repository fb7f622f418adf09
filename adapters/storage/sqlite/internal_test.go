package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"roster/adapters/storage/sqltable"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
)

// opened returns a started Store on a new file.
func opened(t *testing.T) *Store {
	t.Helper()
	s, err := New(filepath.Join(t.TempDir(), "roster.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func sampleUser(t *testing.T, id user.ID) *user.User {
	t.Helper()
	u, err := user.Restore(user.Snapshot{
		ID: id, Email: string(id) + "@example.com", EmailKey: string(id) + "@example.com",
		Joined: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Version: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestSettingsAreInForce queries each connection, since SQLite does not refuse a mistyped setting.
func TestSettingsAreInForce(t *testing.T) {
	s := opened(t)
	for _, c := range []struct {
		name   string
		db     *sql.DB
		pragma string
		want   string
	}{
		{"writer", s.writer, "journal_mode", "wal"},
		{"writer", s.writer, "synchronous", "2"}, // FULL
		{"writer", s.writer, "foreign_keys", "1"},
		{"writer", s.writer, "busy_timeout", "5000"},
		{"writer", s.writer, "query_only", "0"},
		{"writer", s.writer, "temp_store", "2"},
		{"writer", s.writer, "secure_delete", "1"},
		{"writer", s.writer, "application_id", fmt.Sprint(applicationID)},
		{"reader", s.reader, "journal_mode", "wal"},
		{"reader", s.reader, "busy_timeout", "5000"},
		{"reader", s.reader, "query_only", "1"},
	} {
		var got string
		if err := c.db.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got); err != nil || got != c.want {
			t.Errorf("%s: %s is %s, %v; want %s", c.name, c.pragma, got, err, c.want)
		}
	}
	if n := s.writer.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("there may be %d writers, want 1", n)
	}
	if _, err := s.reader.ExecContext(t.Context(), "DELETE FROM counters"); err == nil {
		t.Error("a reader can write")
	}
}

func TestTranslate(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	// The error of database/sql for a transaction that it rolled back because its context had ended.
	if err := translate(ended, "x", sql.ErrTxDone); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
	if err := translate(ended, "x", nil); err != nil {
		t.Errorf("an operation that succeeded before the context ended: %v", err)
	}
	if err := translate(t.Context(), "x", sql.ErrTxDone); !errors.Is(err, sql.ErrTxDone) || fault.KindOf(err) != fault.Internal {
		t.Errorf("a defect: %v", err)
	}
}

// TestLogAheadWaitsForAWriter shows that logAhead tries again: SQLite does not wait in this case.
func TestLogAheadWaitsForAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := createFile(path); err != nil {
		t.Fatal(err)
	}
	var stores [2]*Store
	for i := range stores {
		var err error
		if stores[i], err = New(path); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stores[i].release() }()
	}
	lock, err := stores[0].writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := logAhead(soon, stores[1].writer, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside a writer: %v, want it to try until the context ends", err)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := logAhead(t.Context(), stores[1].writer, path); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// wantUnavailable fails unless err is of the kind that asks the caller to try again later.
func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, fault.ErrUnavailable) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%s: got %v, want fault.Unavailable", what, err)
	}
}

func set(t *testing.T, s *Store, pragma string) {
	t.Helper()
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA "+pragma); err != nil {
		t.Fatal(err)
	}
}

func TestOutagesAreUnavailable(t *testing.T) {
	t.Run("locked by another process", func(t *testing.T) {
		s := opened(t)
		other, err := New(s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer other.release()
		lock, err := other.writer.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		set(t, s, "busy_timeout = 1")
		wantUnavailable(t, "Add", s.Users().Add(t.Context(), sampleUser(t, "1")))
		if err := lock.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
			t.Errorf("Add afterwards: %v", err)
		}
	})
	t.Run("disk full", func(t *testing.T) {
		s := opened(t)
		set(t, s, "max_page_count = 1") // the limit becomes the present size
		var err error
		for i := 1; err == nil; i++ {
			err = s.Users().Add(t.Context(), sampleUser(t, user.IntegerID(int64(i))))
		}
		wantUnavailable(t, "Add", err)
		stored, err := s.Users().Count(t.Context(), user.Filter{})
		if err != nil {
			t.Errorf("Count on a full disk: %v", err)
		}
		all, err := s.Users().List(t.Context(), user.Query{Order: []user.Order{{By: user.SortID}}, Limit: 1 << 20})
		if err != nil || len(all) != stored {
			t.Errorf("List on a full disk: %d users, %v; want the %d counted", len(all), err, stored)
		}
		set(t, s, "max_page_count = 1000000")
		if err := s.Users().Add(t.Context(), sampleUser(t, user.IntegerID(int64(stored)+1))); err != nil {
			t.Errorf("Add afterwards: %v", err)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		s := opened(t)
		set(t, s, "query_only = 1")
		wantUnavailable(t, "Add", s.Users().Add(t.Context(), sampleUser(t, "1")))
	})
	t.Run("not open", func(t *testing.T) {
		s, err := New(filepath.Join(t.TempDir(), "x.db"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Users().Get(t.Context(), "1")
		wantUnavailable(t, "Get before Start", err)
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = s.Users().Get(t.Context(), "1")
		wantUnavailable(t, "Get after Close", err)
		wantUnavailable(t, "Add after Close", s.Users().Add(t.Context(), sampleUser(t, "1")))
		wantUnavailable(t, "Ping after Close", s.Ping(t.Context()))
	})
}

// TestEndOfContext interrupts operations that would never end.
func TestEndOfContext(t *testing.T) {
	const endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	s := opened(t)
	run := func(ctx context.Context) error {
		return s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
			return translate(ctx, "count without end", q.QueryEach(ctx, endless, nil, func(sqltable.Row) error { return nil }))
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if err := run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled query: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late query: %v", err)
	}

	// So does a read that waits for a connection, and one by key under an ended context.
	for range cap(s.slots) {
		s.slots <- struct{}{}
	}
	ctx, cancel = context.WithCancel(t.Context())
	go cancel()
	if _, err := s.Users().Get(ctx, "1"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting read: %v", err)
	}
	for range cap(s.slots) {
		<-s.slots
	}
	for range 20 { // the wait may end in either way
		if _, err := s.Users().Get(ctx, "1"); !errors.Is(err, context.Canceled) {
			t.Errorf("read under an ended context: %v", err)
		}
	}

	// A write that waits for another gives up too, and the lock is released.
	err := s.Write(t.Context(), "hold the lock", sqltable.Durable, func(context.Context, sqltable.Querier) error {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		return s.Users().Add(ctx, sampleUser(t, "1"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting write: %v", err)
	}
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Errorf("Add afterwards: %v", err)
	}
}

func TestPanicInAChangeLeavesNothingBehind(t *testing.T) {
	s := opened(t)
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = s.Users().Update(t.Context(), "1", func(u *user.User) error {
			u.Rename("Half", "Done")
			panic("defect")
		})
	}()
	u, err := s.Users().Update(t.Context(), "1", func(u *user.User) error { u.Rename("Whole", ""); return nil })
	if err != nil || u.Version() != 2 {
		t.Errorf("the next update: %v, %v", u, err)
	}
}

func TestCloseWaits(t *testing.T) {
	s, err := New(filepath.Join(t.TempDir(), "roster.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := session.Start("a", "1", 0, time.Unix(1, 0).UTC(), session.Rules{}, session.Client{})
	if err := s.Sessions().Add(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	err = s.Read(t.Context(), func(context.Context, sqltable.Querier) error {
		if err := s.Close(impatient); !errors.Is(err, context.Canceled) {
			t.Errorf("Close while a read is under way: %v, want it to wait until its context ends", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("Close when all is done: %v", err)
	}
}
