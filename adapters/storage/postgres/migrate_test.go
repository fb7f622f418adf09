package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"roster/adapters/storage/postgres"
	"roster/domain/user"
	"roster/test/support/testenv"
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		place func(t *testing.T, base string)
		want  string
	}{
		{"another program's tables", func(t *testing.T, base string) {
			raw(t, base, "CREATE TABLE auth_user (id integer PRIMARY KEY)")
		}, `the schema "public" is another program's`},
		{"another program's view", func(t *testing.T, base string) {
			raw(t, base, "CREATE VIEW v AS SELECT 1")
		}, `the schema "public" is another program's`},
		{"newer schema", func(t *testing.T, base string) {
			shut(t, open(t, base))
			raw(t, base, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
		}, "schema version 9999, and this program knows 11"},
		{"no schema", func(t *testing.T, base string) {
			raw(t, base, "DROP SCHEMA public")
		}, "names no schema"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := testenv.Postgres(t)
			c.place(t, base)
			before := inventory(t, base)
			s, err := postgres.New(base)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Start: got %v, want %q", err, c.want)
			}
			if after := inventory(t, base); after != before {
				t.Errorf("a schema of another program was changed:\n%s\nto\n%s", before, after)
			}
		})
	}
}

func TestOnlyUTF8(t *testing.T) {
	base := testenv.Postgres(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path += "_latin1"
	name := strings.TrimPrefix(u.Path, "/")
	c := raw(t, base, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	t.Cleanup(func() {
		if _, err := c.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	s, err := postgres.New(u.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "encoding is LATIN1") {
		t.Errorf("Start: %v", err)
	}
}

// inventory names all that a database holds, and when its schema was changed.
func inventory(t *testing.T, base string) string {
	t.Helper()
	c := raw(t, base)
	var versions, out string
	const all = `SELECT coalesce(string_agg(name, E'\n' ORDER BY name), '') FROM (
		SELECT relkind::text || ' ' || oid || ' ' || relname AS name FROM pg_class WHERE relnamespace = to_regnamespace('public')
		UNION ALL SELECT 'function ' || oid || ' ' || proname FROM pg_proc WHERE pronamespace = to_regnamespace('public')
		UNION ALL SELECT 'trigger ' || oid || ' ' || tgname FROM pg_trigger) AS x`
	if err := c.QueryRow(t.Context(), all).Scan(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, " goose_db_version\n") {
		if err := c.QueryRow(t.Context(), "SELECT string_agg(id || ' ' || version_id || ' ' || tstamp, E'\n' ORDER BY id) FROM goose_db_version").Scan(&versions); err != nil {
			t.Fatal(err)
		}
	}
	return out + "\n" + versions
}

func TestMigrationsAreIdempotent(t *testing.T) {
	base := testenv.Postgres(t)
	shut(t, open(t, base))
	first := inventory(t, base)
	for range 2 {
		shut(t, open(t, base))
		if got := inventory(t, base); got != first {
			t.Errorf("another start changed the schema:\n%s\nto\n%s", first, got)
		}
	}
	for _, name := range []string{" users\n", " users_search\n", " sessions\n"} {
		if !strings.Contains(first, name) {
			t.Errorf("there is no%s", name)
		}
	}
}

// TestStartGoesOnAfterACrash begins where a start ended between marking the schema and migrating it.
func TestStartGoesOnAfterACrash(t *testing.T) {
	base := testenv.Postgres(t)
	shut(t, open(t, base))
	raw(t, base, "DROP TABLE users, sessions, counters, user_counts, attempts, audit_events, mails", "DROP FUNCTION users_added, users_removed, users_moved, user_trigrams, user_candidates",
		"DELETE FROM goose_db_version WHERE version_id > 0")
	mustAdd(t, start(t, base), "1")
}

// TestManyStartsAtOnce is a few instances beginning on a new database together.
func TestManyStartsAtOnce(t *testing.T) {
	base := testenv.Postgres(t)
	stores := make([]*postgres.Store, 4)
	var wg sync.WaitGroup
	for i := range stores {
		var err error
		if stores[i], err = postgres.New(base); err != nil {
			t.Fatal(err)
		}
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
		if !t.Failed() {
			if n := counted(t, s); n != len(stores) {
				t.Errorf("one sees %d users, want %d", n, len(stores))
			}
		}
		shut(t, s)
	}
	var steps int
	if err := raw(t, base).QueryRow(t.Context(), "SELECT count(*) FROM goose_db_version").Scan(&steps); err != nil || steps != 12 {
		t.Errorf("%d steps are listed, %v; want each once, and the beginning", steps, err)
	}
}
