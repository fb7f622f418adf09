package django

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
)

// makeSQLite creates an SQLite file.
func makeSQLite(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// postgresOf creates tables in a new database and returns its URL.
func postgresOf(t *testing.T, statements ...string) string {
	t.Helper()
	source := testenv.Postgres(t)
	c, err := pgx.Connect(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return source
}

// Tables and columns may have any name.
func TestNamesOfTablesAndColumns(t *testing.T) {
	var all []string
	names := []string{"t", "r", "100%", "%s", "%d of % all", `qu"ote'd`, "dotted.name", "select", "o", "b"}
	statements := func(name string) []string {
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		create := "CREATE TABLE " + quoted + " (" + quoted + " bigint PRIMARY KEY, password text, last_login text, email text)"
		return []string{create, "INSERT INTO " + quoted + " VALUES (1, '!', NULL, 'a@example.com'), (2, '!', NULL, 'b@example.com')"}
	}
	for _, name := range names {
		all = append(all, statements(name)...)
	}
	together := postgresOf(t, all...)
	for _, name := range names {
		path := filepath.Join(t.TempDir(), "db")
		makeSQLite(t, path, statements(name)...)
		for _, o := range []Options{
			{Source: path}, {Source: path, Fields: map[string]string{"id": name}},
			{Source: together, Table: name}, {Source: together, Table: name, Fields: map[string]string{"id": name}},
		} {
			got := read(t, o)
			if len(got) != 2 || got[0].ID != "1" || got[1].Email != "b@example.com" || got[1].Fault.Kind != outbound.NoFault {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}

// Rows with numbers that JSON does not have, or texts in another encoding, are rejected, and other rows are read.
func TestSQLiteValuesWithoutJSONForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	makeSQLite(t, path, `CREATE TABLE a_user (id integer PRIMARY KEY, password text, last_login datetime, email text, first_name text, is_active real, score real)`,
		`INSERT INTO a_user VALUES (1, '!', NULL, 'a@example.com', 'A', 1, 9e999)`,
		`INSERT INTO a_user VALUES (2, '!', NULL, 'b@example.com', 'B', -9e999, 1)`,
		`INSERT INTO a_user VALUES (3, '!', NULL, 'c@example.com', CAST(x'4a6f73e9' AS text), 1, 1)`,
		`INSERT INTO a_user VALUES (4, '!', NULL, 'd@example.com', NULL, NULL, NULL)`)
	got := read(t, Options{Source: path})
	for i, want := range []string{"", "is_active is neither true nor false", "first_name is not valid Unicode text", ""} {
		if got[i].Fault.Text != want {
			t.Errorf("row %s: %+v", got[i].ID, got[i].Fault)
		}
	}
	if again := read(t, Options{Source: file(t, string(got[2].Row))}); len(again) != 1 || again[0].Fault != got[2].Fault {
		t.Errorf("row 3 as an object of a fixture: %+v", again)
	}
	if !got[0].Active || got[3].Active {
		t.Errorf("active: %t, and where there is null %t", got[0].Active, got[3].Active)
	}
}

// Large columns take little memory: columns without a use are not read, and others are truncated.
func TestLargeColumns(t *testing.T) {
	const create = `CREATE TABLE a_user (id integer PRIMARY KEY, password text, last_login text, email text, username text, photo text)`
	large := func(repeat string) []string {
		return []string{
			create, `INSERT INTO a_user VALUES (1, '!', NULL, 'a@example.com', 'a', ` + repeat + `)`,
			`INSERT INTO a_user VALUES (2, '!', NULL, 'b@example.com', ` + repeat + `, NULL)`, `INSERT INTO a_user VALUES (3, '!', NULL, 'c@example.com', 'c', NULL)`,
		}
	}
	path := filepath.Join(t.TempDir(), "db")
	makeSQLite(t, path, large(`printf('%.*c', 1000000, 'x')`)...)
	for _, source := range []string{path, postgresOf(t, large(`repeat('x', 1000000)`)...)} {
		got := read(t, Options{Source: source})
		if len(got) != 3 || got[0].Fault.Kind != outbound.NoFault || len(got[0].Row) > 500 || got[2].Fault.Kind != outbound.NoFault ||
			got[1].ID != "2" || got[1].Fault.Kind != outbound.RowMalformed || got[1].Row != nil {
			t.Errorf("%+v", got)
		}
	}
}

// A table with duplicate or missing keys is refused: rows are read in ranges of keys, so some would be omitted.
func TestAmbiguousKeys(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		values string
		bad    bool
	}{
		"null":      {"text PRIMARY KEY", "(NULL), ('1')", true},
		"repeated":  {"text", "('1'), ('1')", true},
		"different": {"text", "('1'), ('2')", false},
	} {
		path := filepath.Join(t.TempDir(), "db")
		makeSQLite(t, path, `CREATE TABLE a_user (uid `+c.key+`, password text, last_login text)`, `INSERT INTO a_user (uid) VALUES `+c.values)
		s := open(t, Options{Source: path, Fields: map[string]string{"id": "uid", "email": ""}})
		if _, _, err := s.Count(t.Context()); (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A blacklist in a database, with rows that have lost their token.
func TestRevocationsOfDatabases(t *testing.T) {
	statements := []string{
		`CREATE TABLE a_user (id integer PRIMARY KEY, password text, last_login text, email text)`,
		`CREATE TABLE token_blacklist_outstandingtoken (id integer PRIMARY KEY, token text, created_at text, expires_at text, user_id integer, jti text)`,
		`CREATE TABLE token_blacklist_blacklistedtoken (id integer PRIMARY KEY, blacklisted_at text, token_id integer)`,
		`INSERT INTO token_blacklist_outstandingtoken VALUES (1, 'x', NULL, '2066-01-01 00:00:00', 7, 'j'), (2, 'x', NULL, 'never', 7, 'k')`,
		`INSERT INTO token_blacklist_blacklistedtoken VALUES (1, '2026-01-01 00:00:00', 1), (2, '2026-01-01 00:00:00', 2), (3, '2026-01-01 00:00:00', 99)`,
	}
	path := filepath.Join(t.TempDir(), "db")
	makeSQLite(t, path, statements...)
	none := filepath.Join(t.TempDir(), "db")
	makeSQLite(t, none, statements[0])
	for _, source := range []string{path, postgresOf(t, statements...)} {
		s := open(t, Options{Source: source, Fields: map[string]string{"email": ""}})
		got := revoked(t, s)
		if len(got) != 3 || got[0].ID != "j" || got[0].User != user.ID("7") || got[1].ID != "" || got[2].ID != "" || got[2].Location != fmt.Sprintf("%s id 3", blacklistedTable) {
			t.Errorf("%+v", got)
		}
		if _, n, err := s.Count(t.Context()); n != 3 || err != nil {
			t.Errorf("%d revocations, %v", n, err)
		}
	}
	if got := revoked(t, open(t, Options{Source: none, Fields: map[string]string{"email": ""}})); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
