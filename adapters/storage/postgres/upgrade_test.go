package postgres

import (
	"context"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/support/testenv"
)

// former makes a schema as the program of an earlier version left it.
func former(t *testing.T, version int64, statements ...string) (base string) {
	t.Helper()
	base = testenv.Postgres(t)
	s, err := New(base)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*s.config.ConnConfig)
	defer func() {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	if _, err := claim(t.Context(), db, storage.Create); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return base
}

// TestUpgradeIsAnnounced opens a former schema twice: the first start says what may take long.
func TestUpgradeIsAnnounced(t *testing.T) {
	u, err := url.Parse(former(t, 3))
	if err != nil {
		t.Fatal(err)
	}
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

// reopened returns a started Store on the database at url.
func reopened(t *testing.T, base string) *Store {
	t.Helper()
	s, err := New(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// TestUpgradeFrom2 opens a database from before there were lists of sessions, lockouts and the trail.
func TestUpgradeFrom2(t *testing.T) {
	base := former(t, 2,
		`INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined, last_login, version, search)
			VALUES ('0000000000000000007', 'A@example.com', 'a@example.com', 'Ann', 'Lee', true, false, 'x', 1700000000123, 1700000000456, 4, 'a')`,
		`INSERT INTO sessions (id, owner, created, confirmed, expires, generation, rotated_at, revoked_at, reason, user_agent, address, version)
			VALUES ('a', '0000000000000000007', 1700000000001, 1700000000002, 1800000000003, 3, 1700000000004, NULL, '', 'Agent', '192.0.2.1', 5),
			('b', '0000000000000000007', 1700000000011, 1700000000012, 1800000000013, 0, NULL, NULL, '', '', '', 1),
			('c', '0000000000000000007', 1700000000021, 1700000000022, 1800000000023, 0, NULL, 1700000000024, 'signed_out', '', '', 2)`)
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	for range 2 { // and once more as it is then
		s := reopened(t, base)
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
	}

	s, used := reopened(t, base), at(1750000000000)
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

// TestUpgradeFrom4 opens a database in which times decided which sessions were ended.
func TestUpgradeFrom4(t *testing.T) {
	base := former(t, 4,
		`INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined_us, sessions_valid_after_us, version, search)
			VALUES ('0000000000000000007', 'a@example.com', 'a@example.com', '', '', true, false, 'x', 1700000000000000, 1700000005000000, 4, 'a'),
			('0000000000000000008', 'b@example.com', 'b@example.com', '', '', true, false, 'x', 1700000000000000, NULL, 4, 'b')`,
		`INSERT INTO sessions (id, owner, created, confirmed, expires, generation, reason, user_agent, address, version)
			VALUES ('ended', '0000000000000000007', 1700000000001, 1700000004999, 1800000000000, 0, '', '', '', 1),
			('same instant', '0000000000000000007', 1700000000002, 1700000005000, 1800000000000, 0, '', '', '', 1),
			('later', '0000000000000000007', 1700000006000, 1700000006000, 1800000000000, 0, '', '', '', 1),
			('of another', '0000000000000000008', 1700000000001, 1700000000001, 1800000000000, 0, '', '', '', 1)`)
	now := time.UnixMilli(1700000010000)
	for range 2 { // and once more as it is then
		s := reopened(t, base)
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

// TestUpgradeFrom5 opens a database whose text for searches kept characters apart that share their upper case, and whose
// index for searches was another one.
func TestUpgradeFrom5(t *testing.T) {
	base := former(t, 5,
		"CREATE INDEX users_search ON users (search)",
		`INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined_us, version, search) VALUES
			('0000000000000000007', 'a@example.com', 'a@example.com', 'Οδυσσεύς', 'Ilgın', true, false, 'x', 1700000000000000, 4, 'a@example.com' || chr(10) || 'οδυσσεύς' || chr(10) || 'ilgın'),
			('0000000000000000008', 'b@example.com', 'b@example.com', 'Bo', 'Lee', true, false, 'x', 1700000000000000, 4, 'b@example.com' || chr(10) || 'bo' || chr(10) || 'lee')`)
	s := reopened(t, base)
	for _, term := range []string{"οδυσσεύς", "ΟΔΥΣΣΕΎΣ", "ilgin", "ILGIN", "ılgın"} {
		found, err := s.Users().List(t.Context(), user.Query{Filter: user.Filter{Terms: user.Terms(term)}, Order: user.Ordering("id"), Limit: 9})
		if err != nil || len(found) != 1 || found[0].ID() != "7" {
			t.Errorf("%s: %v, %v", term, found, err)
		}
	}
}
