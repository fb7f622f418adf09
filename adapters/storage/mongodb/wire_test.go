package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage/mongodb"
	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
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

// names is name of each command.
func names(commands []bson.Raw) (all []string) {
	for _, c := range commands {
		all = append(all, name(c))
	}
	return all
}

// watched opens the database at uri and records what the store sends from its start on.
func watched(t *testing.T, uri string) (*mongodb.Store, *wire) {
	t.Helper()
	w := &wire{}
	s := create(t, uri, mongodb.Options{Monitor: w.monitor()})
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
		xs = append(xs, session.Snapshot{ID: session.ID(id), User: "1", Created: epoch, Expires: epoch.AddDate(1, 0, 0), Version: 1})
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
		want := 1
		if what == "all events" {
			want = 3 // those that a crash left in users and in sessions too
		}
		if len(commands) != want {
			t.Errorf("%s: %d commands were sent, want %d: %v", what, len(commands), want, commands)
		}
		for _, c := range commands {
			wantLimit(t, what, c)
			if disk, _ := c.Lookup("allowDiskUse").BooleanOK(); disk != (what == "users") {
				t.Errorf("%s: allowDiskUse is %v", what, disk)
			}
		}
	}
	collection := map[string]string{"sessions": "sessions", "failures": "attempts", "events": "audit_events"}
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
		want := []string{"find " + collection[what], "delete " + collection[what]}
		if what == "events" { // it looks for events in documents as well
			want = append([]string{"find users", "find sessions"}, want...)
		}
		if got := names(commands); !slices.Equal(got, want) {
			t.Errorf("sweep of %s: sent %q, want %q", what, got, want)
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

// TestChangesOfNothingAreAcknowledged shows that a change which finds all as it is to be is answered like a
// write: what it has read may be on the primary alone, and undone with the write that it comes from.
func TestChangesOfNothingAreAcknowledged(t *testing.T) {
	for mode, of := range map[string]func(*testing.T, string) string{"plain": plain, "sharded": sharded} {
		t.Run(mode, func(t *testing.T) {
			s, w := watched(t, of(t, testenv.MongoDB(t)))
			mustAdd(t, s, "1")
			x := session.Start("a", "1", 0, epoch, session.Rules{RefreshLifetime: time.Hour}, session.Client{})
			if err := s.Sessions().Add(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			version := is("version", int64(1))
			for what, c := range map[string]struct {
				do         func() error
				collection string
				filter     bson.D
			}{
				"a user that stays": {func() error {
					_, err := s.Users().Update(t.Context(), "1", func(*user.User) error { return nil })
					return err
				}, "users", append(is("_id", user.ID("1").SortKey()), version...)},
				"a session that stays": {func() error {
					_, err := s.Sessions().Update(t.Context(), "a", func(*session.Session) error { return nil })
					return err
				}, "sessions", append(is("_id", "a"), version...)},
				"a session that was ended before": {func() error {
					_, err := s.Sessions().Update(t.Context(), "a", func(*session.Session) error { return session.ErrNotFound })
					if errors.Is(err, session.ErrNotFound) {
						return nil
					}
					return fmt.Errorf("got %w, want %w", err, session.ErrNotFound)
				}, "sessions", append(is("_id", "a"), version...)},
				"a deleted user": {func() error {
					err := s.Users().Delete(t.Context(), "2", func(*user.User) error { return nil })
					if errors.Is(err, user.ErrNotFound) {
						return nil
					}
					return fmt.Errorf("got %w, want %w", err, user.ErrNotFound)
				}, "users", append(is("_id", is("$in", bson.A{user.ID("2").SortKey()})), is("version", int64(-1))...)},
				"a user that is put again": {func() error {
					refused, err := s.Archive().Users().Put(t.Context(), []user.Snapshot{person(t, "1").Snapshot()})
					if err != nil || !errors.Is(refused[0], outbound.ErrKeyTaken) {
						return fmt.Errorf("got %w, %w; want %w", refused[0], err, outbound.ErrKeyTaken)
					}
					return nil
				}, "users", append(is("_id", is("$in", bson.A{user.ID("1").SortKey()})), is("version", int64(-1))...)},
			} {
				w.sent()
				if err := c.do(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				commands := w.sent()
				wantWithoutEffect(t, what, commands[len(commands)-1], c.collection, c.filter)
			}
			if u, err := s.Users().Get(t.Context(), "1"); err != nil || u.Snapshot() != person(t, "1").Snapshot() {
				t.Errorf("the user has become %+v, %v", u, err)
			}
			w.sent()
			if _, err := s.Attempts().Update(t.Context(), subject, func(*lockout.Record) error { return nil }); err != nil {
				t.Error(err)
			}
			if commands := w.sent(); len(commands) != 1 {
				t.Errorf("for failures, of which the last may be lost, %d commands were sent, want the read", len(commands))
			}
		})
	}
}

func plain(_ *testing.T, uri string) string { return uri }

func is(field string, value any) bson.D { return bson.D{{Key: field, Value: value}} }

// wantWithoutEffect wants a command to be an update of what fits filter that sets the version to the one
// that the filter names, and is waited for until a majority has it.
func wantWithoutEffect(t *testing.T, what string, command bson.Raw, collection string, filter bson.D) {
	t.Helper()
	var c struct {
		Update  string `bson:"update"`
		Updates []struct {
			Q, U bson.D
		} `bson:"updates"`
		WriteConcern bson.D `bson:"writeConcern"`
	}
	if err := bson.Unmarshal(command, &c); err != nil {
		t.Fatal(err)
	}
	if c.Update != collection || len(c.Updates) != 1 {
		t.Errorf("%s: the last command is %v, want an update of %s", what, command, collection)
		return
	}
	diff := cmp.Diff(filter, c.Updates[0].Q) +
		cmp.Diff(is("$set", bson.D{filter[len(filter)-1]}), c.Updates[0].U) +
		cmp.Diff(bson.D{{Key: "w", Value: "majority"}, {Key: "j", Value: true}}, c.WriteConcern)
	if diff != "" {
		t.Errorf("%s: -want +sent:\n%s", what, diff)
	}
}

// TestChangeOfNothingIsJudgedAtItsEnd changes a user after another change has seen that there is nothing to
// do for it: it is to look again.
func TestChangeOfNothingIsJudgedAtItsEnd(t *testing.T) {
	uri := testenv.MongoDB(t)
	b := start(t, uri)
	mustAdd(t, b, "1")
	rename := func(u *user.User) error { u.Rename("Ann", ""); return nil }
	a, arm := pausing(t, uri, "update", "users", func() {
		if _, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { u.Rename("Bob", ""); return nil }); err != nil {
			t.Error(err)
		}
	})
	if _, err := b.Users().Update(t.Context(), "1", rename); err != nil {
		t.Fatal(err)
	}
	arm()
	u, err := a.Users().Update(t.Context(), "1", rename)
	if err != nil || u.Snapshot().FirstName != "Ann" || u.Version() != 4 {
		t.Errorf("got %+v, %v; want the change made again", u.Snapshot(), err)
	}
}

// TestTwoPutsOfOneUser has a record put twice at once, the second time before each command of the first in
// turn. One of the two is stored, and the other is refused since it is there: for no other reason.
func TestTwoPutsOfOneUser(t *testing.T) {
	for mode, of := range map[string]func(*testing.T, string) string{"plain": plain, "sharded": sharded} {
		t.Run(mode, func(t *testing.T) {
			uri := of(t, testenv.MongoDB(t))
			b := start(t, uri)
			put := func(s *mongodb.Store, id user.ID) error {
				refused, err := s.Archive().Users().Put(t.Context(), []user.Snapshot{person(t, id).Snapshot()})
				return errors.Join(err, refused[0])
			}
			var left atomic.Int64 // commands until the other comes before one
			var between func()
			a := create(t, uri, mongodb.Options{Monitor: &event.CommandMonitor{
				Started: func(context.Context, *event.CommandStartedEvent) {
					if left.Add(-1) == 0 {
						between()
					}
				},
			}})
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { shut(t, a) })
			for nth := 1; ; nth++ {
				id := user.IntegerID(int64(nth))
				var other error
				came := false
				between = func() { came, other = true, put(b, id) }
				left.Store(int64(nth))
				one := put(a, id)
				left.Store(0)
				if !came {
					if nth < 4 {
						t.Errorf("a put is %d commands: nothing was tried", nth-1)
					}
					break
				}
				if one == nil {
					one, other = other, one
				}
				if other != nil || !errors.Is(one, outbound.ErrKeyTaken) {
					t.Errorf("before command %d: %v and %v; want one stored and %v", nth, one, other, outbound.ErrKeyTaken)
				}
			}
		})
	}
}
