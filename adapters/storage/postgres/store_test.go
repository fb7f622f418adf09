package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"roster/adapters/storage/postgres"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/conformance"
	"roster/test/support/testenv"
)

// TestMain looks for goroutines that Close, or a Start that failed, left behind.
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

func mustAdd(t *testing.T, s *postgres.Store, ids ...user.ID) {
	t.Helper()
	for _, id := range ids {
		if err := s.Users().Add(t.Context(), person(t, id)); err != nil {
			t.Fatalf("Add: %v", err)
		}
	}
}

func agreed(*user.User) error { return nil }

func counted(t *testing.T, s *postgres.Store) int {
	t.Helper()
	n, err := s.Users().Count(t.Context(), user.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// raw connects beside the backend, as another program would, and runs statements.
func raw(t *testing.T, url string, statements ...string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return c
}

func TestDataSurvivesReopening(t *testing.T) {
	url := testenv.Postgres(t)
	s := open(t, url)
	mustAdd(t, s, "1", "2", "3")
	if err := s.Users().Delete(t.Context(), "3", agreed); err != nil {
		t.Fatal(err)
	}
	if err := s.Sessions().Add(t.Context(), session.Start("a", "1", 0, epoch, session.Rules{RefreshLifetime: time.Hour}, session.Client{})); err != nil {
		t.Fatal(err)
	}
	shut(t, s)

	s = start(t, url)
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

func TestTwoInstancesSeeEachOther(t *testing.T) {
	url := testenv.Postgres(t)
	a, b := start(t, url), start(t, url)
	mustAdd(t, a, "1")
	var wg sync.WaitGroup
	for _, s := range []*postgres.Store{a, b} {
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
	for _, s := range []*postgres.Store{a, b} {
		u, err := s.Users().Get(t.Context(), "1")
		if err != nil || len(u.Snapshot().FirstName) != 40 || u.Version() != 41 {
			t.Errorf("got %+v, %v; want 40 changes", u, err)
		}
	}
}

// TestCountsUnderChange counts by kind while users come, go and change their kind from many sides.
func TestCountsUnderChange(t *testing.T) {
	s := start(t, testenv.Postgres(t))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 12 {
				id := user.IntegerID(int64(i*100 + j + 1))
				if err := s.Users().Add(t.Context(), person(t, id)); err != nil {
					t.Errorf("Add: %v", err)
				}
				if _, err := s.Users().Update(t.Context(), id, func(u *user.User) error {
					v := u.Snapshot()
					v.Active, v.Staff = j%2 == 0, j%3 == 0
					w, err := user.Restore(v)
					if err == nil {
						*u = *w
					}
					return err
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
				if j%4 == 3 {
					if err := s.Users().Delete(t.Context(), id, agreed); err != nil {
						t.Errorf("Delete: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, f := range []user.Filter{
		{}, {Active: new(true)}, {Active: new(false)}, {Staff: new(true)}, {Staff: new(false)},
		{Active: new(true), Staff: new(true)}, {Active: new(false), Staff: new(true)},
	} {
		n, err := s.Users().Count(t.Context(), f)
		all, err2 := s.Users().List(t.Context(), user.Query{Filter: f, Limit: 1000})
		if err != nil || err2 != nil || n != len(all) || n == 0 {
			t.Errorf("%+v: counted %d, %v; listed %d, %v", f, n, err, len(all), err2)
		}
	}
}

// TestSchemaOfItsOwn works for a role that may do nothing but make tables in a schema of its own.
func TestSchemaOfItsOwn(t *testing.T) {
	url := testenv.Postgres(t)
	c := raw(t, url)
	var role string
	if err := c.QueryRow(t.Context(), "SELECT current_database() || '_role'").Scan(&role); err != nil {
		t.Fatal(err)
	}
	raw(t, url, "CREATE ROLE "+role, "CREATE SCHEMA apart AUTHORIZATION "+role)
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY " + role, "DROP ROLE " + role} {
			if _, err := c.Exec(context.Background(), statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
	sep := "?"
	if strings.Contains(url, "?") {
		sep = "&"
	}
	s := start(t, url+sep+"role="+role+"&search_path=apart")
	mustAdd(t, s, "1", "2", "12")
	for term, want := range map[string]int{"2@example": 2, "1": 2, "12@": 1, "%": 0, "_": 0, `\`: 0, "@example.com": 3} {
		if n, err := s.Users().Count(t.Context(), user.Filter{Terms: []string{term}}); err != nil || n != want {
			t.Errorf("%q: got %d, %v; want %d", term, n, err, want)
		}
	}
}

func BenchmarkReads(b *testing.B) {
	s, err := postgres.New(testenv.Postgres(b))
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	conformance.BenchmarkReads(b, s)
}
