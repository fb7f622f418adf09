package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
)

// people is an application that knows Ann, Bob and Sam of the staff by tokens of their names, finds
// nobody and registers nobody.
type fakeApp struct {
	inbound.Authentication
	inbound.Accounts
	signIn error // what every sign-in fails with
}

func (fakeApp) Authenticate(_ context.Context, token string) (inbound.Actor, error) {
	if token != "ann" && token != "bob" && token != "sam" {
		return inbound.Actor{}, inbound.ErrUserNotFound
	}
	u, err := user.Restore(user.Snapshot{
		ID: user.ID(token), Email: token + "@example.com", EmailKey: token + "@example.com",
		Joined: noon, Version: 1, Active: true, Staff: token == "sam",
	})
	return inbound.Actor{User: u}, err
}

func (p fakeApp) SignIn(context.Context, inbound.SignIn) (inbound.TokenPair, error) {
	return inbound.TokenPair{}, p.signIn
}

func (fakeApp) Register(_ context.Context, _ inbound.Actor, read func() (inbound.UserInput, error)) (*user.User, error) {
	_, err := read()
	return nil, err
}

func (fakeApp) Get(context.Context, inbound.Actor, user.ID) (*user.User, error) {
	return nil, user.ErrNotFound
}

// edge is the API on a socket, behind a proxy on this machine, with a clock that the test moves.
type testAPI struct {
	t   *testing.T
	url string
	testClock
}

// conversations is all that the API needs of an application, but for its health.
type conversations interface {
	inbound.Accounts
	inbound.Authentication
}

func newTestAPI(t *testing.T, s Settings, p conversations) *testAPI {
	t.Helper()
	s.MaxBody, s.RequestTimeout = 1024, time.Minute
	if s.TrustedProxies == nil {
		s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}
	e := &testAPI{t: t, testClock: testClock{noon}}
	limits, err := newRateLimits(s.Throttling, e.now)
	if err != nil {
		t.Fatal(err)
	}
	srv := &server{
		Ports: Ports{Accounts: p, Authentication: p, Health: healthy{}}, Settings: s, jwks: func() []byte { return []byte("{}") },
		limits: limits, log: zap.NewNop(),
	}
	on := httptest.NewServer(srv.wrap(srv.routes()))
	t.Cleanup(on.Close)
	e.url = on.URL
	return e
}

type healthy struct{}

func (healthy) Ready(context.Context) error { return nil }

// reply is an answer with its body.
type reply struct {
	*http.Response
	body string
}

// send sends a request. headers are name and value in turn.
func (e *testAPI) send(method, path, body string, headers ...string) reply {
	e.t.Helper()
	r, err := http.NewRequestWithContext(e.t.Context(), method, e.url+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return reply{resp, string(b)}
}

func from(address string) []string { return []string{"X-Forwarded-For", address} }

func as(name string) []string { return []string{"Authorization", "Bearer " + name} }

// want checks a status and headers, given as name and value in turn; an empty value is none.
func (r reply) want(t *testing.T, status int, headers ...string) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("status %d, want %d: %s", r.StatusCode, status, r.body)
	}
	for i := 0; i < len(headers); i += 2 {
		if got := strings.Join(r.Header.Values(headers[i]), " | "); got != headers[i+1] {
			t.Errorf("%s: %q, want %q", headers[i], got, headers[i+1])
		}
	}
}

func TestThrottledResponse(t *testing.T) {
	e := newTestAPI(t, Settings{Throttling: Throttling{Token: Rate{2, time.Minute}}}, fakeApp{})
	const policy = `"token";q=2;w=60`
	send := func(headers ...string) reply { return e.send("POST", "/api/token/", "{bad", headers...) }

	send().want(t, 400, "RateLimit-Policy", policy, "RateLimit", `"token";r=1;t=30`, "Retry-After", "")
	e.Time = noon.Add(500 * time.Millisecond)
	e.send("POST", "/api/token/refresh/", "{bad").want(t, 400, "RateLimit-Policy", policy, "RateLimit", `"token";r=0;t=60`)
	r := send()
	r.want(t, 429, "RateLimit-Policy", policy, "RateLimit", `"token";r=0;t=30`, "Retry-After", "30", "Content-Type", "application/json", "Allow", "POST, OPTIONS")
	if r.body != `{"detail":"Request was throttled. Expected available in 30 seconds."}` {
		t.Error(r.body)
	}
	e.Time = noon.Add(30*time.Second - 1)
	r = send("Accept", "application/problem+json")
	r.want(t, 429, "Retry-After", "1", "RateLimit", `"token";r=0;t=1`, "Content-Type", "application/problem+json")
	for _, member := range []string{`"status":429`, `"title":"Too Many Requests"`, `"detail":"Request was throttled. Expected available in 1 second."`, `"code":"token"`} {
		if !strings.Contains(r.body, member) {
			t.Errorf("%s lacks %s", r.body, member)
		}
	}
	e.Time = noon.Add(30 * time.Second) // what was refused does not lengthen the wait
	send().want(t, 400, "RateLimit", `"token";r=0;t=60`)
	send().want(t, 429, "Retry-After", "30")
	e.Time = noon.Add(90 * time.Second)
	send().want(t, 400, "RateLimit", `"token";r=1;t=30`)
}

// Which requests count where, and by whom.
func TestThrottleScopes(t *testing.T) {
	type request struct {
		method, path string
		headers      []string
		status       int
	}
	join := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	one := Rate{1, time.Hour}
	for name, c := range map[string]struct {
		limits   Throttling
		requests []request
	}{
		"anon is by address": {Throttling{Anon: one}, []request{
			{"POST", "/api/token/", from("192.0.2.1"), 400},
			{"POST", "/api/users/", from("192.0.2.1"), 429},
			{"POST", "/api/token/verify/", from("192.0.2.1"), 429},
			{"POST", "/api/token/", from("192.0.2.2"), 400},
			{"GET", "/api/users/1/", join(from("192.0.2.1"), as("ann")), 404},
		}},
		"user is by user": {Throttling{User: one}, []request{
			{"GET", "/api/users/1/", join(from("192.0.2.1"), as("ann")), 404},
			{"GET", "/api/users/1/", join(from("192.0.2.2"), as("ann")), 429},
			{"GET", "/api/users/1/", join(from("192.0.2.2"), as("bob")), 404},
			{"POST", "/api/token/", from("192.0.2.1"), 400},
			{"POST", "/api/token/", from("192.0.2.1"), 400},
		}},
		"token is all token endpoints": {Throttling{Token: one}, []request{
			{"POST", "/api/token/", nil, 400},
			{"POST", "/api/token/blacklist/", nil, 429},
			{"OPTIONS", "/api/token/", nil, 429},
			{"POST", "/api/users/", nil, 400},
			{"GET", "/api/users/1/", as("ann"), 404},
		}},
		"register is POST by all but staff": {Throttling{Register: one}, []request{
			{"GET", "/api/users/1/", as("ann"), 404},
			{"POST", "/api/users/", as("sam"), 400},
			{"POST", "/api/users/", as("sam"), 400},
			{"POST", "/api/users/", as("ann"), 400},
			{"POST", "/api/users/", nil, 429},
			{"POST", "/api/users/", as("bob"), 429},
			{"POST", "/api/users/", as("sam"), 400},
			{"POST", "/api/token/", nil, 400},
			{"OPTIONS", "/api/users/", as("ann"), 200},
		}},
		"authentication and permission come before": {Throttling{Anon: one, User: one}, []request{
			{"GET", "/api/users/1/", nil, 401},
			{"GET", "/api/users/1/", as("nobody"), 401},
			{"POST", "/api/users/", as("nobody"), 401},
			{"POST", "/api/users/", nil, 400},
			{"POST", "/api/users/", nil, 429},
			{"GET", "/api/users/1/", nil, 401},
			{"POST", "/api/users/", as("nobody"), 401},
		}},
		"the method comes after, as in DRF": {Throttling{Anon: one}, []request{
			{"GET", "/api/token/", nil, 405},
			{"GET", "/api/token/", nil, 429},
		}},
		"what is not the API is not throttled": {Throttling{Anon: one, Token: one}, []request{
			{"POST", "/api/token/", nil, 400},
			{"GET", "/livez", nil, 200},
			{"GET", "/readyz", nil, 200},
			{"GET", "/.well-known/jwks.json", nil, 200},
			{"GET", "/nothing", nil, 404},
			{"POST", "/api/token/", nil, 429},
		}},
		"a network of IPv6 is one client": {Throttling{Token: one}, []request{
			{"POST", "/api/token/", from("2001:db8:1:2::1"), 400},
			{"POST", "/api/token/", from("2001:db8:1:2:ffff::9"), 429},
			{"POST", "/api/token/", from("2001:db8:1:3::1"), 400},
			{"POST", "/api/token/", from("192.0.2.1"), 400},
			{"POST", "/api/token/", from("::ffff:192.0.2.1"), 429},
		}},
		"off": {Throttling{}, []request{{"POST", "/api/token/", nil, 400}, {"POST", "/api/token/", nil, 400}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestAPI(t, Settings{Throttling: c.limits}, fakeApp{})
			for i, r := range c.requests {
				body := ""
				if r.method == "POST" {
					body = "{bad"
				}
				if got := e.send(r.method, r.path, body, r.headers...); got.StatusCode != r.status {
					t.Errorf("request %d, %v: %d, want %d: %s", i+1, r, got.StatusCode, r.status, got.body)
				}
			}
		})
	}
}

// A request in several scopes is told of each, and has to wait for the longest.
func TestRequestInSeveralScopes(t *testing.T) {
	e := newTestAPI(t, Settings{Throttling: Throttling{Anon: Rate{2, time.Hour}, Token: Rate{1, time.Minute}}}, fakeApp{})
	const policy = `"anon";q=2;w=3600, "token";q=1;w=60`
	send := func() reply { return e.send("POST", "/api/token/", "{bad") }
	send().want(t, 400, "RateLimit-Policy", policy, "RateLimit", `"anon";r=1;t=1800, "token";r=0;t=60`)
	send().want(t, 429, "RateLimit-Policy", policy, "RateLimit", `"token";r=0;t=60, "anon";r=0;t=3600`, "Retry-After", "60")
	send().want(t, 429, "RateLimit-Policy", policy, "RateLimit", `"anon";r=0;t=1800`, "Retry-After", "1800")

	e = newTestAPI(t, Settings{Throttling: Throttling{Anon: Rate{1, time.Minute}, Token: Rate{1, time.Hour}}}, fakeApp{})
	send().want(t, 400)
	send().want(t, 429, "RateLimit", `"token";r=0;t=3600`, "Retry-After", "3600")
}

// Whatever limit the application has of its own is told in the same form.
func TestApplicationRateLimits(t *testing.T) {
	const body = `{"email": "ann@example.com", "password": "x"}`
	for name, c := range map[string]struct {
		err     error
		headers []string
		body    string
	}{
		"with a wait": {
			fault.New(fault.RateLimited, "sign_in", "too many failures").After(41*time.Second + 1),
			[]string{"Retry-After", "42", "RateLimit", `"sign_in";r=0;t=42, "token";r=9;t=6`, "RateLimit-Policy", `"token";q=10;w=60`},
			`{"detail":"Request was throttled. Expected available in 42 seconds."}`,
		},
		"wrapped": {
			errors.Join(errors.New("x"), fault.New(fault.RateLimited, "sign_in", "").After(time.Millisecond)),
			[]string{"Retry-After", "1", "RateLimit", `"sign_in";r=0;t=1, "token";r=9;t=6`},
			`{"detail":"Request was throttled. Expected available in 1 second."}`,
		},
		"without a wait": {
			fault.New(fault.RateLimited, "", ""),
			[]string{"Retry-After", "", "RateLimit", `"token";r=9;t=6`},
			`{"detail":"Request was throttled."}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestAPI(t, Settings{Throttling: Throttling{Token: Rate{10, time.Minute}}}, fakeApp{signIn: c.err})
			r := e.send("POST", "/api/token/", body)
			r.want(t, 429, c.headers...)
			if d := cmp.Diff(c.body, r.body); d != "" {
				t.Error(d)
			}
		})
	}
}

// A rate whose requests are closer than the clock tells is refused at the start.
func TestRateBeyondClockResolution(t *testing.T) {
	_, err := newRateLimits(Throttling{User: Rate{2_000_000_000, time.Second}}, monotonicClock())
	if err == nil || !strings.HasPrefix(err.Error(), "limit user: ") {
		t.Error(err)
	}
}
