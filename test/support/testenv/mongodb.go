package testenv

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// MongoDB returns the URI of a new, empty database, which is there until the test ends. It lies on the
// server of MONGODB_TEST_URI, whose user must be allowed to make and drop databases, or else on a
// private one, which all tests of this process share.
func MongoDB(t testing.TB) string {
	t.Helper()
	base := os.Getenv("MONGODB_TEST_URI")
	if base == "" {
		s, err := sharedMongo()
		if err != nil {
			withoutMongo(t, err)
		}
		base = s.URI
	}
	return mongoDatabase(t, base)
}

var sharedMongo = sync.OnceValues(func() (*MongoServer, error) { return launchMongo("127.0.0.1:0", "") })

// withoutMongo skips a test, or fails it when the backends are required.
func withoutMongo(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("TEST_BACKENDS") == "required" {
		t.Fatalf("there is no MongoDB: %v", err)
	}
	t.Skipf("NOT TESTED: there is no MongoDB: %v", err)
}

// mongoDatabase chooses a database on the server of a URI and returns its own URI.
func mongoDatabase(t testing.TB, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("MONGODB_TEST_URI is no URI") // its text may hold a password
	}
	query := u.Query()
	if u.User != nil && query.Get("authSource") == "" { // otherwise the server would look the user up in the new database
		query.Set("authSource", "admin")
		if was := strings.Trim(u.Path, "/"); was != "" {
			query.Set("authSource", was)
		}
	}
	name := "roster_test_" + strings.ToLower(rand.Text())
	u.Path, u.RawQuery = "/"+name, query.Encode()
	t.Cleanup(func() { dropMongo(t, u.String(), name) })
	return u.String()
}

func dropMongo(t testing.TB, uri, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // that of the test has ended
	defer cancel()
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal("testenv: MONGODB_TEST_URI is no URI of MongoDB's")
	}
	defer func() { _ = c.Disconnect(ctx) }()
	if err := c.Database(name).Drop(ctx); err != nil {
		t.Errorf("testenv: drop %s: %v", name, err)
	}
}
