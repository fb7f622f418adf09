package sqlite

import (
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
)

// former makes a database as the program of an earlier schema version left it, after these statements.
func former(t testing.TB, version int64, statements ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "roster.db")
	if err := createFile(path); err != nil {
		t.Fatal(err)
	}
	s, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.release(); err != nil {
			t.Fatal(err)
		}
	}()
	if _, err := claim(t.Context(), s.writer, path, storage.Create); err != nil {
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
	for _, statement := range statements {
		if _, err := s.writer.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return path
}

// TestUpgradeIsAnnounced opens a former schema twice: the first start reports the upgrade that may take long.
func TestUpgradeIsAnnounced(t *testing.T) {
	u := &url.URL{Scheme: "sqlite", Path: former(t, 3)}
	var announced []string
	for range 2 {
		b, err := Driver.Open(u, storage.Options{Notice: func(what string) { announced = append(announced, what) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(announced) != 1 || !strings.Contains(announced[0], "schema version") || !strings.Contains(announced[0], "from 3") {
		t.Errorf("announced: %q, want the one upgrade", announced)
	}
}

// TestUpgradeFrom2 opens a database of a version without lists of sessions, lockouts and the trail.
func TestUpgradeFrom2(t *testing.T) {
	path := former(t, 2,
		`INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined, last_login, version, search)
			VALUES ('0000000000000000007', 'A@example.com', 'a@example.com', 'Ann', 'Lee', 1, 0, 'x', 1700000000123, 1700000000456, 4, 'a')`,
		`INSERT INTO sessions (id, owner, created, confirmed, expires, generation, rotated_at, revoked_at, reason, user_agent, address, version)
			VALUES ('a', '0000000000000000007', 1700000000001, 1700000000002, 1800000000003, 3, 1700000000004, NULL, '', 'Agent', '192.0.2.1', 5),
			('b', '0000000000000000007', 1700000000011, 1700000000012, 1800000000013, 0, NULL, NULL, '', '', '', 1),
			('c', '0000000000000000007', 1700000000021, 1700000000022, 1800000000023, 0, NULL, 1700000000024, 'signed_out', '', '', 2)`)
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	for range 2 { // the second time without an upgrade
		s := reopened(t, path)
		person := user.Snapshot{
			ID: "7", Email: "A@example.com", EmailKey: "a@example.com", FirstName: "Ann", LastName: "Lee", Active: true,
			Password: credential.RestoreHash("x"), Joined: at(1700000000123), LastLogin: at(1700000000456), Version: 4,
		}
		if u, err := s.Users().Get(t.Context(), "7"); err != nil || u.Snapshot() != person {
			t.Errorf("the user: %+v, %v; want %+v", u, err, person)
		}
		want := session.Snapshot{
			ID: "a", User: "7", Created: at(1700000000001), Expires: at(1800000000003), Generation: 3,
			RotatedAt: at(1700000000004), UserAgent: "Agent", Address: "192.0.2.1", Version: 5,
		}
		if x, err := s.Sessions().Get(t.Context(), "a"); err != nil || x.Snapshot() != want {
			t.Errorf("the session: %+v, %v; want %+v", x, err, want)
		}
		xs, err := s.Sessions().List(t.Context(), session.Query{Owner: "7", LiveAt: at(1700000000000), Limit: 9})
		if err != nil || len(xs) != 2 || xs[0].ID() != "b" || xs[1].ID() != "a" {
			t.Errorf("the sessions: %v, %v; want b and a", xs, err)
		}
		var verdict string
		if err := s.reader.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity check: %s, %v", verdict, err)
		}
	}

	s, used := reopened(t, path), at(1750000000000)
	x, err := s.Sessions().Update(t.Context(), "b", func(x *session.Session) error { x.RecordUse(used); return nil })
	if err != nil || !x.LastUsed().Equal(used) {
		t.Errorf("the last use: %+v, %v", x, err)
	}
	fail := func(r *lockout.Record) error { r.Fail(used, lockout.Policy{Free: 100, Leak: time.Hour}); return nil }
	if r, err := s.Attempts().Update(t.Context(), lockout.ForAddress("a@example.com"), fail); err != nil || r.Snapshot().Version != 1 {
		t.Errorf("Attempts.Update: %+v, %v", r, err)
	}
	if err := s.AuditTrail().Append(t.Context(), audit.Event{ID: "e", At: used, Kind: audit.SignedIn, User: "7"}); err != nil {
		t.Errorf("AuditTrail.Append: %v", err)
	}
	if _, err := s.Users().Update(t.Context(), "7", func(u *user.User) error { u.Rename("Bo", "Lee"); return nil }); err != nil {
		t.Errorf("Users.Update: %v", err)
	}
}

// TestUpgradeFrom4 opens a database of a version in which times decided which sessions had ended.
func TestUpgradeFrom4(t *testing.T) {
	path := former(t, 4,
		`INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined_us, sessions_valid_after_us, version, search)
			VALUES ('0000000000000000007', 'a@example.com', 'a@example.com', '', '', 1, 0, 'x', 1700000000000000, 1700000005000000, 4, 'a'),
			('0000000000000000008', 'b@example.com', 'b@example.com', '', '', 1, 0, 'x', 1700000000000000, NULL, 4, 'b')`,
		`INSERT INTO sessions (id, owner, created, confirmed, expires, generation, reason, user_agent, address, version)
			VALUES ('ended', '0000000000000000007', 1700000000001, 1700000004999, 1800000000000, 0, '', '', '', 1),
			('same instant', '0000000000000000007', 1700000000002, 1700000005000, 1800000000000, 0, '', '', '', 1),
			('later', '0000000000000000007', 1700000006000, 1700000006000, 1800000000000, 0, '', '', '', 1),
			('of another', '0000000000000000008', 1700000000001, 1700000000001, 1800000000000, 0, '', '', '', 1)`)
	now := time.UnixMilli(1700000010000)
	for range 2 { // the second time without an upgrade
		s := reopened(t, path)
		for id, live := range map[session.ID]bool{"ended": false, "same instant": true, "later": true, "of another": true} {
			x, err := s.Sessions().Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			u, err := s.Users().Get(t.Context(), x.User())
			if err != nil {
				t.Fatal(err)
			}
			if got := x.Live(u, now, session.Rules{}); got != live {
				t.Errorf("%s: live %t, want %t", id, got, live)
			}
			u.EndSessions(now)
			if x.Live(u, now, session.Rules{}) {
				t.Errorf("%s: not ended by a change after the upgrade", id)
			}
		}
	}
}

// TestUpgradeFrom5 opens a database of a version whose search text distinguished characters with the same upper case.
func TestUpgradeFrom5(t *testing.T) {
	path := former(t, 5,
		`INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined_us, version, search) VALUES
			('0000000000000000007', 'a@example.com', 'a@example.com', 'Οδυσσεύς', 'Ilgın', 1, 0, 'x', 1700000000000000, 4, 'a@example.com' || char(10) || 'οδυσσεύς' || char(10) || 'ilgın'),
			('0000000000000000008', 'b@example.com', 'b@example.com', 'Bo', 'Lee', 1, 0, 'x', 1700000000000000, 4, 'b@example.com' || char(10) || 'bo' || char(10) || 'lee')`)
	s := reopened(t, path)
	for _, term := range []string{"οδυσσεύς", "ΟΔΥΣΣΕΎΣ", "ilgin", "ILGIN", "ılgın"} {
		found, err := s.Users().List(t.Context(), user.Query{Filter: user.Filter{Terms: user.Terms(term)}, Order: user.Ordering("id"), Limit: 9})
		if err != nil || len(found) != 1 || found[0].ID() != "7" {
			t.Errorf("%s: %v, %v", term, found, err)
		}
	}
}
