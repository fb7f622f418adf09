package httpapi

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestAWindowHoldsItsRate(t *testing.T) {
	ws := newWindows(Rate{3, time.Minute}, 8)
	for i, want := range []struct {
		after time.Duration
		left  int
		ends  time.Duration
		ok    bool
	}{
		{0, 2, time.Minute, true},
		{10 * time.Second, 1, 50 * time.Second, true},
		{59 * time.Second, 0, time.Second, true},
		{59 * time.Second, 0, time.Second, false},
		{time.Minute - 1, 0, 1, false},
		{time.Minute, 2, time.Minute, true}, // what was refused does not lengthen the wait
		{119 * time.Second, 1, time.Second, true},
		{time.Hour, 2, time.Minute, true},
	} {
		if left, ends, ok := ws.take("ann", noon.Add(want.after)); left != want.left || ends != want.ends || ok != want.ok {
			t.Errorf("request %d: %d left for %v, %v; want %+v", i, left, ends, ok, want)
		}
	}
	if _, _, ok := ws.take("bob", noon); !ok {
		t.Error("Bob has to wait for Ann")
	}
}

// A client that has to wait is not let off by a million others, and these take no more than their room.
func TestAFloodFreesNobody(t *testing.T) {
	const flood = 1_000_000
	before := heap()
	ws := newWindows(Rate{10, time.Minute}, windowCapacity)
	for range 10 {
		ws.take("victim", noon)
	}
	for i := range flood {
		now := noon.Add(time.Duration(i) * time.Minute / flood) // all within the victim's window
		if _, _, ok := ws.take("flood "+strconv.Itoa(i), now); !ok {
			t.Fatalf("client %d is new and has to wait", i)
		}
		if i%1000 == 0 {
			if _, _, ok := ws.take("victim", now); ok {
				t.Fatalf("after %d others the victim is free", i)
			}
		}
	}
	if _, _, ok := ws.take("victim", noon.Add(time.Minute-1)); ok {
		t.Error("the victim is free before its window ends")
	}
	if _, _, ok := ws.take("victim", noon.Add(time.Minute)); !ok {
		t.Error("the victim has to wait for longer than its window")
	}
	if n := len(ws.byClient); n > windowCapacity {
		t.Errorf("%d clients are remembered, want at most %d", n, windowCapacity)
	}
	if grown := int64(heap()) - int64(before); grown > 400*windowCapacity {
		t.Errorf("%d MiB for %d clients", grown>>20, len(ws.byClient))
	}
	runtime.KeepAlive(ws)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// When there is room for nobody but clients that have to wait, the one that is nearly through goes.
func TestWhoeverIsNearlyThroughMakesRoom(t *testing.T) {
	ws := newWindows(Rate{1, time.Minute}, 3)
	for i := range 3 {
		ws.take(strconv.Itoa(i), noon.Add(time.Duration(i)*time.Second))
	}
	now := noon.Add(3 * time.Second)
	ws.take("3", now)
	for _, c := range []struct {
		client string
		waits  bool
	}{{"1", true}, {"2", true}, {"3", true}} {
		if _, _, ok := ws.take(c.client, now); ok == c.waits {
			t.Errorf("client %s: let through %v", c.client, ok)
		}
	}
	if _, _, ok := ws.take("0", now); !ok {
		t.Error("the oldest window was kept")
	}
}

// Whatever comes in whatever order: whoever has to wait got all the rate within the period, who comes
// within its window gets no more while there is room for all, and the books agree.
func TestWindowsKeepTheirBooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{rapid.IntRange(1, 4).Draw(t, "rate"), time.Minute}
		capacity := rapid.IntRange(1, 6).Draw(t, "capacity")
		ws := newWindows(rate, capacity)
		now := noon
		passed := map[string][]time.Time{} // within the last period
		began := map[string]time.Time{}    // of the window, when there is room for all
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "seconds")) * time.Second)
			client := strconv.Itoa(rapid.IntRange(1, 6).Draw(t, "client"))
			left, _, ok := ws.take(client, now)
			passed[client] = slices.DeleteFunc(passed[client], func(at time.Time) bool { return now.Sub(at) >= rate.Period })
			if !ok && len(passed[client]) < rate.Requests {
				t.Fatalf("client %s has to wait after %d of %d", client, len(passed[client]), rate.Requests)
			}
			if ok {
				passed[client] = append(passed[client], now)
			}
			if capacity == 6 {
				if b, known := began[client]; !known || now.Sub(b) >= rate.Period {
					began[client] = now
				}
				within := 0
				for _, at := range passed[client] {
					if !at.Before(began[client]) {
						within++
					}
				}
				if within > rate.Requests || left != rate.Requests-within {
					t.Fatalf("client %s: %d passed in a window of %d, %d are said to be left", client, within, rate.Requests, left)
				}
			}
			open := 0
			for name, w := range ws.byClient {
				if w.client != name || (w.unused == nil) != (w.used == rate.Requests) {
					t.Fatalf("window %+v of client %s", w, name)
				}
				if w.unused != nil {
					open++
				}
			}
			if n := len(ws.byClient); n > capacity || ws.byAge.Len() != n || ws.open.Len() != open {
				t.Fatalf("%d clients, %d by age, %d of %d open", n, ws.byAge.Len(), ws.open.Len(), open)
			}
		}
	})
}

// However many ask at once, no more get through than the rate.
func TestParallelRequestsDoNotSlipThrough(t *testing.T) {
	ws := newWindows(Rate{10, time.Minute}, 8)
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if _, _, ok := ws.take("ann", noon); ok {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 10 {
		t.Errorf("%d of 200 passed, want 10", passed.Load())
	}
}

func BenchmarkTake(b *testing.B) {
	ws := newWindows(Rate{10, time.Minute}, windowCapacity)
	clients := make([]string, 2*windowCapacity)
	for i := range clients {
		clients[i] = fmt.Sprint(i)
	}
	for i := 0; b.Loop(); i++ {
		ws.take(clients[i%len(clients)], noon)
	}
}
