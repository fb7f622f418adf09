package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/adapters/sqlitefile"
	"roster/adapters/storage"
	"roster/domain/user"
)

// reading opens a database for reading until the test ends.
func reading(t *testing.T, path string) (*Store, error) {
	t.Helper()
	s, err := newStore(path, storage.Options{Access: storage.Read})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, s.Start(t.Context())
}

// names returns the names of the files in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestReadingWritesNothing(t *testing.T) {
	s := opened(t)
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(s.path)
	before := names(t, dir)
	r, err := reading(t, s.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Users().Get(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	if err := r.Users().Add(t.Context(), sampleUser(t, "2")); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("Add: %v", err)
	}
	if err := r.Archive().SkipUserIDs(t.Context(), 9); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("SkipUserIDs: %v", err)
	}
	if refused, err := r.Archive().Users().Put(t.Context(), []user.Snapshot{sampleUser(t, "3").Snapshot()}); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("Put: %v, %v", refused, err)
	}
	if got := names(t, dir); got != before {
		t.Errorf("there is %s, and was %s", got, before)
	}
}

// A read without locks fails when a service begins to write to the file, since it could mix two states.
func TestReadingFailsWhenAWriterAppears(t *testing.T) {
	s := opened(t)
	path := s.path
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := reading(t, path)
	if err != nil {
		t.Fatal(err)
	}
	s = reopened(t, path)
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Users().List(t.Context(), user.Query{Limit: 9}); !errors.Is(err, sqlitefile.ErrChanged) {
		t.Errorf("List: %v, want ErrChanged", err)
	}
	if r, err = reading(t, path); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Users().Get(t.Context(), "1"); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// A command that reads does not migrate the schema, and reports which command does.
func TestReadingAnOldSchema(t *testing.T) {
	path := former(t, 2)
	_, err := reading(t, path)
	if err == nil || !strings.Contains(err.Error(), "schema version 2") || !strings.Contains(err.Error(), "roster migrate") {
		t.Errorf("Start: %v", err)
	}
	if err := reopened(t, path).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := reading(t, path); err != nil {
		t.Errorf("after the migration: %v", err)
	}
}

func TestReadingAFileOfAnotherProgram(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, filepath.Join(dir, "none", "roster.db")} {
		if _, err := reading(t, path); !errors.Is(err, storage.ErrNoDatabase) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	foreign := filepath.Join(dir, "foreign")
	db, err := sqlitefile.Pool(foreign, 1)
	if err == nil {
		_, err = db.ExecContext(t.Context(), "CREATE TABLE t (x)")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := reading(t, foreign); err == nil || !strings.Contains(err.Error(), "another program's") {
		t.Errorf("another program's: %v", err)
	}
	if got := names(t, dir); got != "empty foreign" {
		t.Errorf("there is %s", got)
	}
}

// Links to the file and to its directory lead to the same database.
func TestSameFile(t *testing.T) {
	s := opened(t)
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "file"), filepath.Join(dir, "folder")
	if err := errors.Join(os.Symlink(s.path, file), os.Symlink(filepath.Dir(s.path), folder)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.path, file, filepath.Join(folder, filepath.Base(s.path))} {
		r, err := reading(t, path)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := r.Same(t.Context(), s); !same || err != nil {
			t.Errorf("%s: %v, %v", path, same, err)
		}
	}
}
