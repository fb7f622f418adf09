package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"roster/domain/credential"
	"roster/domain/session"
	"roster/domain/user"
)

// traces counts the occurrences of a text in the files of a store.
func traces(t *testing.T, s *Store, text string) string {
	t.Helper()
	var left []string
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(s.path + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if n := bytes.Count(raw, []byte(text)); n > 0 {
			left = append(left, fmt.Sprintf("%d in roster.db%s", n, suffix))
		}
	}
	return strings.Join(left, ", ")
}

// Address, names, hashes and client of a deleted user, and those that a change replaced before, are gone from the
// files after the next sweep or the stop.
func TestDeletedIsGone(t *testing.T) {
	for name, settle := range map[string]func(s *Store) error{
		"sweep": func(s *Store) error { _, err := s.AuditTrail().Sweep(t.Context(), time.UnixMilli(0), 100); return err },
		"stop":  func(s *Store) error { return s.Close(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t)
			set(t, s, "synchronous = OFF")
			const many = 60 // so that pages split and become free, whose content FAST leaves
			add := func(i int, name string) {
				email := fmt.Sprintf("%s.%d@example.com", name, i)
				u, err := user.Restore(user.Snapshot{
					ID: user.IntegerID(int64(i)), Email: email, EmailKey: email, FirstName: name, LastName: name, Joined: time.UnixMilli(1), Version: 1,
					Password: credential.RestoreHash(fmt.Sprintf("$argon2id$%s$%048d", name, i)),
				})
				if err == nil {
					err = s.Users().Add(t.Context(), u)
				}
				if err == nil {
					err = s.Sessions().Add(t.Context(), session.Start(session.ID(fmt.Sprint(i)), u.ID(), 0, time.UnixMilli(1), session.Rules{RefreshLifetime: time.Hour}, session.Client{UserAgent: name}))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			for kind, name := range []string{"remaining", "vanishing", "other"} {
				for i := range many {
					add(many*kind+i+1, name)
				}
			}
			all := func(do func(id user.ID) error) {
				for i := range many {
					if err := do(user.IntegerID(int64(many + i + 1))); err != nil {
						t.Fatal(err)
					}
				}
			}
			all(func(id user.ID) error {
				_, err := s.Users().Update(t.Context(), id, func(u *user.User) error {
					u.Rename("vanishing.twice", "x")
					return nil
				})
				return err
			})
			all(func(id user.ID) error {
				return s.Users().Delete(t.Context(), id, func(*user.User) error { return nil })
			})
			all(func(id user.ID) error { return s.Sessions().DeleteOf(t.Context(), id) })
			if traces(t, s, "vanishing") == "" {
				t.Fatal("the files did not contain the text before")
			}
			if err := settle(s); err != nil {
				t.Fatal(err)
			}
			if left := traces(t, s, "vanishing"); left != "" {
				t.Errorf("left: %s", left)
			}
			if traces(t, s, "remaining") == "" {
				t.Error("the files are empty")
			}
		})
	}
}

// An open reader prevents that the log is emptied. A sweep does not wait for it; the next sweep empties the log.
func TestSweepDoesNotWaitForReader(t *testing.T) {
	s := opened(t)
	if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
		t.Fatal(err)
	}
	tx, err := s.reader.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		if err := s.emptyLog(t.Context()); err != nil {
			t.Fatal(err)
		}
		var timeout int
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout); err != nil || timeout != 5000 {
			t.Errorf("the writer waits for %d ms, %v", timeout, err)
		}
		info, err := os.Stat(s.path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if got := size(); got == 0 {
		t.Error("the log was emptied during a read")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := size(); got != 0 {
		t.Errorf("the log has %d bytes after the reader's end", got)
	}
}
