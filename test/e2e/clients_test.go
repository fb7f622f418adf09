package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"roster/test/support/process"
)

// By default the registrations of a client are limited, whatever X-Forwarded-For it sends.
func TestRegistrationIsThrottled(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_THROTTLE_REGISTER": "2/day"})
	for i, want := range []int{201, 400, 429, 429} { // refused registrations count too
		a := call(s, t, "POST", "/api/users/", body(registration("ann@example.com")), header("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i)))
		a.want(want)
		same(t, "RateLimit-Policy", a.header.Get("RateLimit-Policy"), `"register";q=2;w=86400`)
		if want == 429 && (a.header.Get("Retry-After") == "" || !strings.HasPrefix(a.text("detail"), "Request was throttled. Expected available in ")) {
			t.Errorf("%v %s", a.header, a.raw)
		}
	}
	s.MustCLI("user", "set", "ann@example.com", "--staff=true")
	admin := signIn(s, t, person{email: "ann@example.com"})
	call(s, t, "POST", "/api/users/", bearer(admin.access), body(registration("bob@example.com"))).want(201)

	limited := 0
	for line := range strings.Lines(s.Logs()) {
		var entry struct{ Limit, Client string }
		if err := json.Unmarshal([]byte(line), &entry); err == nil && entry.Limit == "register" && entry.Client == "127.0.0.1" {
			limited++
		}
	}
	same(t, "refusals in the log", limited, 2)
}

// Behind a trusted proxy the client address is the one that the proxy sends, in limits, sessions and the log.
func TestBehindAProxy(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_TRUSTED_PROXIES": "127.0.0.1", "ROSTER_THROTTLE_TOKEN": "1/day"})
	for _, c := range []struct {
		from string
		want int
	}{{"192.0.2.1", 401}, {"192.0.2.2", 401}, {"203.0.113.9, 192.0.2.1", 429}, {"2001:db8::1", 401}, {"2001:db8::2", 429}} {
		call(s, t, "POST", "/api/token/", body(object{"email": "a@b.cd", "password": "x"}), header("X-Forwarded-For", c.from)).want(c.want)
	}
	if !strings.Contains(s.Logs(), `"client":"192.0.2.2"`) {
		t.Errorf("the log has no client address:\n%s", s.Logs())
	}
}

// A proxy that is not in trusted_proxies is logged once: all its clients share every limit.
func TestUntrustedProxyIsLogged(t *testing.T) {
	for proxies, want := range map[string]int{"": 1, "127.0.0.1": 0} {
		s := process.Start(t, map[string]string{"ROSTER_TRUSTED_PROXIES": proxies})
		for range 3 {
			call(s, t, "GET", "/livez", header("X-Forwarded-For", "192.0.2.1")).want(200)
		}
		s.Stop()
		if got := strings.Count(s.Logs(), "X-Forwarded-For is not believed"); got != want {
			t.Errorf("trusted_proxies %q: logged %d times, want %d", proxies, got, want)
		}
	}
}
