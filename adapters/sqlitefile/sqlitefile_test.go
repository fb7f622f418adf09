package sqlitefile_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/adapters/sqlitefile"
)

// writer opens a database for writing, in a journal mode.
func writer(t *testing.T, path, mode string) *sql.DB {
	t.Helper()
	db, err := sqlitefile.Pool(path, 1, "_pragma=journal_mode("+mode+")")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // also where the test closed it before
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// filled creates a database with three rows and returns the connection that wrote them. One row may not be in the
// database file yet.
func filled(t *testing.T, path, mode string) *sql.DB {
	t.Helper()
	db := writer(t, path, mode)
	exec(t, db, "CREATE TABLE t (x)", "INSERT INTO t VALUES (1), (2)")
	if mode == "WAL" {
		exec(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	exec(t, db, "INSERT INTO t VALUES (3)")
	return db
}

// move copies the files of a database to another directory, in the state that a crash leaves.
func move(t *testing.T, from, to string, suffixes ...string) string {
	t.Helper()
	for _, s := range append([]string{""}, suffixes...) {
		content, err := os.ReadFile(from + s)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, "db"+s), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "db")
}

// listing returns the names and times of the files in a directory.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(e.Name(), " ", info.Size(), " ", info.ModTime()))
	}
	return strings.Join(out, "\n")
}

func rows(ctx context.Context, db *sql.DB) (n int, err error) {
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&n)
	return n, err
}

// In any state of a database, all committed rows are read, and no file is created.
func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, dir string) (path string)
		note string
	}{
		"closed, WAL": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "db")
			if err := filled(t, path, "WAL").Close(); err != nil {
				t.Fatal(err)
			}
			return path
		}, "without locks"},
		"closed, with an empty log left": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "db")
			err := errors.Join(filled(t, path, "WAL").Close(), os.WriteFile(path+"-wal", nil, 0o600))
			if err != nil {
				t.Fatal(err)
			}
			return path
		}, "without locks"},
		"in use, WAL": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "db")
			filled(t, path, "WAL")
			return path
		}, ""},
		"left by a crash, WAL": {func(t *testing.T, dir string) string {
			path := filepath.Join(t.TempDir(), "x")
			filled(t, path, "WAL")
			return move(t, path, dir, "-wal", "-shm")
		}, ""},
		"left by a crash, WAL without its index": {func(t *testing.T, dir string) string {
			path := filepath.Join(t.TempDir(), "x")
			filled(t, path, "WAL")
			return move(t, path, dir, "-wal")
		}, "private copy"},
		"closed, rollback journal": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "db")
			if err := filled(t, path, "DELETE").Close(); err != nil {
				t.Fatal(err)
			}
			return path
		}, ""},
		"in use, rollback journal": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "db")
			filled(t, path, "DELETE")
			return path
		}, ""},
		"left by a crash in a transaction": {func(t *testing.T, dir string) string {
			path := filepath.Join(t.TempDir(), "x")
			db := filled(t, path, "DELETE")
			exec(t, db, "PRAGMA cache_size = 1", "BEGIN", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT zeroblob(500) FROM n")
			return move(t, path, dir, "-journal")
		}, "private copy"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := c.make(t, dir)
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			before := listing(t, dir)
			f, err := sqlitefile.Open(t.Context(), link)
			if err != nil {
				t.Fatal(err)
			}
			db, err := f.Pool(2)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := rows(t.Context(), db); n != 3 || err != nil {
				t.Errorf("read %d rows, %v", n, err)
			}
			if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (4)"); err == nil {
				t.Error("wrote")
			}
			if err := f.Unchanged(); err != nil {
				t.Error(err)
			}
			if got := listing(t, dir); got != before {
				t.Errorf("while it is read, there is\n%s\nand was\n%s", got, before)
			}
			if !strings.Contains(f.Note(), c.note) || (c.note == "") != (f.Note() == "") {
				t.Errorf("note %q, want %q in it", f.Note(), c.note)
			}
			if err := errors.Join(db.Close(), f.Close()); err != nil {
				t.Error(err)
			}
			if got := listing(t, dir); got != before {
				t.Errorf("afterwards there is\n%s\nand was\n%s", got, before)
			}
		})
	}
}

// The private copy has the content of the database: it is removed in the end.
func TestPrivateCopyGoes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "x")
	filled(t, path, "WAL")
	f, err := sqlitefile.Open(t.Context(), move(t, path, t.TempDir(), "-wal"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadDir(os.TempDir())
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	if info, err := made[0].Info(); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// A database that is written to while it is read without locks is reported, since the read may mix states.
func TestUnchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := filled(t, path, "WAL").Close(); err != nil {
		t.Fatal(err)
	}
	f, err := sqlitefile.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	db := writer(t, path, "WAL")
	exec(t, db, "INSERT INTO t VALUES (4)")
	if err := f.Unchanged(); err != nil {
		t.Errorf("the database file is as it was, beside a log: %v", err)
	}
	exec(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := f.Unchanged(); !errors.Is(err, sqlitefile.ErrChanged) {
		t.Errorf("written to: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlitefile.Open(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := sqlitefile.Open(t.Context(), dir); err == nil {
		t.Error("opened a directory")
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitefile.Open(t.Context(), text); err == nil {
		t.Error("opened what is no database")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(dir, "db")
	filled(t, path, "WAL")
	if _, err := sqlitefile.Open(ended, move(t, path, t.TempDir(), "-wal")); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}
