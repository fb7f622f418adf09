package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/domain/user"
	"roster/ports/inbound"
)

// fakeApp is an application with the users ann, bob and the staff user sam. The token of a user is the name. Get finds
// no user, and Register adds none.
type fakeApp struct {
	inbound.Authentication
	inbound.Accounts
	signIn error // returned by SignIn
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

func (a fakeApp) SignIn(context.Context, inbound.SignIn) (inbound.TokenPair, error) {
	return inbound.TokenPair{}, a.signIn
}

func (fakeApp) Register(_ context.Context, _ inbound.Actor, read func() (inbound.UserInput, error)) (*user.User, error) {
	_, err := read()
	return nil, err
}

func (fakeApp) Get(context.Context, inbound.Actor, user.ID) (*user.User, error) {
	return nil, user.ErrNotFound
}

// testAPI is the API on a socket, behind a trusted proxy on the loopback address, with a clock that the test sets.
type testAPI struct {
	t   *testing.T
	url string
	testClock
}

// application is the ports that newTestAPI uses.
type application interface {
	inbound.Accounts
	inbound.Authentication
}

func newTestAPI(t *testing.T, s Settings, app application) *testAPI {
	t.Helper()
	return newTestAPIOf(t, s, Ports{Accounts: app, Authentication: app})
}

func newTestAPIOf(t *testing.T, s Settings, p Ports) *testAPI {
	t.Helper()
	p.Health = healthy{}
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
		Ports: p, Settings: s, jwks: func() []byte { return []byte("{}") },
		limits: limits, log: zap.NewNop(), description: descriptionOf(s),
	}
	listening := httptest.NewServer(srv.wrap(srv.withCORS(srv.routes())))
	t.Cleanup(listening.Close)
	e.url = listening.URL
	return e
}

type healthy struct{}

func (healthy) Ready(context.Context) error { return nil }

// reply is a response with its body.
type reply struct {
	*http.Response
	body string
}

// send sends a request. headers alternates names and values.
func (e *testAPI) send(method, path, body string, headers ...string) reply {
	e.t.Helper()
	r, err := http.NewRequestWithContext(e.t.Context(), method, e.url+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	if body != "" && !slices.Contains(headers, "Content-Type") {
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

func fromAddress(address string) []string { return []string{"X-Forwarded-For", address} }

func bearer(name string) []string { return []string{"Authorization", "Bearer " + name} }

// want checks the status and headers. headers alternates names and values; an empty value means no such header.
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

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// testClock is a clock that the test sets.
type testClock struct{ time.Time }

func (c *testClock) now() time.Time { return c.Time }

// denyingApp is an application that refuses every token and registration. Its other methods panic.
type denyingApp struct {
	inbound.Accounts
	inbound.Authentication
}

func (denyingApp) Authenticate(context.Context, string) (inbound.Actor, error) {
	return inbound.Actor{}, inbound.ErrUserNotFound
}

func (denyingApp) Register(context.Context, inbound.Actor, func() (inbound.UserInput, error)) (*user.User, error) {
	return nil, inbound.ErrForbidden
}

// respond returns the response of denyingAPI to r.
func respond(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	denyingAPI(zap.NewNop()).ServeHTTP(w, r)
	return w
}

// denyingAPI is the API of denyingApp.
func denyingAPI(log *zap.Logger) http.Handler {
	app := denyingApp{}
	h, err := New(Ports{Accounts: app, Authentication: app}, Settings{MaxBody: 1024, RequestTimeout: 1 << 40}, nil, log)
	if err != nil {
		panic(err)
	}
	return h
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

// listApp is fakeApp with a user list of two pages.
type listApp struct{ fakeApp }

func (listApp) Count(context.Context, inbound.Actor, inbound.UserQuery) (int, error) { return 2, nil }

func (listApp) List(context.Context, inbound.Actor, inbound.UserQuery) ([]*user.User, error) {
	return nil, nil
}
