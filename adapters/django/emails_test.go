package django

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"roster/ports/outbound"
)

// proofs returns what is known of each user's address.
func proofs(t *testing.T, o Options) string {
	t.Helper()
	var out []string
	for _, u := range read(t, o) {
		out = append(out, fmt.Sprintf("%s:%d,%d", u.ID, u.Proof, u.OtherEmails))
	}
	return strings.Join(out, " ")
}

// What allauth knows of addresses: 1 verified under another spelling, with a further one; 2 unverified; 3 another address
// alone is verified; 4 has none; 5 has the user name as its address; 6 has the address of 1.
const (
	wantProofs = "1:1,1 2:2,0 3:2,1 4:0,0 5:1,0 6:2,1"
	verified   = outbound.Proven // 1
)

// The verified flags of allauth are those of the user's own address.
func TestAddressesOfAllauth(t *testing.T) {
	var rows []string
	for id, email := range []string{1: "Ann@example.com", 2: "bob@example.com", 3: "cy@example.com", 4: "dee@example.com", 5: "", 6: "fay@example.com"} {
		if id > 0 {
			rows = append(rows, fmt.Sprintf(`{"model":"auth.user","pk":%d,"fields":{"password":"!","last_login":null,"username":"eve@example.com","email":%q}}`, id, email))
		}
	}
	users := len(rows)
	for _, e := range []struct {
		user              int
		email             string
		verified, primary bool
	}{
		{1, "ann@example.com", true, true}, {1, "ann@example.org", true, false}, {2, "bob@example.com", false, true}, {3, "old@example.com", true, true},
		{5, "eve@example.com", true, true}, {6, "ann@example.com", true, true},
	} {
		rows = append(rows, fmt.Sprintf(`{"model":"account.EmailAddress","pk":1,"fields":{"user":%d,"email":%q,"verified":%t,"primary":%t}}`, e.user, e.email, e.verified, e.primary))
	}
	after := "[" + strings.Join(rows, ",") + "]"
	before := "[" + strings.Join(append(append([]string{}, rows[users:]...), rows[:users]...), ",") + "]" // addresses may come first
	for _, text := range []string{after, before} {
		o := Options{Source: file(t, text)}
		if got := proofs(t, o); got != wantProofs {
			t.Errorf("%s, want %s", got, wantProofs)
		}
		// A rejected row that is imported again keeps the flags.
		if again := read(t, Options{Source: file(t, string(read(t, o)[0].Row))}); len(again) != 1 || again[0].Proof != verified || again[0].OtherEmails != 1 {
			t.Errorf("again: %+v", again)
		}
	}
	if got := proofs(t, Options{Source: file(t, "["+strings.Join(rows[:users], ",")+"]")}); strings.Contains(got, ":1,") || strings.Contains(got, ":2,") {
		t.Errorf("without allauth: %s", got)
	}
}

func TestAddressesOfAllauthInDatabases(t *testing.T) {
	statements := []string{
		`CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128), last_login timestamp, username varchar(150), email varchar(254))`,
		`INSERT INTO auth_user VALUES (1, '!', NULL, 'x', 'Ann@example.com'), (2, '!', NULL, 'x', 'bob@example.com'), (3, '!', NULL, 'x', 'cy@example.com'),
			(4, '!', NULL, 'x', 'dee@example.com'), (5, '!', NULL, 'eve@example.com', ''), (6, '!', NULL, 'x', 'fay@example.com')`,
		`CREATE TABLE account_emailaddress (id integer PRIMARY KEY, email varchar(254), verified boolean, "primary" boolean, user_id integer)`,
		`INSERT INTO account_emailaddress VALUES (1, 'ann@example.com', true, true, 1), (2, 'ann@example.org', true, false, 1), (3, 'bob@example.com', false, true, 2),
			(4, 'old@example.com', true, true, 3), (5, 'eve@example.com', true, true, 5), (6, 'ann@example.com', true, true, 6)`,
	}
	path, none := filepath.Join(t.TempDir(), "db"), filepath.Join(t.TempDir(), "db")
	makeSQLite(t, path, statements...)
	makeSQLite(t, none, statements[:2]...)
	for _, source := range []string{path, postgresOf(t, statements...)} {
		o := Options{Source: source}
		if got := proofs(t, o); got != wantProofs {
			t.Errorf("%s: %s, want %s", source, got, wantProofs)
		}
		if again := read(t, Options{Source: file(t, string(read(t, o)[0].Row))}); len(again) != 1 || again[0].Proof != verified || again[0].OtherEmails != 1 {
			t.Errorf("again: %+v", again)
		}
	}
	if got := proofs(t, Options{Source: none}); strings.Contains(got, ":1,") || strings.Contains(got, ":2,") {
		t.Errorf("without allauth: %s", got)
	}
}
