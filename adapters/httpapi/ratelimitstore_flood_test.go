//go:build !race

package httpapi

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// The race detector has nothing to find in one goroutine, and would take half a minute of a million
// clients: the Makefile runs this test without it.

// A client that has to wait and keeps asking is not let off by a million others, nor does one that comes
// among them get much more than the rate, and they all take no more than their room.
func TestThrottleSurvivesAddressFlood(t *testing.T) {
	const (
		flood = 1_000_000
		wait  = 6 * time.Minute // between requests
	)
	before := heap()
	l := newTestLimiter(t, Rate{10, time.Hour}, rateLimitCapacity)
	for range 10 {
		l.asks(t, "victim")
	}
	most, late := 0, 0
	for i := range flood {
		l.Time = noon.Add(time.Duration(i) * wait / flood)
		if !l.asks(t, fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff)) {
			t.Fatalf("client %d is new and has to wait", i)
		}
		if i%1000 != 0 {
			continue
		}
		if l.asks(t, "victim") {
			t.Fatalf("after %d others the victim is free", i)
		}
		if i > flood/2 && l.asks(t, "late") {
			late++
		}
		most = max(most, l.store.cache.EstimatedSize())
	}
	l.Time = noon.Add(wait - 1)
	if l.asks(t, "victim") {
		t.Error("the victim is free before its time")
	}
	l.Time = noon.Add(wait)
	if !l.asks(t, "victim") || l.asks(t, "victim") {
		t.Error("the victim may send other than one request at its time")
	}
	if late < 10 || late > 20 {
		t.Errorf("%d requests of a client that came amid the flood, want 10 and a few", late)
	}
	if most < rateLimitCapacity || most > rateLimitCapacity+1 {
		t.Errorf("%d clients were remembered at once, want %d", most, rateLimitCapacity)
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
