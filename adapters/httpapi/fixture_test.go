package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

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

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// movable is a clock that the test moves.
type testClock struct{ time.Time }

func (m *testClock) now() time.Time { return m.Time }

// nobody is an application that signs nobody in; what it is not asked for here would panic.
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

func answerTo(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	denyingAPI(zap.NewNop()).ServeHTTP(w, r)
	return w
}

func denyingAPI(log *zap.Logger) http.Handler {
	n := denyingApp{}
	h, err := New(Ports{Accounts: n, Authentication: n}, Settings{MaxBody: 1024, RequestTimeout: 1 << 40}, nil, log)
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

// listing is people with a list that has a further page.
type listApp struct{ fakeApp }

func (listApp) Count(context.Context, inbound.Actor, inbound.UserQuery) (int, error) { return 2, nil }

func (listApp) List(context.Context, inbound.Actor, inbound.UserQuery) ([]*user.User, error) {
	return nil, nil
}
