package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

// texts are the parts of names and of search terms in these tests: characters of every length, some that FTS5 maps to
// others, and some that are special in its syntax.
var texts = []string{
	"", "a", "ab", "abc", "abcd", "bcd", "b c", "é", "éa", "日本", "日本語", "😀", "😀b😀", "\uFFFD", "\uFFFE", "\uFFFFx", "\U0010FFFF", "a\U0010FFFF",
	`"`, `""`, `a"b`, "'", "*", "ab*", "AND", "not", "%", "_", "\n", "\n\n", "-", "a\x00b", "\x00", "\xff", "ab\xffc", "\u00ad", "e\u0301",
}

func randomUser(t *testing.T, rnd *rand.Rand, n int) *user.User {
	t.Helper()
	id := user.IntegerID(int64(n + 1))
	if n%3 == 0 {
		id = user.ID(fmt.Sprintf("01900000-0000-7000-8000-%012x", n))
	}
	text := func() string { return texts[rnd.IntN(len(texts))] + texts[rnd.IntN(len(texts))] }
	u, err := user.Restore(user.Snapshot{
		ID: id, Email: fmt.Sprintf("%s%d@example.com", text(), n%7), EmailKey: fmt.Sprint(n), FirstName: text(), LastName: text(),
		Active: rnd.IntN(4) > 0, Staff: rnd.IntN(4) == 0, Joined: time.UnixMilli(int64(rnd.IntN(9))).UTC(), Version: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func ids(us []*user.User) string {
	out := make([]string, len(us))
	for i, u := range us {
		out[i] = string(u.ID())
	}
	return strings.Join(out, " ")
}

// doubt returns the differences between the users and the data that triggers maintain: the trigram index, the numbers
// of users in it, and the counts.
func doubt(t *testing.T, s *Store) error {
	t.Helper()
	if _, err := s.writer.ExecContext(t.Context(), "INSERT INTO users_search (users_search, rank) VALUES ('integrity-check', 1)"); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	for what, query := range map[string]string{
		"users without a number": "SELECT count(*) FROM users WHERE number IS NULL",
		"wrong counts": `SELECT count(*) FROM user_counts AS c WHERE value <>
			(SELECT count(*) FROM users AS u WHERE u.active = c.active AND u.staff = c.staff)`,
		"counts too few": "SELECT 4 - count(*) FROM user_counts",
	} {
		var n int
		if err := s.writer.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			return err
		}
		if n != 0 {
			return fmt.Errorf("%s: %d", what, n)
		}
	}
	return nil
}

func sound(t *testing.T, s *Store, when string) {
	t.Helper()
	if err := doubt(t, s); err != nil {
		t.Errorf("%s: %v", when, err)
	}
}

// TestDoubt shows that doubt finds differences.
func TestDoubt(t *testing.T) {
	for name, spoil := range map[string]string{
		"a text changed":  "UPDATE users SET search = 'other' WHERE number = 1",
		"a user moved":    "UPDATE users SET staff = 1 WHERE number = 1",
		"a user went":     "DELETE FROM users WHERE number = 1",
		"a number lost":   "UPDATE users SET number = NULL WHERE number = 1",
		"a number passed": "UPDATE users SET number = 3 WHERE number = 1",
		"a count lost":    "DELETE FROM user_counts WHERE staff = 1 AND active = 0",
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t)
			for _, id := range []user.ID{"1", "2"} {
				if err := s.Users().Add(t.Context(), sampleUser(t, id)); err != nil {
					t.Fatal(err)
				}
			}
			sound(t, s, "before")
			for _, statement := range []string{"DROP TRIGGER users_renamed", "DROP TRIGGER users_moved", "DROP TRIGGER users_removed", spoil} {
				if _, err := s.writer.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if err := doubt(t, s); err == nil {
				t.Error("no difference is found")
			}
		})
	}
}

// TestTriggersFollowUsers changes users in every way, with failing changes, and checks the data that triggers maintain.
func TestTriggersFollowUsers(t *testing.T) {
	s := opened(t)
	set(t, s, "synchronous = OFF")
	rnd := rand.New(rand.NewPCG(3, 4))
	errVain := errors.New("in vain")
	some := func() user.ID { return user.IntegerID(int64(1 + rnd.IntN(60))) }
	for i := range 240 {
		var err error
		switch id := some(); rnd.IntN(8) {
		case 0, 1, 2:
			err = s.Users().Add(t.Context(), randomUser(t, rnd, 3*rnd.IntN(60)+1)) // often taken
		case 3:
			err = s.Users().Delete(t.Context(), id, func(*user.User) error { return nil })
		case 4:
			err = s.Users().Delete(t.Context(), id, func(*user.User) error { return errVain })
		case 5:
			_, err = s.Users().Update(t.Context(), id, func(u *user.User) error {
				u.Rename(texts[rnd.IntN(len(texts))], texts[rnd.IntN(len(texts))])
				return []error{nil, nil, errVain}[rnd.IntN(3)]
			})
		case 6: // replaced by a user with the same id, another kind, email and name; the email may be taken
			_, err = s.Users().Update(t.Context(), id, func(u *user.User) error {
				other := randomUser(t, rnd, rnd.IntN(60)).Snapshot()
				other.ID = u.ID()
				changed, err := user.Restore(other)
				if err == nil {
					*u = *changed
				}
				return err
			})
		case 7: // added in a transaction that is rolled back
			u := randomUser(t, rnd, 3*rnd.IntN(60)+1).Snapshot()
			err = s.Write(t.Context(), "add in vain", sqltable.Durable, func(ctx context.Context, q sqltable.Querier) error {
				_, err := q.Exec(ctx, `INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined_us, version, search)
					VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', 1, 1, ?8) ON CONFLICT DO NOTHING`,
					u.ID.SortKey(), u.Email, u.EmailKey, u.FirstName, u.LastName, u.Active, u.Staff, strings.ReplaceAll(u.SearchText(), "\x00", "\uFFFD"))
				return errors.Join(err, errVain)
			})
		}
		switch {
		case err == nil, errors.Is(err, errVain), errors.Is(err, user.ErrNotFound), errors.Is(err, user.ErrEmailTaken), errors.Is(err, user.ErrIDTaken):
		default:
			t.Fatal(err)
		}
		if i%40 == 39 {
			sound(t, s, fmt.Sprintf("after %d changes", i+1))
		}
	}
	if n, err := s.Users().Count(t.Context(), user.Filter{}); err != nil || n < 10 {
		t.Errorf("only %d users are left, %v: the test shows little", n, err)
	}
}

// TestMigrationOfUsers brings a file up to date that has users already.
func TestMigrationOfUsers(t *testing.T) {
	const users, gone = 1200, 100
	path := former(t, 1, crowd(users), fmt.Sprintf("DELETE FROM users WHERE rowid <= %d", gone)) // so that numbers have gaps
	s := reopened(t, path)
	sound(t, s, "migrated")
	for _, c := range []struct {
		f    user.Filter
		want int
	}{
		{user.Filter{}, users - gone}, {user.Filter{Active: new(false)}, 1}, {user.Filter{Staff: new(true)}, 2},
		{user.Filter{Terms: []string{"@late"}}, users / 10}, {user.Filter{Terms: []string{"user99@"}}, 0}, {user.Filter{Terms: []string{"r1199@"}}, 1},
	} {
		n, err := s.Users().Count(t.Context(), c.f)
		if err != nil || n != c.want {
			t.Errorf("%+v: counted %d, %v, want %d", c.f, n, err, c.want)
		}
	}
	if err := s.Users().Add(t.Context(), sampleUser(t, "4000")); err != nil {
		t.Error(err)
	}
	if err := s.Users().Delete(t.Context(), "1200", func(*user.User) error { return nil }); err != nil {
		t.Error(err)
	}
	sound(t, s, "changed afterwards")
}

// TestVacuum compacts the file, and copies it as for a backup. Both may change the rowids of users. This version of
// SQLite does not; the test changes them itself.
func TestVacuum(t *testing.T) {
	s := crowded(t, 300)
	for i := range 200 {
		if err := s.Users().Delete(t.Context(), user.IntegerID(int64(i+1)), func(*user.User) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.writer.ExecContext(t.Context(), "UPDATE users SET rowid = 1000 - rowid"); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := s.writer.ExecContext(t.Context(), "VACUUM INTO ?", copied); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.ExecContext(t.Context(), "VACUUM"); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Store{"compacted": s, "copied": reopened(t, copied)} {
		t.Run(name, func(t *testing.T) {
			sound(t, s, "at once")
			if err := s.Users().Add(t.Context(), sampleUser(t, "400")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Users().Update(t.Context(), "250", func(u *user.User) error { u.Rename("Other", "Name"); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := s.Users().Delete(t.Context(), "251", func(*user.User) error { return nil }); err != nil {
				t.Fatal(err)
			}
			sound(t, s, "changed afterwards")
			for term, want := range map[string]string{"400@": "400", "other": "250", "user251@": "", "user252@": "252", "t251": ""} {
				found, err := s.Users().List(t.Context(), user.Query{Filter: user.Filter{Terms: []string{term}}, Order: user.Ordering("id"), Limit: 9})
				if err != nil || ids(found) != want {
					t.Errorf("%q: found %q, %v, want %q", term, ids(found), err, want)
				}
			}
		})
	}
}
