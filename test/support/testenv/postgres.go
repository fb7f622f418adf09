// Package testenv gives tests the servers that they need, and takes them away again.
package testenv

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

var sharedPostgres struct {
	sync.Mutex
	server *PostgresServer
}

// Postgres returns the URL of a new, empty database, which is there until the test ends. It lies on
// the server of POSTGRES_TEST_URL, whose user must be allowed to create databases, or else on a private
// one, which all tests of this process share.
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv("POSTGRES_TEST_URL")
	if base == "" {
		sharedPostgres.Lock()
		defer sharedPostgres.Unlock()
		if sharedPostgres.server == nil {
			sharedPostgres.server = launchPostgres(t)
		}
		base = sharedPostgres.server.URL
	}
	return postgresDatabase(t, base)
}

// postgresDatabase makes a database on the server of a URL and returns its own URL.
func postgresDatabase(t testing.TB, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("POSTGRES_TEST_URL is no URL") // its text may hold a password
	}
	name := "roster_test_" + strings.ToLower(rand.Text())
	postgresRun(t, base, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'")
	t.Cleanup(func() { postgresRun(t, base, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// postgresRun runs a statement on a connection of its own.
func postgresRun(t testing.TB, base, statement string) {
	t.Helper()
	ctx := context.Background() // that of the test has ended when it cleans up
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatalf("testenv: PostgreSQL: %v", err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Fatalf("testenv: %s: %v", statement, err)
	}
}
