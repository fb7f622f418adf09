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
	e.Time = noon.Add(30 * time.Second) // refused requests do not lengthen the wait
	send().want(t, 400, "RateLimit", `"token";r=0;t=60`)
	send().want(t, 429, "Retry-After", "30")
	e.Time = noon.Add(90 * time.Second)
	send().want(t, 400, "RateLimit", `"token";r=1;t=30`)
}

// Each scope counts its requests under the right key.
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
			{"POST", "/api/token/", fromAddress("192.0.2.1"), 400},
			{"POST", "/api/users/", fromAddress("192.0.2.1"), 429},
			{"POST", "/api/token/verify/", fromAddress("192.0.2.1"), 429},
			{"POST", "/api/token/", fromAddress("192.0.2.2"), 400},
			{"GET", "/api/users/1/", join(fromAddress("192.0.2.1"), bearer("ann")), 404},
		}},
		"user is by user": {Throttling{User: one}, []request{
			{"GET", "/api/users/1/", join(fromAddress("192.0.2.1"), bearer("ann")), 404},
			{"GET", "/api/users/1/", join(fromAddress("192.0.2.2"), bearer("ann")), 429},
			{"GET", "/api/users/1/", join(fromAddress("192.0.2.2"), bearer("bob")), 404},
			{"POST", "/api/token/", fromAddress("192.0.2.1"), 400},
			{"POST", "/api/token/", fromAddress("192.0.2.1"), 400},
		}},
		"token is all token endpoints": {Throttling{Token: one}, []request{
			{"POST", "/api/token/", nil, 400},
			{"POST", "/api/token/blacklist/", nil, 429},
			{"OPTIONS", "/api/token/", nil, 429},
			{"POST", "/api/users/", nil, 400},
			{"GET", "/api/users/1/", bearer("ann"), 404},
		}},
		"register is POST by all but staff": {Throttling{Register: one}, []request{
			{"GET", "/api/users/1/", bearer("ann"), 404},
			{"POST", "/api/users/", bearer("sam"), 400},
			{"POST", "/api/users/", bearer("sam"), 400},
			{"POST", "/api/users/", bearer("ann"), 400},
			{"POST", "/api/users/", nil, 429},
			{"POST", "/api/users/", bearer("bob"), 429},
			{"POST", "/api/users/", bearer("sam"), 400},
			{"POST", "/api/token/", nil, 400},
			{"OPTIONS", "/api/users/", bearer("ann"), 200},
		}},
		"authentication and permission come before": {Throttling{Anon: one, User: one}, []request{
			{"GET", "/api/users/1/", nil, 401},
			{"GET", "/api/users/1/", bearer("unknown"), 401},
			{"POST", "/api/users/", bearer("unknown"), 401},
			{"POST", "/api/users/", nil, 400},
			{"POST", "/api/users/", nil, 429},
			{"GET", "/api/users/1/", nil, 401},
			{"POST", "/api/users/", bearer("unknown"), 401},
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
			{"POST", "/api/token/", fromAddress("2001:db8:1:2::1"), 400},
			{"POST", "/api/token/", fromAddress("2001:db8:1:2:ffff::9"), 429},
			{"POST", "/api/token/", fromAddress("2001:db8:1:3::1"), 400},
			{"POST", "/api/token/", fromAddress("192.0.2.1"), 400},
			{"POST", "/api/token/", fromAddress("::ffff:192.0.2.1"), 429},
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

// A request in several scopes gets headers of each and the longest wait.
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

// A limit of the application has the same headers.
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

// A rate of more than one request per nanosecond is an error of New.
func TestRateBeyondClockResolution(t *testing.T) {
	_, err := newRateLimits(Throttling{User: Rate{2_000_000_000, time.Second}}, monotonicClock())
	if err == nil || !strings.HasPrefix(err.Error(), "limit user: ") {
		t.Error(err)
	}
}

// testLimiter is a limiter with a clock that the test sets.
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

// allow counts a request of client and reports whether it is allowed.
func (l testLimiter) allow(tb testing.TB, client string) bool {
	exceeded, _, err := l.RateLimitCtx(tb.Context(), client, 1)
	if err != nil {
		tb.Error(err)
	}
	return !exceeded
}

// racingStore is a store in which other requests of the same client win the first swaps.
type racingStore struct {
	*rateLimitStore
	left  int           // swaps that others still win
	every time.Duration // between requests, by the rate
}

func (r *racingStore) CompareAndSwapWithTTL(ctx context.Context, client string, was, at int64, ttl time.Duration) (bool, error) {
	if r.left > 0 {
		r.left--
		if ok, err := r.rateLimitStore.CompareAndSwapWithTTL(ctx, client, was, was+int64(r.every), ttl); !ok || err != nil {
			return false, errors.Join(errors.New("the other request lost the swap"), err)
		}
	}
	return r.rateLimitStore.CompareAndSwapWithTTL(ctx, client, was, at, ttl)
}

// A request that loses swaps to others is allowed or refused as the rate demands, and never fails.
func TestLimiterRetriesLostSwaps(t *testing.T) {
	rate := Rate{100, 100 * time.Second}
	for lost, left := range map[int]int{0: 98, 50: 48, 98: 0, 99: -1} {
		l := newTestLimiter(t, rate, 8)
		l.allow(t, "ann")
		limiter, err := newGCRALimiter(rate, &racingStore{l.store, lost, time.Second})
		if err != nil {
			t.Fatal(err)
		}
		exceeded, state, err := limiter.RateLimitCtx(t.Context(), "ann", 1)
		if err != nil || exceeded != (left < 0) || !exceeded && state.Remaining != left {
			t.Errorf("%d lost swaps: refused %v, %+v, %v; want %d left", lost, exceeded, state, err, left)
		}
	}
}

// Parallel requests are allowed as often as the rate demands.
func TestLimitHoldsForParallelRequests(t *testing.T) {
	l := newTestLimiter(t, Rate{100, time.Minute}, 8)
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 400 {
		wg.Go(func() {
			if l.allow(t, "ann") {
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
		l.allow(b, clients[i%len(clients)])
	}
}
