package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"roster/domain/user"
)

// RepeatWindow is how often an event is recorded that says the same again.
const RepeatWindow = time.Minute

// maxRepeats is how many events are remembered at once, so that the memory for them is bounded; those beyond are
// recorded each.
const maxRepeats = 4096

// Repeats decides which events are recorded at once, and which are counted and recorded as one when a minute is
// over. It holds back only what changes nothing and what any client can cause without end: a used refresh token
// that comes again, refreshes of one session, and sign-ins for addresses without a user, once the same was recorded
// less than a minute before. The zero value is ready. It is not safe for concurrent use.
type Repeats struct{ held map[same]*repeated }

// same is what two events have in common that say the same. A user agent, which a client may vary as it likes, is
// not part of it.
type same struct {
	kind        Kind
	actor, user user.ID
	session     string
	channel     Channel
	address     string
	detail      string
}

// repeated is what became of an event since it was recorded.
type repeated struct {
	recorded time.Time
	last     Event // the last one held back
	count    int   // how many were held back
}

// repeats reports whether events such as e may be held back.
func (e Event) repeats() bool {
	return e.Kind == Refreshed || e.Kind == Reused ||
		e.Kind == SignInFailed && e.User == "" // failures for a user are limited by the lockout
}

// Note returns what to record now that e happened: e itself, or nothing, and the count of a minute before.
func (r *Repeats) Note(e Event) []Event {
	if !e.repeats() {
		return []Event{e}
	}
	key := same{e.Kind, e.Actor, e.User, e.Session, e.Channel, e.Address, e.Detail}
	var out []Event
	if h, ok := r.held[key]; ok {
		if !h.over(e.At) {
			h.last, h.count = e, h.count+1
			return nil
		}
		out = h.summary(e.At)
		delete(r.held, key)
	}
	if r.held == nil {
		r.held = map[same]*repeated{}
	}
	if len(r.held) < maxRepeats {
		r.held[key] = &repeated{recorded: e.At}
	}
	return append(out, e)
}

// Due returns what is to be recorded of events once their minute is over at now, in the order of their ids, and forgets
// them.
func (r *Repeats) Due(now time.Time) []Event {
	return r.take(now, func(h *repeated) bool { return h.over(now) })
}

// Rest returns what is to be recorded at now of all events held back, and forgets them.
func (r *Repeats) Rest(now time.Time) []Event {
	return r.take(now, func(*repeated) bool { return true })
}

func (r *Repeats) take(now time.Time, due func(*repeated) bool) []Event {
	var out []Event
	for key, h := range r.held {
		if due(h) {
			out = append(out, h.summary(now)...)
			delete(r.held, key)
		}
	}
	slices.SortFunc(out, func(a, b Event) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// over reports whether the minute is over at now; a clock that was set back does not stretch it.
func (h *repeated) over(now time.Time) bool {
	since := now.Sub(h.recorded)
	return since < 0 || since >= RepeatWindow
}

// summary returns the last of the events held back as one recorded at now, with their number; nothing when there
// are none.
func (h *repeated) summary(now time.Time) []Event {
	if h.count == 0 {
		return nil
	}
	e := h.last
	count := fmt.Sprintf("%d more since %s", h.count, h.recorded.UTC().Format(time.RFC3339))
	e.At, e.Detail = now, strings.TrimPrefix(e.Detail+"; "+count, "; ")
	return []Event{e}
}
