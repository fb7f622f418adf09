package mongodb_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage/mongodb"
	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/test/support/testenv"
)

var subject = lockout.ForAddress("a@example.com")

// fails is a change that counts a failure at now.
func fails(now time.Time) func(*lockout.Record) error {
	return func(r *lockout.Record) error { r.Fail(now, lockout.Policy{Free: 100, Leak: time.Hour}); return nil }
}

func mustFail(t *testing.T, s *mongodb.Store, now time.Time) lockout.Snapshot {
	t.Helper()
	r, err := s.Attempts().Update(t.Context(), subject, fails(now))
	if err != nil {
		t.Fatal(err)
	}
	return r.Snapshot()
}

// TestOvertaken stores the first failure concurrently while one is counted.
func TestOvertaken(t *testing.T) {
	uri := testenv.MongoDB(t)
	b := start(t, uri)
	a, arm := pausing(t, uri, "insert", "attempts", func() { mustFail(t, b, epoch) })
	arm()
	if s := mustFail(t, a, epoch); s.Failures != 2 || s.Version != 2 {
		t.Errorf("got %+v, want both counted", s)
	}
}

// TestAnotherLife has the record swept and begun anew while one counts: it has the same id and version,
// and is another.
func TestAnotherLife(t *testing.T) {
	uri := testenv.MongoDB(t)
	b := start(t, uri)
	later := epoch.Add(1000 * time.Hour)
	mustFail(t, b, epoch)
	a, arm := pausing(t, uri, "update", "attempts", func() {
		if n, err := b.Attempts().Sweep(t.Context(), later, 9); n != 1 || err != nil {
			t.Errorf("Sweep: %d, %v", n, err)
		}
		mustFail(t, b, later)
	})
	arm()
	if s := mustFail(t, a, later); s.Failures != 2 || s.Version != 2 {
		t.Errorf("got %+v, want both counted", s)
	}
}

// TestWriteConcerns shows that a count of failures waits for the primary only, and every other write for a majority.
func TestWriteConcerns(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bson.Raw{}
	s := create(t, testenv.MongoDB(t), mongodb.Options{Monitor: &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			switch e.CommandName {
			case "insert", "update", "delete":
				concern, _ := e.Command.Lookup("writeConcern").DocumentOK()
				mu.Lock()
				defer mu.Unlock()
				seen[e.CommandName+" "+e.Command.Lookup(e.CommandName).StringValue()] = concern
			}
		},
	}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustFail(t, s, epoch)
	mustFail(t, s, epoch)
	if err := s.AuditTrail().Append(t.Context(), audit.Event{ID: "e", At: epoch, Kind: audit.SignedIn}); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, "1")
	shut(t, s)
	const majority, primary = `{"w": "majority","j": true}`, `{"w": {"$numberInt":"1"}}`
	for command, want := range map[string]string{
		"insert attempts": primary, "update attempts": primary, "insert audit_events": majority, "insert users": majority,
	} {
		if got := seen[command].String(); got != want {
			t.Errorf("%s: write concern %s, want %s", command, got, want)
		}
	}
}
