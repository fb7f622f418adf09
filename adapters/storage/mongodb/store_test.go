package mongodb_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"

	"roster/adapters/storage/mongodb"
	"roster/domain/fault"
	"roster/domain/user"
	"roster/test/support/testenv"
)

// TestMain looks for goroutines that Close, or a Start that failed, left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2024, 2, 29, 23, 59, 59, 123e6, time.UTC)

func person(t *testing.T, id user.ID) *user.User {
	t.Helper()
	u, err := user.Restore(user.Snapshot{ID: id, Email: string(id) + "@example.com", EmailKey: string(id) + "@example.com", Joined: epoch, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func mustAdd(t *testing.T, s *mongodb.Store, id user.ID) {
	t.Helper()
	if err := s.Users().Add(t.Context(), person(t, id)); err != nil {
		t.Fatal(err)
	}
}

// raw opens the database at uri beside the backend, as another program would.
func raw(t *testing.T, uri string) *mongo.Database {
	t.Helper()
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Disconnect(context.Background()) })
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return c.Database(strings.Trim(u.Path, "/"))
}

func insert(t *testing.T, db *mongo.Database, collection string, document bson.D) {
	t.Helper()
	if _, err := db.Collection(collection).InsertOne(t.Context(), document); err != nil {
		t.Fatal(err)
	}
}

func TestDataSurvivesReopening(t *testing.T) {
	uri := testenv.MongoDB(t)
	s := open(t, uri)
	mustAdd(t, s, "1")
	mustAdd(t, s, "2")
	if err := s.Users().Delete(t.Context(), "2", func(*user.User) error { return nil }); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	s = start(t, uri)
	u, err := s.Users().Get(t.Context(), "1")
	if err != nil || u.Snapshot() != person(t, "1").Snapshot() {
		t.Errorf("user came back as %+v, %v", u, err)
	}
	if id, err := s.UserIDs().NewUserID(t.Context()); err != nil || id != "3" {
		t.Errorf("NewUserID: got %s, %v; want 3, since 2 was used", id, err)
	}
}

func TestIndexesAreIdempotent(t *testing.T) {
	uri := testenv.MongoDB(t)
	db := raw(t, uri)
	want := []string{
		"_id_", "_id_", "_id_", "_id_", "_id_", "active", "actor", "actor_kind", "at", "begun", "due", "email", "email_key", "events", "events", "expiry", "expiry",
		"first_name", "invited", "joined_us", "kind", "last_name", "mails", "mails", "staff", "state_finished", "suffixes", "target", "target_kind", "user_created",
	}
	for range 2 {
		s := create(t, uri, mongodb.Options{})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		shut(t, s)
		var got []string
		for _, name := range []string{"users", "sessions", "attempts", "audit_events", "mails"} {
			specs, err := db.Collection(name).Indexes().ListSpecifications(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range specs {
				got = append(got, i.Name)
				if unique := i.Unique != nil && *i.Unique; unique != (i.Name == "email_key") {
					t.Errorf("%s: unique is %v", i.Name, unique)
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("there are indexes %v, want %v", got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, collection string
		document         bson.D
		want             string
	}{
		{"another program's marker", "schema", bson.D{{Key: "_id", Value: "marker"}, {Key: "program", Value: "other"}, {Key: "version", Value: 1}}, `marker says "other"`},
		{"newer schema", "schema", bson.D{{Key: "_id", Value: "marker"}, {Key: "program", Value: "roster"}, {Key: "version", Value: 99}}, "schema version 99, and this program knows 8"},
		{"another program's data", "auth_user", bson.D{{Key: "_id", Value: 1}}, `collection "auth_user" is not empty`},
		{"another program's users", "users", bson.D{{Key: "_id", Value: 1}}, `collection "users" is not empty`},
	} {
		t.Run(c.name, func(t *testing.T) {
			uri := testenv.MongoDB(t)
			db := raw(t, uri)
			insert(t, db, c.collection, c.document)
			s := create(t, uri, mongodb.Options{})
			if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), db.Name()) {
				t.Errorf("Start: got %v, want %q and the database's name", err, c.want)
			}
			if names, err := db.ListCollectionNames(t.Context(), bson.D{}); err != nil || !slices.Equal(names, []string{c.collection}) {
				t.Errorf("a database of another program was changed: %v, %v", names, err)
			}
		})
	}
	t.Run("empty collections are no refusal", func(t *testing.T) {
		uri := testenv.MongoDB(t)
		if err := raw(t, uri).CreateCollection(t.Context(), "users"); err != nil {
			t.Fatal(err)
		}
		mustAdd(t, start(t, uri), "1")
	})
}

// TestManyStartsAtOnce is several instances beginning on a new database together.
func TestManyStartsAtOnce(t *testing.T) {
	uri := testenv.MongoDB(t)
	stores := make([]*mongodb.Store, 8)
	var wg sync.WaitGroup
	for i := range stores {
		stores[i] = create(t, uri, mongodb.Options{})
		wg.Go(func() {
			if err := stores[i].Start(t.Context()); err != nil {
				t.Errorf("Start: %v", err)
				return
			}
			if err := stores[i].Users().Add(t.Context(), person(t, user.IntegerID(int64(i+1)))); err != nil {
				t.Errorf("Add: %v", err)
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if n, err := s.Users().Count(t.Context(), user.Filter{}); err != nil || n != len(stores) {
			t.Errorf("one sees %d users, %v; want %d", n, err, len(stores))
		}
		shut(t, s)
	}
}

// TestTwoStoresSeeEachOther has many change one user through two instances.
func TestTwoStoresSeeEachOther(t *testing.T) {
	const each = 32
	uri := testenv.MongoDB(t)
	stores := []*mongodb.Store{start(t, uri), start(t, uri)}
	mustAdd(t, stores[0], "1")
	var wg sync.WaitGroup
	for _, s := range stores {
		for range each {
			wg.Go(func() {
				if _, err := s.Users().Update(t.Context(), "1", func(u *user.User) error {
					u.Rename(u.Snapshot().FirstName+"x", "")
					return nil
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
			})
		}
	}
	wg.Wait()
	for _, s := range stores {
		u, err := s.Users().Get(t.Context(), "1")
		if err != nil || len(u.Snapshot().FirstName) != 2*each || u.Version() != 2*each+1 {
			t.Errorf("got %+v, %v; want %d changes", u.Snapshot(), err, 2*each)
		}
	}
}

// TestLostCounterIsRefused guards ids from coming twice.
func TestLostCounterIsRefused(t *testing.T) {
	uri := testenv.MongoDB(t)
	shut(t, open(t, uri))
	if err := raw(t, uri).Collection("counters").Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := start(t, uri)
	if id, err := s.UserIDs().NewUserID(t.Context()); err == nil {
		t.Errorf("NewUserID: got %s without a counter", id)
	}
	if err := s.Users().Add(t.Context(), person(t, "1")); err == nil {
		t.Error("a counted id was added without a counter")
	}
}

func TestMonitorSeesCommands(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	s := create(t, testenv.MongoDB(t), mongodb.Options{Monitor: &event.CommandMonitor{
		Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) {
			mu.Lock()
			defer mu.Unlock()
			seen[e.CommandName] = true
		},
	}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, "1")
	shut(t, s)
	for _, name := range []string{"ping", "find", "insert", "createIndexes"} {
		if !seen[name] {
			t.Errorf("the monitor saw no %s", name)
		}
	}
}

func TestClosed(t *testing.T) {
	s := open(t, testenv.MongoDB(t))
	shut(t, s)
	shut(t, s)
	if err := s.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Ping of a closed store: got %v, want fault.Unavailable", err)
	}
}
