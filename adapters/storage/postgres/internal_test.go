package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/support/testenv"
)

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

// TestSettingsAreInForce asks the server, whatever the URL says.
func TestSettingsAreInForce(t *testing.T) {
	url := testenv.Postgres(t)
	sep := map[bool]string{true: "&", false: "?"}[strings.Contains(url, "?")]
	for options, durable := range map[string]string{
		"synchronous_commit=off&statement_timeout=0": "on", "synchronous_commit=remote_apply": "remote_apply",
	} {
		s, err := New(url + sep + options)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for setting, want := range map[string]string{
			"synchronous_commit": durable, "statement_timeout": "5s", "idle_in_transaction_session_timeout": "10s",
			"transaction_isolation": "read committed", "application_name": "roster", "client_encoding": "UTF8",
		} {
			var got string
			if err := s.pool.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %s, %v; want %s", options, setting, got, err, want)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func TestTranslate(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := translate(ended, "x", io.ErrUnexpectedEOF); !errors.Is(err, context.Canceled) || again(err) {
		t.Errorf("under an ended context: %v", err)
	}
	if err := translate(testenv.LateContext(t), "x", io.ErrUnexpectedEOF); !errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable || again(err) {
		t.Errorf("after the caller's deadline, noticed on the connection first: %v", err)
	}
	if err := translate(ended, "x", nil); err != nil {
		t.Errorf("what was done before the context ended: %v", err)
	}
	for _, c := range []struct {
		err   error
		kind  fault.Kind
		again bool
	}{
		{&pgconn.PgError{Code: uniqueViolation, TableName: "users", ConstraintName: "users_email_key"}, fault.Invalid, false},
		{&pgconn.PgError{Code: uniqueViolation, TableName: "users", ConstraintName: "users_id"}, fault.Conflict, false},
		{&pgconn.PgError{Code: uniqueViolation, TableName: "users", ConstraintName: "another"}, fault.Internal, false},
		{&pgconn.PgError{Code: serializationFailure}, fault.Unavailable, true},
		{&pgconn.PgError{Code: deadlockDetected}, fault.Unavailable, true},
		{&pgconn.PgError{Code: adminShutdown}, fault.Unavailable, true},
		{&pgconn.PgError{Code: readOnlyTransaction}, fault.Unavailable, false},
		{&pgconn.PgError{Code: "53300"}, fault.Unavailable, false}, // too many connections
		{&pgconn.PgError{Code: "53100"}, fault.Unavailable, false}, // disk full
		{&pgconn.PgError{Code: "57P03"}, fault.Unavailable, false}, // starting up
		{&pgconn.PgError{Code: "08006"}, fault.Unavailable, false},
		{&pgconn.PgError{Code: "42601"}, fault.Internal, false}, // a defect
		{&pgconn.PgError{}, fault.Internal, false},
		{io.EOF, fault.Unavailable, true},
		{&net.OpError{Op: "read", Err: net.ErrClosed}, fault.Unavailable, true},
		{pgx.ErrTxCommitRollback, fault.Internal, false},
	} {
		err := failure(t.Context(), "x", c.err, sqltable.Conflicts{ID: user.ErrIDTaken, Unique: user.ErrEmailTaken})
		if fault.KindOf(err) != c.kind || again(err) != c.again {
			t.Errorf("%v: got %v, again: %t", c.err, err, again(err))
		}
	}
}

// TestTriesAgain lets the server refuse the first attempts.
func TestTriesAgain(t *testing.T) {
	s := opened(t)
	for code, want := range map[string]int{serializationFailure: tries, deadlockDetected: tries, lockNotAvailable: 1} {
		for failures := range tries {
			n := 0
			err := s.Write(t.Context(), "x", sqltable.Durable, func(ctx context.Context, q sqltable.Querier) error {
				if n++; n <= failures || failures == tries-1 {
					_, err := q.Exec(ctx, "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '"+code+"'; END $$")
					return translate(ctx, "x", err)
				}
				return nil
			})
			tried := min(want, failures+1)
			if n != tried || (err == nil) != (tried == failures+1 && failures < tries-1) {
				t.Errorf("%s, %d failures: %d attempts, %v", code, failures, n, err)
			}
		}
	}
}

// TestStandby shows what becomes of connections when the server may not be written to any more, as
// after a fail-over, and when it may again.
func TestStandby(t *testing.T) {
	s := opened(t)
	demote := func(ctx context.Context, q sqltable.Querier) error {
		_, err := q.Exec(ctx, "SET default_transaction_read_only = on") // one connection's
		return err
	}
	if err := s.Read(t.Context(), demote); err != nil {
		t.Fatal(err)
	}
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Add: %v", err)
	}
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Errorf("Add on another connection: %v", err)
	}
	var name string
	if err := s.pool.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), "ALTER DATABASE "+name+" SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	other, err := New(s.config.ConnString())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Start: %v", err)
	}
}

// TestEndOfContext interrupts what never ends by itself.
func TestEndOfContext(t *testing.T) {
	s := opened(t)
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context) error {
		return s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
			_, err := q.Exec(ctx, "SELECT pg_sleep(3600)")
			return translate(ctx, "sleep", err)
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

	// A change that waits for another gives up too, and the lock is not left behind.
	rename := func(u *user.User) error { u.Rename("A", "B"); return nil }
	_, err := s.Users().Update(t.Context(), "1", func(*user.User) error {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := s.Users().Update(ctx, "1", rename)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting change: %v", err)
	}
	if _, err := s.Users().Update(t.Context(), "1", rename); err != nil {
		t.Errorf("Update afterwards: %v", err)
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

// TestTextThatTheServerCannotStore gives it what it refuses, in every place that a client can reach.
func TestTextThatTheServerCannotStore(t *testing.T) {
	s := opened(t)
	for _, bad := range []string{"a\x00b", "a\xffb"} {
		if _, err := s.Users().Get(t.Context(), user.ID(bad)); !errors.Is(err, user.ErrNotFound) {
			t.Errorf("Get(%q): %v", bad, err)
		}
		if _, err := s.Users().ByEmail(t.Context(), bad); !errors.Is(err, user.ErrNotFound) {
			t.Errorf("ByEmail(%q): %v", bad, err)
		}
		if _, err := s.Sessions().Get(t.Context(), session.ID(bad)); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Sessions.Get(%q): %v", bad, err)
		}
		from := user.Position{ID: user.ID(bad), FirstName: bad}
		if _, err := s.Users().List(t.Context(), user.Query{From: &from, Order: user.Ordering("first_name"), Limit: 9}); err != nil {
			t.Errorf("List from %q: %v", bad, err)
		}
		if n, err := s.Users().Count(t.Context(), user.Filter{Terms: []string{bad}}); err != nil || n != 0 {
			t.Errorf("Count of %q: %d, %v", bad, n, err)
		}
		if es, err := s.AuditTrail().List(t.Context(), audit.Query{
			Filter: audit.Filter{Actor: user.ID(bad), User: user.ID(bad), Kinds: []audit.Kind{audit.Kind(bad), audit.SignedIn}},
			From:   &audit.Position{At: time.Unix(1, 0), ID: audit.ID(bad)}, Limit: 9,
		}); err != nil || len(es) != 0 {
			t.Errorf("AuditTrail.List of %q: %v, %v", bad, es, err)
		}
		e := audit.Event{ID: "e", At: time.Unix(1, 0), Kind: audit.SignedIn, RequestID: bad, UserAgent: bad}
		if err := s.AuditTrail().Append(t.Context(), e); err != nil {
			t.Errorf("AuditTrail.Append from %q: %v", bad, err)
		}
		if xs, err := s.Sessions().List(t.Context(), session.Query{Owner: user.ID(bad), Limit: 9}); err != nil || len(xs) != 0 {
			t.Errorf("Sessions.List of %q: %v, %v", bad, xs, err)
		}
		if xs, err := s.Sessions().List(t.Context(), session.Query{Owner: "1", From: &session.Position{ID: session.ID(bad)}, Limit: 9}); err != nil {
			t.Errorf("Sessions.List from %q: %v, %v", bad, xs, err)
		}
		x := session.Start(session.ID("s"+bad[2:]), "1", 0, time.Unix(1, 0), session.Rules{}, session.Client{UserAgent: bad})
		if err := s.Sessions().Add(t.Context(), x); err != nil && !errors.Is(err, session.ErrExists) {
			t.Errorf("Sessions.Add from %q: %v", bad, err)
		}
	}
}

func TestClose(t *testing.T) {
	s, err := New(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Users().Get(t.Context(), "1"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Get before Start: %v", err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	err = s.Read(t.Context(), func(ctx context.Context, q sqltable.Querier) error {
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
	if err := s.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Ping after Close: %v", err)
	}
}
