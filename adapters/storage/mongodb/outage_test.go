package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/adapters/storage/mongodb"
	"roster/domain/fault"
	"roster/domain/user"
	"roster/test/support/testenv"
)

// nowhere returns an address without a listener.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAbsentServer(t *testing.T) {
	s := create(t, "mongodb://roster:hunter2secret@"+nowhere(t)+"/roster", mongodb.Options{})
	if err := s.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Ping before Start: got %v, want fault.Unavailable", err)
	}
	err := s.Start(t.Context())
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Start: got %v, want fault.Unavailable", err)
	}
	if strings.Contains(fmt.Sprintf("%+v", err), "hunter2") {
		t.Errorf("the error has the password: %v", err)
	}
	shut(t, s)
}

func TestCanceledStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := create(t, "mongodb://"+nowhere(t), mongodb.Options{}).Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Start: got %v, want the context's error", err)
	}
}

// TestOutages takes the server away while many write, and gives it back.
func TestOutages(t *testing.T) {
	for _, c := range []struct {
		name       string
		away, back func(*testenv.MongoServer, testing.TB)
	}{
		{"stopped", (*testenv.MongoServer).Stop, (*testenv.MongoServer).Start},
		{"not answering", (*testenv.MongoServer).Pause, (*testenv.MongoServer).Resume},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := testenv.NewMongoServer(t)
			s := start(t, server.Database())
			mustAdd(t, s, "1")
			rename := func() error {
				_, err := s.Users().Update(t.Context(), "1", func(u *user.User) error {
					u.Rename(u.Snapshot().FirstName+"x", "")
					return nil
				})
				return err
			}
			var wg sync.WaitGroup
			done := make(chan struct{})
			for range 8 {
				wg.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						if err := rename(); err != nil && fault.KindOf(err) != fault.Unavailable {
							t.Errorf("Update: got %v, want fault.Unavailable", err)
							return
						}
					}
				})
			}
			c.away(server, t)
			if err := s.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("Ping: got %v, want fault.Unavailable", err)
			}
			if _, err := s.Users().Get(t.Context(), "1"); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("Get: got %v, want fault.Unavailable", err)
			}
			c.back(server, t)
			close(done)
			wg.Wait()
			err := errors.New("not tried")
			for try := 0; err != nil && try < 10; try++ { // a call or two may still meet what is left of the outage
				if err = rename(); err != nil && fault.KindOf(err) != fault.Unavailable {
					t.Fatalf("Update: %v", err)
				}
			}
			if err != nil {
				t.Errorf("the store did not recover: %v", err)
			}
		})
	}
}

// TestLostConnectionsGoUnseen restarts the server between two reads of each kind: the second meets a
// connection that is of no use, and is tried again.
func TestLostConnectionsGoUnseen(t *testing.T) {
	server := testenv.NewMongoServer(t)
	s := start(t, server.Database())
	mustAdd(t, s, "1")
	for what, read := range map[string]func() error{
		"Get":  func() error { _, err := s.Users().Get(t.Context(), "1"); return err },
		"List": func() error { _, err := s.Users().List(t.Context(), user.Query{Limit: 9}); return err },
		"Page": func() error { _, err := s.Archive().Events().Page(t.Context(), "", 9); return err },
	} {
		if err := read(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		server.Stop(t)
		server.Start(t)
		if err := read(); err != nil {
			t.Errorf("%s after the server was restarted: %v", what, err)
		}
	}
}

// TestDeadlineOfACaller asks a server that does not answer, for callers with less time than the store.
func TestDeadlineOfACaller(t *testing.T) {
	server := testenv.NewMongoServer(t)
	s := start(t, server.Database())
	mustAdd(t, s, "1")
	server.Pause(t)
	defer server.Resume(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := s.Users().List(ctx, user.Query{Limit: 9}); !errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable {
				t.Errorf("List: got %v, want the context's error", err)
			}
		})
	}
	wg.Wait()
}
