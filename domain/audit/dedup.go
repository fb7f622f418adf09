package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"roster/domain/user"
)

// DedupWindow is the time during which repetitions of an event are counted instead of recorded.
const DedupWindow = time.Minute

// maxTracked bounds the memory of a Deduplicator, in events. Events beyond it are recorded each.
const maxTracked = 4096

// Deduplicator suppresses repeated events and replaces them by a count. It suppresses only events that change
// nothing and that a client can cause without limit: reuse of a refresh token, refreshes of one session, and failed
// sign-ins for addresses without a user. The first event is recorded; repetitions within DedupWindow become one
// event with their number. The zero value is ready to use. It is not safe for concurrent use.
type Deduplicator struct{ tracked map[dedupKey]*suppressed }

// dedupKey is what repeated events have in common. The user agent is not part of it, since a client can vary it.
type dedupKey struct {
	kind        Kind
	actor, user user.ID
	session     string
	channel     Channel
	address     string
	detail      string
}

// suppressed counts the repetitions of a recorded event.
type suppressed struct {
	recorded time.Time
	latest   Event // the last suppressed event
	count    int   // number of suppressed events
}

// suppressible reports whether repetitions of e may be suppressed.
func (e Event) suppressible() bool {
	return e.Kind == Refreshed || e.Kind == Reused ||
		e.Kind == SignInFailed && e.User == "" // the lockout limits failures for a user
}

// Add returns the events to record when e happens: e itself or, when e is suppressed, none. When an earlier window
// for such events is over, its summary comes first.
func (r *Deduplicator) Add(e Event) []Event {
	if !e.suppressible() {
		return []Event{e}
	}
	key := dedupKey{e.Kind, e.Actor, e.User, e.Session, e.Channel, e.Address, e.Detail}
	var out []Event
	if h, ok := r.tracked[key]; ok {
		if !h.over(e.At) {
			h.latest, h.count = e, h.count+1
			return nil
		}
		out = h.summary(e.At)
		delete(r.tracked, key)
	}
	if r.tracked == nil {
		r.tracked = map[dedupKey]*suppressed{}
	}
	if len(r.tracked) < maxTracked {
		r.tracked[key] = &suppressed{recorded: e.At}
	}
	return append(out, e)
}

// Due returns the summaries of all windows that are over at now, ordered by id, and removes them.
func (r *Deduplicator) Due(now time.Time) []Event {
	return r.take(now, func(h *suppressed) bool { return h.over(now) })
}

// Remaining returns the summaries of all windows, over or not, and removes them.
func (r *Deduplicator) Remaining(now time.Time) []Event {
	return r.take(now, func(*suppressed) bool { return true })
}

func (r *Deduplicator) take(now time.Time, due func(*suppressed) bool) []Event {
	var out []Event
	for key, h := range r.tracked {
		if due(h) {
			out = append(out, h.summary(now)...)
			delete(r.tracked, key)
		}
	}
	slices.SortFunc(out, func(a, b Event) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// over reports whether the window is over at now. It is over too when the clock was set back.
func (h *suppressed) over(now time.Time) bool {
	since := now.Sub(h.recorded)
	return since < 0 || since >= DedupWindow
}

// summary returns the last suppressed event, dated now and with the number of suppressed events in its detail, or
// nothing when there are none.
func (h *suppressed) summary(now time.Time) []Event {
	if h.count == 0 {
		return nil
	}
	e := h.latest
	count := fmt.Sprintf("%d more since %s", h.count, h.recorded.UTC().Format(time.RFC3339))
	e.At, e.Detail = now, strings.TrimPrefix(e.Detail+"; "+count, "; ")
	return []Event{e}
}
