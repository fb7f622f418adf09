package httpapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/throttled/throttled/v2"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// movable is a clock that the test moves.
type testClock struct{ time.Time }

func (m *testClock) now() time.Time { return m.Time }

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

func TestRateLimitStore(t *testing.T) {
	at := &testClock{noon}
	s, err := newRateLimitStore(8, at.now)
	if err != nil {
		t.Fatal(err)
	}
	until := func(after time.Duration) int64 { return noon.Add(after).UnixNano() }
	get := func(want int64) {
		t.Helper()
		if got, now, err := s.GetWithTime(t.Context(), "ann"); got != want || !now.Equal(at.Time) || err != nil {
			t.Errorf("%d at %v, %v; want %d at %v", got, now, err, want, at.Time)
		}
	}
	set := func(value int64, want bool) {
		t.Helper()
		if ok, err := s.SetIfNotExistsWithTTL(t.Context(), "ann", value, 0); ok != want || err != nil {
			t.Errorf("set: %v, %v; want %v", ok, err, want)
		}
	}
	swap := func(was, value int64, want bool) {
		t.Helper()
		if ok, err := s.CompareAndSwapWithTTL(t.Context(), "ann", was, value, 0); ok != want || err != nil {
			t.Errorf("swap: %v, %v; want %v", ok, err, want)
		}
	}
	get(-1)
	swap(-1, until(time.Second), false)
	get(-1)
	set(until(time.Second), true)
	set(until(time.Minute), false)
	get(until(time.Second))
	swap(until(time.Minute), until(time.Hour), false)
	swap(until(time.Second-1), until(time.Hour), false)
	get(until(time.Second))
	swap(until(time.Second), until(2*time.Second), true)
	get(until(2 * time.Second))
	at.Time = noon.Add(2*time.Second - 1)
	get(until(2 * time.Second))
	at.Time = noon.Add(2 * time.Second) // what is over is forgotten
	get(-1)
	swap(until(2*time.Second), until(time.Hour), false)
	set(until(3*time.Second), true)
	get(until(3 * time.Second))
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
