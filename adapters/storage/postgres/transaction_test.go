package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"roster/adapters/storage/sqltable"
	"roster/domain/fault"
	"roster/domain/lockout"
	"roster/test/support/testenv"
)

// TestSoon shows that what a crash may undo does not wait for the disk, and that the same
// connections' other writes still do.
func TestSoon(t *testing.T) {
	s := opened(t)
	synchronous := func(ctx context.Context, q sqltable.Querier) (mode string) {
		t.Helper()
		if err := q.QueryRow(ctx, "SELECT current_setting('synchronous_commit')").Scan(&mode); err != nil {
			t.Error(err)
		}
		return mode
	}
	refused := errors.New("refused")
	for _, want := range []error{nil, refused} {
		err := s.Write(t.Context(), "x", sqltable.Soon, func(ctx context.Context, q sqltable.Querier) error {
			if mode := synchronous(ctx, q); mode != "off" {
				t.Errorf("during the write synchronous_commit is %s, want off", mode)
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("Write: %v, want %v", err, want)
		}
		if err := s.Write(t.Context(), "x", sqltable.Durable, func(ctx context.Context, q sqltable.Querier) error {
			if mode := synchronous(ctx, q); mode != "on" {
				t.Errorf("afterwards synchronous_commit is %s, want on", mode)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestOvertaken has another caller store the first failure while one is counted, and again and again.
func TestOvertaken(t *testing.T) {
	s := opened(t)
	now := time.UnixMilli(1750000000000).UTC()
	subject := lockout.ForAddress("a@example.com")
	update := func(between func(nth int)) (runs int, r *lockout.Record, err error) {
		r, err = s.Attempts().Update(t.Context(), subject, func(r *lockout.Record) error {
			runs++
			between(runs)
			r.Fail(now, lockout.Policy{Free: 100, Leak: time.Hour})
			return nil
		})
		return runs, r, err
	}
	other := func() {
		if _, err := s.Attempts().Update(t.Context(), subject, func(r *lockout.Record) error { r.Fail(now, lockout.Policy{Free: 100, Leak: time.Hour}); return nil }); err != nil {
			t.Error(err)
		}
	}
	runs, r, err := update(func(nth int) {
		if nth == 1 {
			other()
		}
	})
	if err != nil || runs != 2 || r.Snapshot().Failures != 2 || r.Snapshot().Version != 2 {
		t.Errorf("overtaken once: %d runs, %+v, %v; want both counted", runs, r, err)
	}

	n := 0
	tables := sqltable.New(meddling{s, func(query string) bool { return query == s.AttemptTable.InsertOnce }}, &dialect)
	_, err = tables.Attempts().Update(t.Context(), lockout.ForAddress("b@example.com"), func(r *lockout.Record) error {
		n++
		r.Fail(now, lockout.Policy{Free: 100, Leak: time.Hour})
		return nil
	})
	if n != tries || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("overtaken for ever: %d attempts, %v", n, err)
	}
}

// TestDeadlineDuringCommit lets the callers' time run out while the server commits: it is not known then
// what became of the changes, and no outage that a caller should wait for.
func TestDeadlineDuringCommit(t *testing.T) {
	const callers = 8
	server := testenv.NewPostgresServer(t)
	s, err := New(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var ready, ended sync.WaitGroup
	ready.Add(callers)
	paused := make(chan struct{})
	for range callers {
		ended.Go(func() {
			arrive := sync.OnceFunc(ready.Done)
			defer arrive()
			err := s.Write(ctx, "x", sqltable.Durable, func(ctx context.Context, q sqltable.Querier) error {
				_, err := q.Exec(ctx, "SELECT 1")
				arrive()
				<-paused
				return err
			})
			if !errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable {
				t.Errorf("write: %v, want the context's error", err)
			}
		})
	}
	ready.Wait()
	server.Pause(t)
	close(paused)
	ended.Wait()
	server.Resume(t)
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
