package e2e

import (
	"fmt"
	"strings"
	"testing"

	"roster/test/support/process"
)

// events returns the details of the events of a kind, newest first.
func events(s *process.Server, t testing.TB, as tokens, kind string) []string {
	t.Helper()
	details := []string{}
	for _, e := range call(s, t, "GET", "/api/audit/?kind="+kind, bearer(as.access)).want(200).results() {
		details = append(details, fmt.Sprint(e["detail"]))
	}
	return details
}

// A revoked refresh token that is sent many times is recorded once, and once more with the number of times, at the
// latest when the service stops.
func TestRepeatedDeadTokenIsRecordedTwice(t *testing.T) {
	s := process.Start(t, nil)
	_, k := arrive(s, t, "ann@example.com")
	_, admin := staff(s, t, "root@example.com")
	next := refresh(s, t, k.refresh).want(200)
	signOut(s, t, next.text("refresh")).want(200)
	for range 20 {
		signOut(s, t, k.refresh).want(401)
	}
	same(t, "token_reused", events(s, t, admin, "token_reused"), []string{"refused"})
	s.Stop()
	s.Restart()
	got := events(s, t, admin, "token_reused")
	if len(got) != 2 || !strings.HasPrefix(got[0], "refused; 19 more since ") || got[1] != "refused" {
		t.Errorf("token_reused: %q", got)
	}
}

// By default the request rate of one account is limited before it fills the disk. Normal use stays below the limit.
func TestOneAccountCannotFillTheDisk(t *testing.T) {
	const most = 10_000
	s := process.Start(t, map[string]string{"ROSTER_THROTTLE_USER": process.Default, "ROSTER_THROTTLE_TOKEN": process.Default})
	_, k := arrive(s, t, "ann@example.com")
	until429 := func(what string, ask func(i int) answer) {
		t.Helper()
		for i := range most {
			a := ask(i)
			if a.status == 429 {
				if i < 500 || a.header.Get("Retry-After") != "1" {
					t.Errorf("%s: refused after %d, Retry-After %q", what, i, a.header.Get("Retry-After"))
				}
				return
			}
			a.want(200)
		}
		t.Errorf("%s: %d times", what, most)
	}
	until429("changes", func(i int) answer {
		return call(s, t, "PATCH", "/api/users/me/", bearer(k.access), body(object{"first_name": fmt.Sprint("Ann", i%2)}))
	})
	until429("refreshes", func(int) answer {
		a := refresh(s, t, k.refresh)
		if a.status == 200 {
			k.refresh = a.text("refresh")
		}
		return a
	})
}

// A sign-in beyond max_sessions ends the oldest session; by default a hundred count.
func TestSessionsOfOneUserAreLimited(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_MAX_SESSIONS": "3"})
	ann, first := arrive(s, t, "ann@example.com")
	var k tokens
	for range 3 {
		k = signIn(s, t, ann)
	}
	same(t, "sessions", len(call(s, t, "GET", "/api/sessions/", bearer(k.access)).want(200).results()), 3)
	wantDead(s, t, ann, first)
	wantAlive(s, t, ann, k)
	_, admin := staff(s, t, "root@example.com")
	same(t, "session_revoked", events(s, t, admin, "session_revoked"), []string{"too many sessions"})
}
