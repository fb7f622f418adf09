package mongodb_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage/mongodb"
	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/testenv"
)

// wire records the commands that a store sends.
type wire struct {
	mu   sync.Mutex
	seen []bson.Raw
}

func (w *wire) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, slices.Clone(e.Command))
	}}
}

// sent returns what was sent since it was asked the last time.
func (w *wire) sent() []bson.Raw {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.seen
	w.seen = nil
	return out
}

// name is that of a command, and the collection that it is about.
func name(command bson.Raw) string {
	first := command.Index(0)
	about, _ := first.Value().StringValueOK()
	return strings.TrimSpace(first.Key() + " " + about)
}

// watched opens the database at uri and records what the store sends from its start on.
func watched(t *testing.T, uri string) (*mongodb.Store, *wire) {
	t.Helper()
	w := &wire{}
	s := create(t, uri, mongodb.Options{KeepExpired: true, Monitor: w.monitor()})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s, w
}

// many is more documents than a server sends in a first batch by itself.
const many = 150

// fill stores many records of each kind.
func fill(t *testing.T, s *mongodb.Store) {
	t.Helper()
	var us []user.Snapshot
	var xs []session.Snapshot
	var rs []lockout.Snapshot
	var es []audit.Event
	for i := range many {
		id := user.IntegerID(int64(i + 1))
		us = append(us, person(t, id).Snapshot())
		xs = append(xs, session.Snapshot{ID: session.ID(id), User: "1", Created: epoch, Confirmed: epoch, Expires: epoch.AddDate(1, 0, 0), Version: 1})
		rs = append(rs, lockout.Snapshot{Subject: lockout.Subject(id), Failures: 1, Last: epoch, Expires: epoch.AddDate(1, 0, 0), Version: 1})
		es = append(es, audit.Event{ID: audit.ID(id), At: epoch, Kind: audit.SignedIn, User: "1"})
	}
	for _, put := range []func() ([]error, error){
		func() ([]error, error) { return s.Archive().Users().Put(t.Context(), us) },
		func() ([]error, error) { return s.Archive().Sessions().Put(t.Context(), xs) },
		func() ([]error, error) { return s.Archive().Attempts().Put(t.Context(), rs) },
		func() ([]error, error) { return s.Archive().Events().Put(t.Context(), es) },
	} {
		if refused, err := put(); err != nil || slices.ContainsFunc(refused, func(err error) bool { return err != nil }) {
			t.Fatalf("Put: %v, %v", refused, err)
		}
	}
}

// TestReadsAreOneBatchWithALimitOfTime reads pages of every kind. Each is one command, whose time the server
// knows: it ends with the caller's, and leaves nothing to be fetched.
func TestReadsAreOneBatchWithALimitOfTime(t *testing.T) {
	s, w := watched(t, testenv.MongoDB(t))
	fill(t, s)
	a, ctx := s.Archive(), t.Context()
	for what, read := range map[string]func() (n int, err error){
		"users": func() (int, error) {
			us, err := s.Users().List(ctx, user.Query{Order: user.Ordering("last_name,first_name"), Limit: many})
			return len(us), err
		},
		"a count": func() (int, error) {
			active := false
			return s.Users().Count(ctx, user.Filter{Active: &active})
		},
		"the count of all": func() (int, error) { return s.Users().Count(ctx, user.Filter{}) },
		"sessions": func() (int, error) {
			xs, err := s.Sessions().List(ctx, session.Query{Owner: "1", LiveAt: epoch, Limit: many})
			return len(xs), err
		},
		"events": func() (int, error) {
			es, err := s.AuditTrail().List(ctx, audit.Query{Limit: many})
			return len(es), err
		},
		"all users":    func() (int, error) { p, err := a.Users().Page(ctx, "", many); return len(p), err },
		"all sessions": func() (int, error) { p, err := a.Sessions().Page(ctx, "", many); return len(p), err },
		"all failures": func() (int, error) { p, err := a.Attempts().Page(ctx, "", many); return len(p), err },
		"all events":   func() (int, error) { p, err := a.Events().Page(ctx, "", many); return len(p), err },
	} {
		w.sent()
		if n, err := read(); n != many || err != nil {
			t.Errorf("%s: %d, %v; want %d", what, n, err, many)
		}
		commands := w.sent()
		if len(commands) != 1 {
			t.Errorf("%s: %d commands were sent, want 1: %v", what, len(commands), commands)
		}
		for _, c := range commands {
			wantLimit(t, what, c)
			if disk, _ := c.Lookup("allowDiskUse").BooleanOK(); disk != (what == "users") {
				t.Errorf("%s: allowDiskUse is %v", what, disk)
			}
		}
	}
	for what, sweep := range map[string]func() (int, error){
		"sessions": func() (int, error) { return s.Sessions().Sweep(ctx, epoch.AddDate(2, 0, 0), many) },
		"failures": func() (int, error) { return s.Attempts().Sweep(ctx, epoch.AddDate(2, 0, 0), many) },
		"events":   func() (int, error) { return s.AuditTrail().Sweep(ctx, epoch.AddDate(2, 0, 0), many) },
	} {
		w.sent()
		if n, err := sweep(); n != many || err != nil {
			t.Errorf("sweep of %s: %d, %v; want %d", what, n, err, many)
		}
		commands := w.sent()
		if len(commands) != 2 {
			t.Errorf("sweep of %s: %d commands were sent, want find and delete: %v", what, len(commands), commands)
		}
		for _, c := range commands {
			wantLimit(t, what, c)
		}
	}
}

// wantLimit wants a command to carry one limit of time, our own at most.
func wantLimit(t *testing.T, what string, command bson.Raw) {
	t.Helper()
	elements, err := command.Elements()
	if err != nil {
		t.Fatal(err)
	}
	limits := 0
	for _, e := range elements {
		if e.Key() == "maxTimeMS" {
			limits++
		}
	}
	if ms, ok := command.Lookup("maxTimeMS").AsInt64OK(); limits != 1 || !ok || ms < 1 || ms > 5000 {
		t.Errorf("%s: %s has %d limits of time, %d ms; want one of 5000 at most", what, name(command), limits, ms)
	}
}
