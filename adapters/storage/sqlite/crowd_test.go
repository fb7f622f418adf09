package sqlite

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
)

// asOf makes a database with the schema that the program had at a version, for a test to fill.
func asOf(t testing.TB, path string, version int64) *Store {
	t.Helper()
	if err := createFile(path); err != nil {
		t.Fatal(err)
	}
	s, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := claim(t.Context(), s.writer, path); err != nil {
		t.Fatal(err)
	}
	if err := logAhead(t.Context(), s.writer, path); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return s
}

// crowd adds users 1 to n to the table as it was at first: of each thousand the last is inactive, of
// each five hundred the last is staff, and the last tenth of all have emails of their own domain.
const crowd = `WITH RECURSIVE
	n (i) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1),
	u (i, id, email, first_name, last_name) AS (SELECT i, printf('%019d', i),
		printf('user%d@%s', i, iif(i > ?1 - ?1 / 10, 'late.example', 'example.com')), 'First' || (i % 1000), 'Last' || (i * 7919 % 5000) FROM n)
	INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined, version, search)
	SELECT id, email, email, first_name, last_name, i % 1000 <> 0, i % 500 = 0, hex(zeroblob(48)), 1700000000000 + i * 7919 % 100000, 1,
		lower(email || char(10) || first_name || char(10) || last_name) FROM u`

// crowded returns a started Store with as many users.
func crowded(t testing.TB, users int) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roster.db")
	old := asOf(t, path, 1)
	if _, err := old.writer.ExecContext(t.Context(), crowd, users); err != nil {
		t.Fatal(err)
	}
	if err := old.release(); err != nil {
		t.Fatal(err)
	}
	return reopened(t, path)
}

// reopened returns a started Store on the file at path.
func reopened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}
