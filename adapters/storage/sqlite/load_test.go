package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roster/adapters/sqlitefile"
	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

// openFor opens the database at path and closes it with release, which leaves the files as a kill does.
func openFor(t *testing.T, path string, o storage.Options) *Store {
	t.Helper()
	b, err := Driver.Open(&url.URL{Scheme: "sqlite", Path: path}, o)
	if err == nil {
		err = b.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	s, _ := b.(*Store)
	t.Cleanup(func() { _ = s.release() })
	return s
}

func release(t *testing.T, s *Store) {
	t.Helper()
	if err := s.release(); err != nil {
		t.Fatal(err)
	}
}

// schema returns the statements of the schema of the database.
func schema(t *testing.T, s *Store) (all []string) {
	t.Helper()
	err := s.Read(t.Context(), func(ctx context.Context, q sqltable.Querier) error {
		return q.QueryEach(ctx, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema", nil, func(row sqltable.Row) error {
			all = append(all, "")
			return row.Scan(&all[len(all)-1])
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func isLoading(t *testing.T, s *Store) bool {
	t.Helper()
	is, err := loading(t.Context(), s.writer)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// complete fails unless a database has the schema of one without a load.
func complete(t *testing.T, s *Store, when string) {
	t.Helper()
	if got, want := schema(t, s), schema(t, opened(t)); !slices.Equal(got, want) {
		t.Errorf("%s: the schema is\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	sound(t, s, when)
}

func putSome(t *testing.T, s *Store, first, n int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, uint64(first)))
	us := make([]user.Snapshot, n)
	for i := range us {
		us[i] = randomUser(t, rnd, first+i).Snapshot()
	}
	refused, err := s.Archive().Users().Put(t.Context(), us)
	if err := errors.Join(append(refused, err)...); err != nil {
		t.Fatal(err)
	}
}

// change changes, moves, renames and removes users of putSome.
func change(t *testing.T, s *Store) {
	t.Helper()
	for id, change := range map[user.ID]func(*user.Snapshot){
		"2": func(u *user.Snapshot) { u.FirstName = "Renamed" },
		"3": func(u *user.Snapshot) { u.Active = !u.Active },
		"5": func(u *user.Snapshot) { u.Staff, u.LastName = !u.Staff, "" },
	} {
		_, err := s.Users().Update(t.Context(), id, func(u *user.User) error {
			x := u.Snapshot()
			change(&x)
			u.ApplyImport(x)
			return nil
		})
		if err != nil {
			t.Fatalf("change %s: %v", id, err)
		}
	}
	if err := s.Users().Delete(t.Context(), "6", func(*user.User) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	s := openFor(t, filepath.Join(t.TempDir(), "roster.db"), storage.Options{Load: true})
	putSome(t, s, 0, 300)
	if !isLoading(t, s) {
		t.Error("the indexes are kept up to date during the load")
	}
	putSome(t, s, 300, 300)
	same := distinctUser(1)
	same.ID, same.EmailKey = "7000", "17"
	if refused, err := s.Archive().Users().Put(t.Context(), []user.Snapshot{same}); err != nil || !errors.Is(refused[0], user.ErrEmailTaken) {
		t.Errorf("an address of another user: %v, %v", refused, err)
	}
	change(t, s)
	for range 2 { // the second call finds nothing to do
		if err := s.Archive().BuildIndexes(t.Context()); err != nil {
			t.Fatal(err)
		}
		complete(t, s, "after the load")
	}
	putSome(t, s, 600, 10)
	complete(t, s, "after users beyond the load")
	if us, err := s.Users().List(t.Context(), user.Query{Order: []user.Order{{By: user.SortEmail}}, Limit: 5}); err != nil || len(us) != 5 {
		t.Errorf("list: %d users, %v", len(us), err)
	}
}

// TestInterruptedLoad ends a load before and after each index is built. The next opening of the database completes it,
// unless it continues the load or only reads.
func TestInterruptedLoad(t *testing.T) {
	for step := 0; ; step++ {
		path := filepath.Join(t.TempDir(), "roster.db")
		s := openFor(t, path, storage.Options{Load: true})
		putSome(t, s, 0, 30)
		c, err := s.writer.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		more := true
		for range step {
			if more, err = endLoadStep(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		release(t, s)
		if !more {
			if step < 9 {
				t.Errorf("there were %d steps", step)
			}
			return
		}
		reader, err := Driver.Open(&url.URL{Scheme: "sqlite", Path: path}, storage.Options{Access: storage.Read})
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "roster migrate") {
			t.Errorf("step %d: opened for reading: %v", step, err)
		}
		s = openFor(t, path, storage.Options{Load: true})
		if !isLoading(t, s) {
			t.Errorf("step %d: the load does not continue", step)
		}
		putSome(t, s, 30, 30)
		change(t, s)
		release(t, s)

		var notices []string
		s = openFor(t, path, storage.Options{Access: storage.Write, Notice: func(text string) { notices = append(notices, text) }})
		complete(t, s, fmt.Sprintf("step %d", step))
		if len(notices) != 1 || !strings.Contains(notices[0], "building the indexes") {
			t.Errorf("step %d: notices %q", step, notices)
		}
		release(t, s)
	}
}

// TestRefusedLoadDropsNothing puts first users that are refused as a whole: no index is dropped.
func TestRefusedLoadDropsNothing(t *testing.T) {
	s := openFor(t, filepath.Join(t.TempDir(), "roster.db"), storage.Options{Load: true})
	err := s.Write(t.Context(), "test", sqltable.Bulk, func(context.Context, sqltable.Querier) error { return errors.New("refused") })
	if err == nil {
		t.Error("no error")
	}
	complete(t, s, "after a failed transaction")
}

func TestLoadKeepsOthersOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := openFor(t, path, storage.Options{Load: true})
	putSome(t, s, 0, 3)
	other, err := sqlitefile.Pool(path, 1, "mode=rw", "_busy_timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := other.QueryRowContext(t.Context(), "SELECT count(*) FROM users").Scan(&n); !busy(err) {
		t.Errorf("another connection: %d users, %v", n, err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

// TestLoadNeedsAnEmptyDatabase opens databases with content for a load: they keep their indexes.
func TestLoadNeedsAnEmptyDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	service := openFor(t, path, storage.Options{})
	s := openFor(t, path, storage.Options{Load: true})
	putSome(t, s, 0, 3)
	complete(t, service, "beside a service")
	release(t, s)
	release(t, service)
	s = openFor(t, path, storage.Options{Load: true})
	putSome(t, s, 3, 3)
	complete(t, s, "with users")
	complete(t, openFor(t, path, storage.Options{}), "opened beside an import")
}
