package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/throttled/throttled/v2"

	"roster/domain/fault"
)

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

// limiting is one limit with a movable clock.
type testLimiter struct {
	*throttled.GCRARateLimiterCtx
	*testClock
	store *rateLimitStore
}

func newTestLimiter(tb testing.TB, rate Rate, capacity int) testLimiter {
	tb.Helper()
	at := &testClock{noon}
	store, err := newRateLimitStore(capacity, at.now)
	if err != nil {
		tb.Fatal(err)
	}
	limiter, err := newGCRALimiter(rate, store)
	if err != nil {
		tb.Fatal(err)
	}
	return testLimiter{limiter, at, store}
}

// asks reports whether a request of client gets through.
func (l testLimiter) asks(tb testing.TB, client string) bool {
	over, _, err := l.RateLimitCtx(tb.Context(), client, 1)
	if err != nil {
		tb.Error(err)
	}
	return !over
}

// rivals is arrivals where other requests of the same client are always a little faster.
type racingStore struct {
	*rateLimitStore
	left  int           // how many still come
	every time.Duration // between requests, by the rate
}

func (r *racingStore) CompareAndSwapWithTTL(ctx context.Context, client string, was, at int64, ttl time.Duration) (bool, error) {
	if r.left > 0 {
		r.left--
		if ok, err := r.rateLimitStore.CompareAndSwapWithTTL(ctx, client, was, was+int64(r.every), ttl); !ok || err != nil {
			return false, errors.Join(errors.New("the rival lost"), err)
		}
	}
	return r.rateLimitStore.CompareAndSwapWithTTL(ctx, client, was, at, ttl)
}

// A request that many others overtake is let through or refused, as the rate says, and does not fail.
func TestLimiterRetriesLostSwaps(t *testing.T) {
	rate := Rate{100, 100 * time.Second}
	for overtaking, left := range map[int]int{0: 98, 50: 48, 98: 0, 99: -1} {
		l := newTestLimiter(t, rate, 8)
		l.asks(t, "ann")
		limiter, err := newGCRALimiter(rate, &racingStore{l.store, overtaking, time.Second})
		if err != nil {
			t.Fatal(err)
		}
		over, state, err := limiter.RateLimitCtx(t.Context(), "ann", 1)
		if err != nil || over != (left < 0) || !over && state.Remaining != left {
			t.Errorf("overtaken by %d: refused %v, %+v, %v; want %d left", overtaking, over, state, err, left)
		}
	}
}

// However many ask at once, as many get through as the rate says.
func TestLimitHoldsForParallelRequests(t *testing.T) {
	l := newTestLimiter(t, Rate{100, time.Minute}, 8)
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 400 {
		wg.Go(func() {
			if l.asks(t, "ann") {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 100 {
		t.Errorf("%d of 400 passed, want 100", passed.Load())
	}
}

func BenchmarkLimit(b *testing.B) {
	l := newTestLimiter(b, Rate{10, time.Minute}, rateLimitCapacity)
	clients := make([]string, 2*rateLimitCapacity)
	for i := range clients {
		clients[i] = fmt.Sprint(i)
	}
	for i := 0; b.Loop(); i++ {
		l.asks(b, clients[i%len(clients)])
	}
}
