package sqlite_test

import (
	"context"
	"database/sql"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roster/adapters/storage/sqlite"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/conformance"
)

// TestMain finds goroutines that Close, or a Start that failed, did not end.
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

func agreed(*user.User) error { return nil }

func counted(t *testing.T, s *sqlite.Store) int {
	t.Helper()
	n, err := s.Users().Count(t.Context(), user.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// raw opens the file at path beside the backend, as another program would.
func raw(t *testing.T, path string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db
}

func shut(t *testing.T, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(t.Context()); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func closed(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDataSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := open(t, path)
	for _, id := range []user.ID{"1", "2", "3"} {
		if err := s.Users().Add(t.Context(), person(t, id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Users().Delete(t.Context(), "3", agreed); err != nil {
		t.Fatal(err)
	}
	if err := s.Sessions().Add(t.Context(), session.Start("a", "1", 0, epoch, session.Rules{RefreshLifetime: time.Hour}, session.Client{})); err != nil {
		t.Fatal(err)
	}
	shut(t, s)

	s = open(t, path)
	defer shut(t, s)
	u, err := s.Users().Get(t.Context(), "2")
	if err != nil || u.Snapshot() != person(t, "2").Snapshot() {
		t.Errorf("user came back as %+v, %v", u, err)
	}
	if x, err := s.Sessions().Get(t.Context(), "a"); err != nil || !x.Expires().Equal(epoch.Add(time.Hour)) {
		t.Errorf("session came back as %+v, %v", x, err)
	}
	if n := counted(t, s); n != 2 {
		t.Errorf("there are %d users, want 2", n)
	}
	if id, err := s.UserIDs().NewUserID(t.Context()); err != nil || id != "4" {
		t.Errorf("NewUserID: got %s, %v; want 4, since 3 was used", id, err)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	path := filepath.Join(dir, "roster.db")
	s := start(t, path)
	if err := s.Users().Add(t.Context(), person(t, "1")); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]fs.FileMode{
		filepath.Dir(dir): 0o700 | fs.ModeDir, dir: 0o700 | fs.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
	} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode(); got != want {
			t.Errorf("%s has mode %v, want %v", file, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		place func(t *testing.T, path string)
		want  string
	}{
		{"another program's mark", func(t *testing.T, path string) {
			closed(t, raw(t, path, "PRAGMA application_id = 1196444487"))
		}, "another program's database"},
		{"another program's tables", func(t *testing.T, path string) {
			closed(t, raw(t, path, "CREATE TABLE auth_user (id INTEGER PRIMARY KEY)"))
		}, "another program's database"},
		{"newer schema", func(t *testing.T, path string) {
			shut(t, open(t, path))
			closed(t, raw(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"))
		}, "schema version 9999, and this program knows 10"},
		{"no database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "file is not a database"},
		{"directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is a directory"},
		{"no regular file", func(t *testing.T, path string) {
			if err := os.Symlink(os.DevNull, path); err != nil {
				t.Fatal(err)
			}
		}, "is no regular file"},
		{"file in the way", func(t *testing.T, path string) {
			if err := os.Symlink("nowhere", path); err != nil {
				t.Fatal(err)
			}
		}, "unable to open database file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			c.place(t, path)
			before, _ := os.ReadFile(path)
			s, err := sqlite.New(path)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Start: got %v, want %q and the path", err, c.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("a file of another program was changed")
			}
		})
	}
}

func TestStartUnderAnEndedContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := sqlite.New(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Start(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("Start: %v, want the context's error", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("Start created the file")
	}
}

func TestMigrationsAreIdempotent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var first string
	for range 3 {
		s := open(t, path)
		shut(t, s)
		db := raw(t, path)
		rows, err := db.QueryContext(t.Context(), "SELECT coalesce(sql, name) FROM sqlite_schema UNION ALL SELECT version_id || ' ' || tstamp FROM goose_db_version")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		closed(t, db)
		if got := strings.Join(all, "\n"); first == "" {
			first = got
		} else if got != first {
			t.Errorf("another start changed the schema:\n%s\nto\n%s", first, got)
		}
	}
}

// TestStartGoesOnAfterACrash starts on a file that a crashed start marked and did not migrate.
func TestStartGoesOnAfterACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	shut(t, open(t, path))
	closed(t, raw(t, path, "DROP TABLE user_trigrams", "DROP TABLE users_search", "DROP VIEW user_texts", "DROP TABLE users", "DROP TABLE user_counts",
		"DROP TABLE sessions", "DROP TABLE counters", "DROP TABLE attempts", "DROP TABLE audit_events", "DROP TABLE mails",
		"DELETE FROM goose_db_version WHERE version_id > 0"))
	s := start(t, path)
	if err := s.Users().Add(t.Context(), person(t, "1")); err != nil {
		t.Error(err)
	}
}

// TestManyStartsAtOnce starts the server and some commands on a new data directory concurrently.
func TestManyStartsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "x.db")
	stores := make([]*sqlite.Store, 8)
	var wg sync.WaitGroup
	for i := range stores {
		var err error
		if stores[i], err = sqlite.New(path); err != nil {
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
}

// TestTwoProcesses shares the file with a child process while both write.
func TestTwoProcesses(t *testing.T) {
	const variable, each = "SQLITE_TEST_SHARED_FILE", 50
	fill := func(s *sqlite.Store, first int) {
		for i := range each {
			if err := s.Users().Add(t.Context(), person(t, user.IntegerID(int64(first+i)))); err != nil {
				t.Fatalf("Add: %v", err)
			}
		}
	}
	if path, child := os.LookupEnv(variable); child {
		s := start(t, path)
		fill(s, 1000)
		return
	}
	path := filepath.Join(t.TempDir(), "x.db")
	s := start(t, path)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcesses$")
	cmd.Env = append(os.Environ(), variable+"="+path)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fill(s, 1)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the other process: %v\n%s", err, out.String())
	}
	if n := counted(t, s); n != 2*each {
		t.Errorf("there are %d users, want %d", n, 2*each)
	}
	if id, err := s.UserIDs().NewUserID(t.Context()); err != nil || id != "1050" {
		t.Errorf("NewUserID: got %s, %v; want 1050", id, err)
	}
	var verdict string
	if err := raw(t, path).QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
}

func TestTwoBackendsSeeEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a, b := start(t, path), start(t, path)
	if err := a.Users().Add(t.Context(), person(t, "1")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, s := range []*sqlite.Store{a, b} {
		wg.Go(func() {
			for range 20 {
				if _, err := s.Users().Update(t.Context(), "1", func(u *user.User) error {
					u.Rename(u.Snapshot().FirstName+"x", "")
					return nil
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range []*sqlite.Store{a, b} {
		u, err := s.Users().Get(t.Context(), "1")
		if err != nil || len(u.Snapshot().FirstName) != 40 || u.Version() != 41 {
			t.Errorf("got %+v, %v; want 40 changes", u, err)
		}
	}
}

func TestPingFailsWhenTheFileIsGone(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"deleted": os.Remove,
		"replaced": func(path string) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			s := start(t, path)
			if err := s.Ping(t.Context()); err != nil {
				t.Fatalf("Ping: %v", err)
			}
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			if err := s.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("Ping: got %v, want fault.Unavailable", err)
			}
		})
	}
}

// A copy made with VACUUM INTO while the service writes is a consistent database of one point in time: it has all
// that was stored before, and a service can start from it.
func TestCopyWhileServing(t *testing.T) {
	dir := t.TempDir()
	path, saved := filepath.Join(dir, "x.db"), filepath.Join(dir, "copy.db")
	s := start(t, path)
	const before, more = 200, 400
	add := func(n int) {
		id := user.IntegerID(int64(n))
		if err := s.Users().Add(t.Context(), person(t, id)); err != nil {
			t.Errorf("Add: %v", err)
		}
		if err := s.Sessions().Add(t.Context(), session.Start(session.ID(id), id, 0, epoch, session.Rules{RefreshLifetime: time.Hour}, session.Client{})); err != nil {
			t.Errorf("Add: %v", err)
		}
	}
	for n := range before {
		add(n + 1)
	}
	begun := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for n := range more {
			add(before + n + 1)
			if n == 0 {
				close(begun)
			}
		}
	})
	<-begun
	closed(t, raw(t, path, "VACUUM INTO '"+saved+"'"))
	load.Wait()
	if n := counted(t, s); n != before+more {
		t.Errorf("%d users, want %d", n, before+more)
	}

	var verdict string
	db := raw(t, saved)
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the copy: %s, %v", verdict, err)
	}
	closed(t, db)
	c := start(t, saved)
	n := counted(t, c)
	if n <= before {
		t.Fatalf("the copy has %d users, want those %d from before and one at least", n, before)
	}
	all, err := c.Users().List(t.Context(), user.Query{Order: []user.Order{{By: user.SortID}}, Limit: before + more + 1})
	if err != nil || len(all) != n || all[n-1].ID() != user.IntegerID(int64(n)) {
		t.Errorf("%d users, %v; want the first %d", len(all), err, n)
	}
	for i := range n - 1 { // the session of the last user may not have been stored yet
		if _, err := c.Sessions().Get(t.Context(), session.ID(user.IntegerID(int64(i+1)))); err != nil {
			t.Errorf("session %d: %v", i+1, err)
		}
	}
	if id, err := c.UserIDs().NewUserID(t.Context()); err != nil || id != user.IntegerID(int64(n+1)) {
		t.Errorf("the next id: %s, %v; want %d", id, err, n+1)
	}
}

func BenchmarkReads(b *testing.B) {
	s, err := sqlite.New(filepath.Join(b.TempDir(), "x.db"))
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	conformance.BenchmarkReads(b, s)
}
