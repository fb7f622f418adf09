package httpapi

import (
	"container/list"
	"sync"
	"time"
)

// Rate is the most requests of one client in a period. The zero value is no limit.
type Rate struct {
	Requests int
	Period   time.Duration
}

// windowCapacity is how many clients of a limit are remembered, at some 250 bytes each.
const windowCapacity = 1 << 16

// window is the period that began with a client's first request in it.
type window struct {
	client string
	ends   time.Time
	used   int

	byAge  *list.Element // in windows.byAge
	unused *list.Element // in windows.open, nil once the window is used up
}

// windows counts the requests of clients, each in a window of its own, as fixed windows do: within a
// window never more than the rate's requests pass.
//
// Its memory is bounded. When a new client finds no room, the oldest window that is not used up makes
// room, so that a client that has to wait is not let off by a flood of others: it is forgotten early
// only while as many clients as there is room for have to wait at once, each of which had to make as
// many requests as it (compare CVE-2024-21662).
type windows struct {
	rate     Rate
	capacity int

	mu       sync.Mutex
	byClient map[string]*window
	byAge    *list.List // all windows: all are as long, so the first to begin is the first to end
	open     *list.List // those not used up, by age
}

func newWindows(rate Rate, capacity int) *windows {
	return &windows{rate: rate, capacity: capacity, byClient: map[string]*window{}, byAge: list.New(), open: list.New()}
}

// take counts one request of client at now, unless its window is used up. It returns how many more
// may follow and how long the window still lasts.
func (ws *windows) take(client string, now time.Time) (left int, ends time.Duration, ok bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.byClient[client]
	if w != nil && !now.Before(w.ends) {
		ws.forget(w)
		w = nil
	}
	if w == nil {
		ws.makeRoom(now)
		w = ws.begin(client, now)
	}
	if w.used == ws.rate.Requests {
		return 0, w.ends.Sub(now), false
	}
	w.used++
	if w.used == ws.rate.Requests {
		ws.open.Remove(w.unused)
		w.unused = nil
	}
	return ws.rate.Requests - w.used, w.ends.Sub(now), true
}

func (ws *windows) begin(client string, now time.Time) *window {
	w := &window{client: client, ends: now.Add(ws.rate.Period)}
	ws.byClient[client] = w
	w.byAge = ws.byAge.PushBack(w)
	w.unused = ws.open.PushBack(w)
	return w
}

func (ws *windows) forget(w *window) {
	delete(ws.byClient, w.client)
	ws.byAge.Remove(w.byAge)
	if w.unused != nil {
		ws.open.Remove(w.unused)
	}
}

// sweep is how many windows that are over a new client clears away: more than one, so that they get
// fewer; few, so that no request waits for a long clearing.
const sweep = 4

func (ws *windows) makeRoom(now time.Time) {
	for range sweep {
		w := oldest(ws.byAge)
		if w == nil || now.Before(w.ends) {
			break
		}
		ws.forget(w)
	}
	if len(ws.byClient) < ws.capacity {
		return
	}
	w := oldest(ws.open)
	if w == nil {
		w = oldest(ws.byAge) // all have to wait: the one that is nearly through
	}
	ws.forget(w)
}

func oldest(l *list.List) *window {
	if e := l.Front(); e != nil {
		return e.Value.(*window) //nolint:forcetypeassert // the lists hold nothing else
	}
	return nil
}
