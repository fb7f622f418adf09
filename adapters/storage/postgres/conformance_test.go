package postgres_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"roster/adapters/storage"
	"roster/adapters/storage/postgres"
	"roster/test/conformance"
	"roster/test/support/testenv"
)

// The checks follow each other on one store: it is emptied before each, for a fraction of what a new database costs.
func TestConformance(t *testing.T) {
	server := testenv.Postgres(t)
	s := start(t, server)
	c, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	conformance.Backend(t, func(t *testing.T) storage.Backend {
		if _, err := c.Exec(t.Context(), emptyTables); err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// emptyTables takes a database back to what it was after the migrations.
const emptyTables = `DO $$
DECLARE
	tables text;
BEGIN
	SELECT string_agg(format('%I', tablename), ', ') INTO tables FROM pg_catalog.pg_tables
		WHERE schemaname = current_schema() AND tablename NOT IN ('roster_schema', 'goose_db_version', 'counters');
	EXECUTE 'TRUNCATE ' || tables || ' RESTART IDENTITY';
	UPDATE counters SET value = 0;
END
$$`

func TestOpenings(t *testing.T) {
	conformance.Openings(t, func(t *testing.T) conformance.Opener {
		u, err := url.Parse(testenv.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		return func(o storage.Options) (storage.Backend, error) { return postgres.Driver.Open(u, o) }
	})
}

func TestConformanceOfTwo(t *testing.T) {
	conformance.Shared(t, func(t *testing.T) (one, other storage.Backend) {
		base := testenv.Postgres(t)
		return start(t, base), start(t, base)
	})
}

// start opens the database at a URL until the test ends.
func start(t *testing.T, base string) *postgres.Store {
	t.Helper()
	s := open(t, base)
	t.Cleanup(func() { shut(t, s) })
	return s
}

// open opens it until it is shut.
func open(t *testing.T, base string) *postgres.Store {
	t.Helper()
	s, err := postgres.New(base)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Start(ctx)
	cancel() // nothing may hang on to it
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t *testing.T, s *postgres.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
