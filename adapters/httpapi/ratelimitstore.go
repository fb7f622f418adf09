package httpapi

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"
)

// clientsRemembered is how many clients a limit remembers, at some 150 bytes each.
const rateLimitCapacity = 1 << 16

// arrivals is where a limiter keeps, by client, the one number that GCRA needs: the theoretical
// arrival time, in nanoseconds of the Unix epoch, until which the client has used its rate
// (throttled.GCRAStoreCtx). A client whose time has come is as one never seen, and is forgotten.
//
// Its memory is bounded. When a new client finds no room, one that asks seldom goes (W-TinyLFU), so a
// flood of addresses that ask once each does not push out a client that keeps asking
// (compare CVE-2024-21662).
type rateLimitStore struct {
	cache *otter.Cache[string, int64]
	now   func() time.Time
}

func newRateLimitStore(capacity int, now func() time.Time) (*rateLimitStore, error) {
	cache, err := otter.New(&otter.Options[string, int64]{
		MaximumSize: capacity,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, int64]) time.Duration {
			return time.Duration(e.Value - e.SnapshotAtNano)
		}),
		Clock: otterClock(now),
		// On the request that needs it, so that the bound holds however fast requests come.
		Executor: func(task func()) { task() },
	})
	if err != nil {
		return nil, err
	}
	return &rateLimitStore{cache, now}, nil
}

// GetWithTime implements throttled.GCRAStoreCtx.
func (a *rateLimitStore) GetWithTime(_ context.Context, client string) (int64, time.Time, error) {
	at, ok := a.cache.GetIfPresent(client)
	if !ok {
		at = -1
	}
	return at, a.now(), nil
}

// SetIfNotExistsWithTTL implements throttled.GCRAStoreCtx. The value says itself how long it lasts.
func (a *rateLimitStore) SetIfNotExistsWithTTL(_ context.Context, client string, at int64, _ time.Duration) (bool, error) {
	_, set := a.cache.SetIfAbsent(client, at)
	return set, nil
}

// CompareAndSwapWithTTL implements throttled.GCRAStoreCtx. The value says itself how long it lasts.
func (a *rateLimitStore) CompareAndSwapWithTTL(_ context.Context, client string, was, at int64, _ time.Duration) (swapped bool, _ error) {
	a.cache.ComputeIfPresent(client, func(found int64) (int64, otter.ComputeOp) {
		if swapped = found == was; swapped {
			return at, otter.WriteOp
		}
		return 0, otter.CancelOp
	})
	return swapped, nil
}

// clock implements otter.Clock.
type otterClock func() time.Time

func (c otterClock) NowNano() int64 { return c().UnixNano() }

// Tick returns no ticks: what is over goes when something new comes, so no goroutine has to be ended.
func (c otterClock) Tick(time.Duration) <-chan time.Time { return nil }

// steady returns a clock that goes on evenly when the machine's is set: nobody has to wait for longer
// because of that.
func monotonicClock() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Since(start)) }
}
