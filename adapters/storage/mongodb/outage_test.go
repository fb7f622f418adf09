package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"roster/adapters/storage/mongodb"
	"roster/domain/fault"
	"roster/domain/user"
	"roster/test/testenv"
)

// nowhere is an address at which nobody listens.
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
		t.Errorf("the error tells the password: %v", err)
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
