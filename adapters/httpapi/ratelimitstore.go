package httpapi

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"
)

// rateLimitCapacity is how many keys a limit remembers, at about 150 bytes each.
const rateLimitCapacity = 1 << 16

// rateLimitStore holds the state of one limit, as throttled.GCRAStoreCtx: for each key its theoretical arrival time
// in nanoseconds since the Unix epoch. An entry expires at that time, since the key may then use its full rate again.
//
// The memory is bounded. A full store evicts the keys that are used least often (W-TinyLFU). A flood of addresses
// that send one request each does not evict a client that keeps sending (compare CVE-2024-21662).
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
		// Evict in the goroutine of the request, so that the store stays within its capacity under any load.
		Executor: func(task func()) { task() },
	})
	if err != nil {
		return nil, err
	}
	return &rateLimitStore{cache, now}, nil
}

// GetWithTime returns the value of key, or -1 if there is none, and the current time.
func (s *rateLimitStore) GetWithTime(_ context.Context, key string) (int64, time.Time, error) {
	value, ok := s.cache.GetIfPresent(key)
	if !ok {
		value = -1
	}
	return value, s.now(), nil
}

// SetIfNotExistsWithTTL ignores the TTL: the value is the time at which the entry expires.
func (s *rateLimitStore) SetIfNotExistsWithTTL(_ context.Context, key string, value int64, _ time.Duration) (bool, error) {
	_, set := s.cache.SetIfAbsent(key, value)
	return set, nil
}

// CompareAndSwapWithTTL ignores the TTL: the value is the time at which the entry expires.
func (s *rateLimitStore) CompareAndSwapWithTTL(
	_ context.Context, key string, old, value int64, _ time.Duration,
) (swapped bool, _ error) {
	s.cache.ComputeIfPresent(key, func(current int64) (int64, otter.ComputeOp) {
		if swapped = current == old; swapped {
			return value, otter.WriteOp
		}
		return 0, otter.CancelOp
	})
	return swapped, nil
}

// otterClock is a time function as an otter.Clock.
type otterClock func() time.Time

func (c otterClock) NowNano() int64 { return c().UnixNano() }

// Tick returns nil, a channel that never fires: entries expire on writes, so no goroutine is needed.
func (c otterClock) Tick(time.Duration) <-chan time.Time { return nil }

// monotonicClock returns a clock that a change of the system time does not affect.
func monotonicClock() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Since(start)) }
}
