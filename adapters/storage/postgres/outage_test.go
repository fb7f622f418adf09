package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/adapters/storage/postgres"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/support/testenv"
)

// wantUnavailable fails unless err is of the kind that asks the caller to try again later, and not the end of the
// caller's context.
func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if fault.KindOf(err) != fault.Unavailable || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("%s: got %v, want fault.Unavailable", what, err)
	}
}

// operations is every operation of the backend.
func operations(t *testing.T, s *postgres.Store) map[string]func(context.Context) error {
	t.Helper()
	unchangedUser := func(*user.User) error { return nil }
	x := session.Start("a", "1", 0, epoch, session.Rules{RefreshLifetime: time.Hour}, session.Client{})
	p := person(t, "1")
	return map[string]func(context.Context) error{
		"Ping":           s.Ping,
		"Add":            func(ctx context.Context) error { return s.Users().Add(ctx, p) },
		"Get":            func(ctx context.Context) error { _, err := s.Users().Get(ctx, "1"); return err },
		"ByEmail":        func(ctx context.Context) error { _, err := s.Users().ByEmail(ctx, "x"); return err },
		"Update":         func(ctx context.Context) error { _, err := s.Users().Update(ctx, "1", unchangedUser); return err },
		"Delete":         func(ctx context.Context) error { return s.Users().Delete(ctx, "1", unchangedUser) },
		"List":           func(ctx context.Context) error { _, err := s.Users().List(ctx, user.Query{Limit: 9}); return err },
		"Count":          func(ctx context.Context) error { _, err := s.Users().Count(ctx, user.Filter{}); return err },
		"NewUserID":      func(ctx context.Context) error { _, err := s.UserIDs().NewUserID(ctx); return err },
		"Session.Add":    func(ctx context.Context) error { return s.Sessions().Add(ctx, x) },
		"Session.Get":    func(ctx context.Context) error { _, err := s.Sessions().Get(ctx, "a"); return err },
		"Session.Update": func(ctx context.Context) error { _, err := s.Sessions().Update(ctx, "a", unchanged); return err },
		"DeleteOf":       func(ctx context.Context) error { return s.Sessions().DeleteOf(ctx, "1") },
		"Sweep":          func(ctx context.Context) error { _, err := s.Sessions().Sweep(ctx, epoch, 9); return err },
	}
}

func unchanged(*session.Session) error { return nil }

// TestPausedServer asks a server that keeps its connections and does not answer, with contexts that
// never end: it must not hang.
func TestPausedServer(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	s := start(t, server.Database(t))
	mustAdd(t, s, "7")
	server.Pause(t)
	var wg sync.WaitGroup
	for name, do := range operations(t, s) {
		wg.Go(func() { wantUnavailable(t, name, do(context.Background())) })
	}
	for name, do := range operations(t, s) { // and with contexts that end sooner
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable {
				t.Errorf("%s: got %v, want the context's error", name, err)
			}
		})
	}
	wg.Wait()
	server.Resume(t)
	if _, err := s.Users().Get(t.Context(), "7"); err != nil {
		t.Errorf("Get afterwards: %v", err)
	}
}

// TestRestartUnderUse stops the server under a load and starts it again.
func TestRestartUnderUse(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	s := start(t, server.Database(t))
	ids := []user.ID{"1", "2", "3", "4", "5", "6"}
	mustAdd(t, s, ids...)
	warm, back := make(chan struct{}, len(ids)), make(chan struct{})
	done := make([]int64, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			for again := true; again; {
				select {
				case <-back: // what begins now must come to succeed
					again = false
				default:
				}
				_, err := s.Users().Update(context.Background(), id, func(u *user.User) error {
					u.RecordSignIn(u.Snapshot().LastLogin.Add(time.Second))
					return nil
				})
				if err != nil {
					wantUnavailable(t, "Update", err)
					again = true
					continue
				}
				if done[i]++; done[i] == 10 {
					warm <- struct{}{}
				}
			}
		})
	}
	for range ids {
		<-warm
	}
	server.Stop(t)
	for name, do := range operations(t, s) {
		wantUnavailable(t, name, do(t.Context()))
	}
	server.Start(t)
	close(back)
	wg.Wait()
	for i, id := range ids {
		// A change may have been stored although its answer was lost.
		u, err := s.Users().Get(t.Context(), id)
		if err != nil || u.Version()-1 < done[i] || u.Version()-1 > done[i]+1 {
			t.Errorf("Get: %v, %v; want %d changes", u, err, done[i])
		}
	}
}

func TestLostConnectionsGoUnseen(t *testing.T) {
	url := testenv.Postgres(t)
	s := start(t, url)
	mustAdd(t, s, "1")
	c := raw(t, url)
	for name, do := range operations(t, s) {
		if name == "Add" {
			continue // is there
		}
		if _, err := c.Exec(t.Context(), "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
		if err := do(t.Context()); err != nil && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartWithoutAServer(t *testing.T) {
	const secret = "hunter2"
	s, err := postgres.New("postgres://roster:" + secret + "@localhost:1/x?sslpassword=" + secret + "&host=" + t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Start(t.Context())
	wantUnavailable(t, "Start", err)
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("Start: got %v", err)
	}
	wantUnavailable(t, "Ping", s.Ping(t.Context()))
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err = postgres.New(testenv.Postgres(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Start under an ended context: %v", err)
	}
}
