//go:build !race

package httpapi

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// A flood of a million addresses does not reset the limit of a client that keeps sending, nor give a client that
// starts during the flood much more than its rate. The memory stays bounded.
//
// The Makefile runs this test without the race detector, which would take half a minute: it uses one goroutine.
func TestThrottleSurvivesAddressFlood(t *testing.T) {
	const (
		flood = 1_000_000
		wait  = 6 * time.Minute // between requests
	)
	before := heap()
	l := newTestLimiter(t, Rate{10, time.Hour}, rateLimitCapacity)
	for range 10 {
		l.allow(t, "victim")
	}
	most, late := 0, 0
	for i := range flood {
		l.Time = noon.Add(time.Duration(i) * wait / flood)
		if !l.allow(t, fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff)) {
			t.Fatalf("client %d is new and was refused", i)
		}
		if i%1000 != 0 {
			continue
		}
		if l.allow(t, "victim") {
			t.Fatalf("after %d others the victim was let through", i)
		}
		if i > flood/2 && l.allow(t, "late") {
			late++
		}
		most = max(most, l.store.cache.EstimatedSize())
	}
	l.Time = noon.Add(wait - 1)
	if l.allow(t, "victim") {
		t.Error("the victim was let through too early")
	}
	l.Time = noon.Add(wait)
	if !l.allow(t, "victim") || l.allow(t, "victim") {
		t.Error("want exactly one request of the victim to be let through")
	}
	if late < 10 || late > 20 {
		t.Errorf("%d requests of a client that started during the flood, want 10 to 20", late)
	}
	if most < rateLimitCapacity || most > rateLimitCapacity+1 {
		t.Errorf("at most %d clients were in the store, want %d", most, rateLimitCapacity)
	}
	if each := (int64(heap()) - int64(before)) / rateLimitCapacity; each > 200 {
		t.Errorf("%d bytes a client", each)
	}
	runtime.KeepAlive(l)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
