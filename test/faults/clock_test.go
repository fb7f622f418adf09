package faults

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roster/test/support/process"
)

// wrongClock is a service whose clock the test sets.
type wrongClock struct {
	*process.Server
	t    *testing.T
	file string
}

// withClock starts a service with a defect, or "none".
func withClock(t *testing.T, defect string, env map[string]string) *wrongClock {
	t.Helper()
	c := &wrongClock{t: t, file: filepath.Join(t.TempDir(), "ahead")}
	c.set(0)
	env["TEST_CLOCK"] = c.file
	c.Server = process.StartFlawed(t, defect, env)
	return c
}

// set puts the clock ahead of the machine's.
func (c *wrongClock) set(ahead time.Duration) {
	c.t.Helper()
	next := c.file + ".next"
	err := os.WriteFile(next, []byte(ahead.String()), 0o600)
	if err == nil {
		err = os.Rename(next, c.file)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// signIn returns the status for a password, and the tokens.
func (c *wrongClock) signIn(email, with string) (int, tokens) {
	a := ask(c.URL, "POST", "/api/token/", "", object{"email": email, "password": with})
	return a.status, tokens{a.text("access"), a.text("refresh")}
}

func (c *wrongClock) refresh(token string) int {
	return ask(c.URL, "POST", "/api/token/refresh/", "", object{"refresh": token}).status
}

type tokens struct{ access, refresh string }

// clockJumps lets the clock of a service under load jump an hour ahead, back, ahead again, and then 25 hours ahead.
func clockJumps(t *testing.T, defect string) []string {
	t.Helper()
	env := settings("sqlite:")
	for name, value := range map[string]string{
		"ROSTER_ACCESS_TOKEN_LIFETIME": "12h", "ROSTER_REFRESH_TOKEN_LIFETIME": "24h", // longer than an hour, and shorter than 25
		"ROSTER_LOCKOUT_FAILURES": "5", "ROSTER_LOCKOUT_DELAY": "10m",
	} {
		env[name] = value
	}
	s := withClock(t, defect, env)
	l := newLedger("clock", rand.Uint64())
	l.anyTime = true
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			l.violate("%s: status %d, want %d", what, got, want)
		}
	}
	for _, name := range []string{"admin", "ann", "bob", "eve"} {
		registered(t, s.Server, name+"@example.com")
	}
	s.MustCLI("user", "set", "admin@example.com", "--staff=true")
	_, signedOut := s.signIn("ann@example.com", password)
	_, lives := s.signIn("ann@example.com", password)
	work := l.begin(s.URL, clients, 1<<20)
	work.await(100)

	s.set(time.Hour)
	work.await(100)
	want("sign-out an hour later", ask(s.URL, "POST", "/api/token/blacklist/", "", object{"refresh": signedOut.refresh}).status, http.StatusOK)
	_, early := s.signIn("ann@example.com", password)
	for _, email := range []string{"bob@example.com", "eve@example.com"} {
		for range 5 {
			_, _ = s.signIn(email, "wrong")
		}
		got, _ := s.signIn(email, password)
		want("sign-in to a locked account", got, http.StatusTooManyRequests)
	}

	s.set(0)
	work.await(100)
	want("refresh of a session that ended, before its end", s.refresh(signedOut.refresh), http.StatusUnauthorized)
	want("refresh with a token of the future", s.refresh(early.refresh), http.StatusUnauthorized)
	want("access with a token of the future", ask(s.URL, "GET", "/api/users/?page_size=1", early.access, nil).status, http.StatusUnauthorized)
	got, _ := s.signIn("bob@example.com", password)
	want("sign-in to an account that was locked in the future", got, http.StatusOK)
	got, _ = s.signIn("eve@example.com", "wrong")
	want("a wrong password for such an account", got, http.StatusUnauthorized)
	got, _ = s.signIn("eve@example.com", password)
	want("sign-in after it", got, http.StatusTooManyRequests)

	s.set(time.Hour)
	work.await(100)
	work.end()
	want("refresh of a session that goes on", s.refresh(lives.refresh), http.StatusOK)
	l.verify(s.URL, 0)
	_, admin := s.signIn("admin@example.com", password)
	trail(s.URL, admin.access, l)

	s.set(26 * time.Hour)
	want("refresh after 25 hours", s.refresh(early.refresh), http.StatusUnauthorized)
	got, _ = s.signIn("ann@example.com", password)
	want("sign-in after 25 hours", got, http.StatusOK)
	if strings.Contains(s.Logs(), "panic") {
		l.violate("the log has a panic")
	}
	return l.report(t)
}

// trail reads all events. Each has an id of its own and a time in UTC.
func trail(url, token string, l *ledger) {
	seen := map[any]bool{}
	for next := url + "/api/audit/?page_size=100"; next != ""; {
		a := ask("", "GET", next, token, nil)
		events, _ := a.body()["results"].([]any)
		if a.status != http.StatusOK || len(events) == 0 {
			l.violate("the audit trail after %d events: %v, status %d: %s", len(seen), a.err, a.status, a.raw)
			return
		}
		for _, event := range events {
			e, _ := event.(object)
			at, _ := e["time"].(string)
			if _, err := time.Parse(time.RFC3339, at); err != nil || !strings.HasSuffix(at, "Z") {
				l.violate("an event has the time %q", at)
			}
			if id := e["id"]; id == nil || seen[id] {
				l.violate("two events have the id %v", id)
			}
			seen[e["id"]] = true
		}
		next = a.text("next")
	}
}

// A clock that jumps ends no session that did not expire by it, and revives none; it locks no account for longer, and no
// fewer than one attempt later.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	none(t, clockJumps(t, "none"))
}

// The same test finds a service that compares the end of a session with its clock, one that holds a lock until its clock
// is back where it was, and one that never looks at the time of day again.
func TestClockJumpsRevealDefects(t *testing.T) {
	t.Parallel()
	for _, defect := range []string{"ended_by_clock", "locked_by_clock", "stopped_clock"} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			found(t, func() []string { return clockJumps(t, defect) })
		})
	}
}
