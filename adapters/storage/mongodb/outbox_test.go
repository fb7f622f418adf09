package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage"
	"roster/adapters/storage/mongodb"
	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
)

// rename changes the name of user 1, with events.
func rename(t *testing.T, s *mongodb.Store, name string, events ...audit.ID) {
	t.Helper()
	_, err := s.Users().Update(t.Context(), "1", func(u *user.User) error { u.Rename(name, ""); return nil }, occurred(events...))
	if err != nil {
		t.Errorf("Update: %v", err)
	}
}

// wantTrail fails unless the trail has these events, and the queue mails with the same ids.
func wantTrail(t *testing.T, what string, s *mongodb.Store, want string) {
	t.Helper()
	if got := trail(t, s); got != want {
		t.Errorf("%s: the trail has the events %q, want %q", what, got, want)
	}
	mails := strings.Fields(want)
	slices.Sort(mails)
	if got := queue(t, s); got != strings.Join(mails, " ") {
		t.Errorf("%s: the queue has the mails %q, want those of the events %q", what, got, want)
	}
}

// left returns how many documents have events in them.
func left(t *testing.T, db *mongo.Database) (left int64) {
	t.Helper()
	for _, of := range []string{"users", "sessions"} {
		n, err := db.Collection(of).CountDocuments(t.Context(), is("events", is("$exists", true)))
		if err != nil {
			t.Fatal(err)
		}
		left += n
	}
	return left
}

func wantNoneLeft(t *testing.T, db *mongo.Database) {
	t.Helper()
	if n := left(t, db); n != 0 {
		t.Errorf("%d documents have events", n)
	}
}

// untilNoneLeft waits until all events are removed in the background.
func untilNoneLeft(t *testing.T, db *mongo.Database) {
	t.Helper()
	for range 10_000 {
		if left(t, db) == 0 {
			return
		}
	}
	t.Fatal("documents still have events")
}

// sweep deletes no event, since all are newer.
func sweep(t *testing.T, s *mongodb.Store) {
	t.Helper()
	if n, err := s.AuditTrail().Sweep(t.Context(), epoch, 10); n != 0 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
}

// TestChangeIsMadeWhenTheTrailFails takes the server away after a change is stored and before its events are inserted. The
// change is made, and the events come with the next change of the user, a sweep or the next start.
func TestChangeIsMadeWhenTheTrailFails(t *testing.T) {
	server := testenv.NewMongoServer(t)
	uri := server.Database()
	var armed atomic.Bool
	s := create(t, uri, mongodb.Options{Monitor: &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if name(e.Command) == "insert audit_events" && armed.CompareAndSwap(true, false) {
				server.Stop(t)
			}
		},
	}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { shut(t, s) }()
	mustAdd(t, s, "1")
	want := ""
	for _, c := range []struct {
		name string
		id   audit.ID
		then func(t *testing.T)
	}{
		{"next change", "1", func(t *testing.T) { rename(t, s, "Next") }},
		{"sweep", "2", func(t *testing.T) { sweep(t, s) }},
		{"start", "3", func(t *testing.T) { shut(t, open(t, uri)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			armed.Store(true)
			rename(t, s, c.name, c.id)
			if armed.Load() {
				t.Fatal("no event was inserted")
			}
			server.Start(t)
			u, err := s.Users().Get(t.Context(), "1")
			if err != nil || u.Snapshot().FirstName != c.name {
				t.Fatalf("the user is %+v, %v", u, err)
			}
			wantTrail(t, "before", s, want)
			c.then(t)
			want = strings.TrimSpace(string(c.id) + " " + want)
			wantTrail(t, "after", s, want)
		})
	}
	shut(t, s) // it has nothing under way any more
	wantNoneLeft(t, raw(t, uri))
}

// TestEventsStayInNoDocument makes many changes. After Close their events are in the trail alone.
func TestEventsStayInNoDocument(t *testing.T) {
	uri := testenv.MongoDB(t)
	s := open(t, uri)
	mustAdd(t, s, "1")
	var want []string
	for i := range 20 {
		changed, added := fmt.Sprintf("changed-%02d", i), fmt.Sprintf("added-%02d", i)
		rename(t, s, changed, audit.ID(changed))
		if err := s.Sessions().Add(t.Context(), visit(added), occurred(audit.ID(added))); err != nil {
			t.Fatal(err)
		}
		want = append(want, added, changed)
	}
	slices.Sort(want)
	slices.Reverse(want) // all have the same time
	wantTrail(t, "after all", s, strings.Join(want, " "))
	shut(t, s)
	wantNoneLeft(t, raw(t, uri))
}

// leave stores a user and a session with an event and a mail in each, as a kill leaves them.
func leave(t *testing.T, db *mongo.Database) {
	t.Helper()
	with := func(d bson.D, id string) bson.D {
		return append(d,
			bson.E{Key: "events", Value: bson.A{bson.D{{Key: "_id", Value: id}, {Key: "at", Value: epoch}, {Key: "kind", Value: "user_changed"}}}},
			bson.E{Key: "mails", Value: bson.A{bson.D{
				{Key: "_id", Value: id}, {Key: "kind", Value: "email_changed"}, {Key: "recipient", Value: address}, {Key: "email_key", Value: address},
				{Key: "queued", Value: epoch}, {Key: "state", Value: "waiting"}, {Key: "due", Value: epoch}, {Key: "version", Value: int64(1)},
			}}})
	}
	insert(t, db, "users", with(bson.D{
		{Key: "_id", Value: user.ID("1").SortKey()}, {Key: "email", Value: address}, {Key: "email_key", Value: address},
		{Key: "joined_us", Value: epoch.UnixMicro()}, {Key: "version", Value: int64(1)},
	}, "user"))
	insert(t, db, "sessions", with(bson.D{
		{Key: "_id", Value: "a"}, {Key: "user", Value: user.ID("1").SortKey()}, {Key: "created", Value: epoch},
		{Key: "expires", Value: epoch}, {Key: "version", Value: int64(1)},
	}, "session"))
}

// TestDeletionsKeepEvents deletes documents in which a kill left events.
func TestDeletionsKeepEvents(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *mongodb.Store) error
		want string
	}{
		{"user", func(s *mongodb.Store) error {
			return s.Users().Delete(t.Context(), "1", func(*user.User) error { return nil })
		}, "user"},
		{"sessions of a user", func(s *mongodb.Store) error { return s.Sessions().DeleteOf(t.Context(), "1") }, "session"},
		{"expired session", func(s *mongodb.Store) error {
			_, err := s.Sessions().Sweep(t.Context(), epoch, 9)
			_, other := s.AuditTrail().Sweep(t.Context(), epoch, 9)
			n, third := s.Sessions().Sweep(t.Context(), epoch, 9)
			if n != 1 {
				t.Errorf("%d sessions were swept, want 1", n)
			}
			return errors.Join(err, other, third)
		}, "user session"},
	} {
		t.Run(c.name, func(t *testing.T) {
			uri := testenv.MongoDB(t)
			s, db := start(t, uri), raw(t, uri)
			leave(t, db)
			if err := c.do(s); err != nil {
				t.Fatal(err)
			}
			wantTrail(t, "after the deletion", s, c.want)
			_, err := s.Sessions().Get(t.Context(), "a")
			if _, other := s.Users().Get(t.Context(), "1"); !errors.Is(err, session.ErrNotFound) && !errors.Is(other, user.ErrNotFound) {
				t.Errorf("nothing was deleted: %v, %v", err, other)
			}
		})
	}
}

// TestArchiveHasWhatAKillLeft reads a database that is not to be changed, and that a kill left: events and mails that are in
// no collection are in the archive, each once.
func TestArchiveHasWhatAKillLeft(t *testing.T) {
	uri := testenv.MongoDB(t)
	writer, db := start(t, uri), raw(t, uri)
	leave(t, db)
	earlier, _ := occurred("session")() // published already
	wantErr(t, "Append", writer.AuditTrail().Append(t.Context(), earlier...), nil)
	_, published := occurred("a", "session", "z")()
	wantErr(t, "Add", writer.Mails().Add(t.Context(), published...), nil)
	s := create(t, uri, mongodb.Options{Options: storage.Options{Access: storage.Read}})
	wantErr(t, "Start", s.Start(t.Context()), nil)
	defer shut(t, s)
	for limit, want := range map[int]string{0: "", 1: "a", 3: "a session user", 9: "a session user z"} {
		page, err := s.Archive().Mails().Page(t.Context(), "", limit)
		var got []string
		for _, m := range page {
			got = append(got, string(m.ID))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("a page of %d mails: %q, %v; want %q", limit, got, err, want)
		}
	}
	mails, err := s.Archive().Mails().Page(t.Context(), "session", 9)
	if err != nil || len(mails) != 2 || mails[0].To != address {
		t.Errorf("mails after the first: %+v, %v", mails, err)
	}
	events, err := s.Archive().Events().Page(t.Context(), "", 9)
	if err != nil || len(events) != 2 {
		t.Errorf("events: %+v, %v; want that of the session and that of the user", events, err)
	}
	if n := left(t, db); n != 2 {
		t.Errorf("%d documents have effects after a read, want the two from before", n)
	}
}

// TestDeletionThatIsOvertakenLeavesNoEvent changes a user after a deletion has stored its event. The deletion is made again,
// with another event; when it is refused then, it has none.
func TestDeletionThatIsOvertakenLeavesNoEvent(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		ids  string
	}{{"made", nil, "second other"}, {"refused", user.ErrLastStaff, "other"}} {
		t.Run(c.name, func(t *testing.T) {
			uri := testenv.MongoDB(t)
			b := start(t, uri)
			mustAdd(t, b, "1")
			a, arm := pausing(t, uri, "delete", "users", func() { rename(t, b, "Ann", "other") })
			arm()
			runs := 0
			err := a.Users().Delete(t.Context(), "1", func(*user.User) error {
				if runs++; runs > 1 {
					return c.want
				}
				return nil
			}, func() ([]audit.Event, []*mail.Mail) { return occurred([]audit.ID{"", "first", "second"}[runs])() })
			wantErr(t, "Delete", err, c.want)
			wantTrail(t, "after", b, c.ids)
		})
	}
}

// TestUserWithALostClaimLeavesNoEvent has another instance publish the event of a user that is about to be taken back, since
// the claim of its email was lost.
func TestUserWithALostClaimLeavesNoEvent(t *testing.T) {
	uri := sharded(t, testenv.MongoDB(t))
	b, db := start(t, uri), raw(t, uri)
	mustAdd(t, b, "2")
	var inserted, published atomic.Bool
	a := create(t, uri, mongodb.Options{Monitor: &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			switch what := name(e.Command); {
			case what == "insert users":
				ages(t, db)
				wantErr(t, "the other's change of email", move(t, b, "2", address), nil)
				inserted.Store(true)
			case what == "insert email_claims" && inserted.Load():
				sweep(t, b)
				published.Store(trail(t, b) == "lost")
			}
		},
	}})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer shut(t, a)
	wantErr(t, "Add", a.Users().Add(t.Context(), at(t, "1", address), occurred("lost")), user.ErrEmailTaken)
	if !published.Load() {
		t.Error("the event was not published")
	}
	wantTrail(t, "after", b, "")
	wantHolder(t, b, db, address, "2")
}

// eventOnly returns an event without a mail.
func eventOnly(id audit.ID) outbound.Effects {
	return func() ([]audit.Event, []*mail.Mail) {
		events, _ := occurred(id)()
		return events, nil
	}
}

// TestCommandsOfChanges counts the commands that a change waits for. The removal of its events from the document is not
// one of them.
func TestCommandsOfChanges(t *testing.T) {
	uri := testenv.MongoDB(t)
	db := raw(t, uri)
	s, w := watched(t, uri)
	mustAdd(t, s, "7")
	for _, c := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"registration", func() error { return s.Users().Add(t.Context(), person(t, "1"), occurred("1")) },
			[]string{"find counters", "insert users", "insert audit_events", "insert mails"}},
		{"change of a user", func() error { rename(t, s, "Ann", "2"); return nil },
			[]string{"find users", "update users", "insert audit_events", "insert mails"}},
		{"sign-in", func() error { return s.Sessions().Add(t.Context(), visit("a"), occurred("3")) },
			[]string{"insert sessions", "insert audit_events", "insert mails"}},
		{"refresh", func() error {
			_, err := s.Sessions().Update(t.Context(), "a", func(x *session.Session) error { x.RecordUse(epoch.Add(time.Hour)); return nil }, occurred("4"))
			return err
		}, []string{"find sessions", "update sessions", "insert audit_events", "insert mails"}},
		{"change without mails", func() error {
			_, err := s.Users().Update(t.Context(), "1", func(u *user.User) error { u.Rename("Eve", ""); return nil }, eventOnly("6"))
			return err
		}, []string{"find users", "update users", "insert audit_events"}},
		{"change without events", func() error { rename(t, s, "Bob"); return nil }, []string{"find users", "update users"}},
		{"deletion", func() error {
			return s.Users().Delete(t.Context(), "1", func(*user.User) error { return nil }, occurred("5"))
		}, []string{"find users", "insert audit_events", "insert mails", "delete users"}},
		{"deletion of sessions", func() error { return s.Sessions().DeleteOf(t.Context(), "1") }, []string{"delete sessions", "find sessions"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			untilNoneLeft(t, db)
			w.sent()
			if err := c.do(); err != nil {
				t.Fatal(err)
			}
			got := names(slices.DeleteFunc(w.sent(), func(command bson.Raw) bool {
				return strings.Contains(command.Lookup("updates").String(), "$unset")
			}))
			if !slices.Equal(got, c.want) {
				t.Errorf("sent %q, want %q", got, c.want)
			}
		})
	}
}
