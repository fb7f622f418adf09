package mongodb_test

import (
	"context"
	"net/url"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/adapters/storage"
	"roster/adapters/storage/mongodb"
	"roster/test/conformance"
	"roster/test/support/testenv"
)

func TestConformance(t *testing.T) { conformance.Backend(t, emptied(t, testenv.MongoDB(t))) }

// On a sharded cluster users are kept in another way, and nothing else is.
func TestShardedConformance(t *testing.T) {
	conformance.UsersOf(t, emptied(t, sharded(t, testenv.MongoDB(t))))
}

// emptied returns a function that empties the database and opens it, for a fraction of what a new one with its indexes costs.
func emptied(t *testing.T, uri string) func(*testing.T) storage.Backend {
	db := raw(t, uri)
	return func(t *testing.T) storage.Backend {
		t.Helper()
		collections, err := db.ListCollectionNames(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range collections {
			switch of := db.Collection(name); name {
			case "schema": // marks a database of Roster
			case "counters":
				_, err = of.UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "value", Value: int64(0)}}}})
			default:
				_, err = of.DeleteMany(t.Context(), bson.D{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return start(t, uri)
	}
}

func TestConformanceOfTwo(t *testing.T) {
	conformance.Shared(t, func(t *testing.T) (one, other storage.Backend) {
		uri := testenv.MongoDB(t)
		return start(t, uri), start(t, uri)
	})
}

func TestShardedConformanceOfTwo(t *testing.T) {
	conformance.Shared(t, func(t *testing.T) (one, other storage.Backend) {
		uri := sharded(t, testenv.MongoDB(t))
		return start(t, uri), start(t, uri)
	})
}

// sharded returns uri with the option that has emails claimed.
func sharded(t *testing.T, uri string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("sharded", "true")
	u.RawQuery = q.Encode()
	return u.String()
}

func TestOpenings(t *testing.T) {
	conformance.Openings(t, func(t *testing.T) conformance.Opener {
		u, err := url.Parse(testenv.MongoDB(t))
		if err != nil {
			t.Fatal(err)
		}
		return func(o storage.Options) (storage.Backend, error) { return mongodb.Driver.Open(u, o) }
	})
}

// start opens the database at uri until the test ends. The server leaves expired sessions alone: those
// of the tests expired long ago.
func start(t *testing.T, uri string) *mongodb.Store {
	t.Helper()
	s := open(t, uri)
	t.Cleanup(func() { shut(t, s) })
	return s
}

// open opens it until it is shut.
func open(t *testing.T, uri string) *mongodb.Store {
	t.Helper()
	s := create(t, uri, mongodb.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Start(ctx)
	cancel() // nothing may hang on to it
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, uri string, o mongodb.Options) *mongodb.Store {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	s, err := mongodb.New(u, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t *testing.T, s *mongodb.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
