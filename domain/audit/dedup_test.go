package audit

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func reuse(id string, after time.Duration) Event {
	return Event{ID: ID(id), At: noon.Add(after), Kind: Reused, User: "1", Session: "s", Detail: "refused"}
}

func ids(events []Event) string {
	out := ""
	for _, e := range events {
		out += fmt.Sprintf("%s %s %s|", e.ID, e.At.Format("15:04:05"), e.Detail)
	}
	return out
}

func wantIDs(t *testing.T, what string, got []Event, want string) {
	t.Helper()
	if ids(got) != want {
		t.Errorf("%s: got %q, want %q", what, ids(got), want)
	}
}

// Of events repeated within a minute, the first is recorded at once, and the last with the count.
func TestRepeatedEventsAreRecordedOncePerMinute(t *testing.T) {
	var r Deduplicator
	wantIDs(t, "the first", r.Add(reuse("a", 0)), "a 12:00:00 refused|")
	agent := reuse("b", 10*time.Second)
	agent.UserAgent, agent.RequestID = "another", "r2"
	wantIDs(t, "with another user agent", r.Add(agent), "")
	wantIDs(t, "at the end of the minute", r.Add(reuse("c", 59*time.Second)), "")
	wantIDs(t, "due before", r.Due(noon.Add(59*time.Second)), "")
	wantIDs(t, "due", r.Due(noon.Add(time.Minute)), "c 12:01:00 refused; 2 more since 2026-01-02T12:00:00Z|")
	wantIDs(t, "due again", r.Due(noon.Add(time.Hour)), "")
	wantIDs(t, "later", r.Add(reuse("d", 2*time.Minute)), "d 12:02:00 refused|")
	wantIDs(t, "held", r.Add(reuse("e", 2*time.Minute)), "")
	wantIDs(t, "the next minute, before it was due", r.Add(reuse("f", 3*time.Minute)),
		"e 12:03:00 refused; 1 more since 2026-01-02T12:02:00Z|f 12:03:00 refused|")
	wantIDs(t, "once only", r.Add(reuse("g", 5*time.Minute)), "g 12:05:00 refused|")
	r.Add(reuse("h", 5*time.Minute))
	wantIDs(t, "the rest", r.Remaining(noon.Add(5*time.Minute)), "h 12:05:00 refused; 1 more since 2026-01-02T12:05:00Z|")
	wantIDs(t, "the rest again", r.Remaining(noon.Add(5*time.Minute)), "")
}

// A clock that is set back does not suppress events until it has caught up.
func TestClockSetBackEndsTheWindow(t *testing.T) {
	var r Deduplicator
	r.Add(reuse("a", time.Hour))
	wantIDs(t, "after the clock was set back", r.Add(reuse("b", 0)), "b 12:00:00 refused|")
}

// Only events that change nothing are suppressed.
func TestEventsOfChangesAreNotSuppressed(t *testing.T) {
	for _, kind := range Kinds() {
		var r Deduplicator
		r.Add(Event{ID: "a", At: noon, Kind: kind, User: "1"})
		if got := len(r.Add(Event{ID: "b", At: noon, Kind: kind, User: "1"})) == 0; got != (kind == Refreshed || kind == Reused) {
			t.Errorf("%s: held back is %t", kind, got)
		}
	}
	var r Deduplicator
	r.Add(Event{ID: "a", At: noon, Kind: SignInFailed})
	wantIDs(t, "a failure for no user", r.Add(Event{ID: "b", At: noon, Kind: SignInFailed}), "")
}

// The number of tracked events is bounded. Further events are recorded each.
func TestDeduplicatorMemoryIsBounded(t *testing.T) {
	var r Deduplicator
	session := func(n int) Event {
		e := reuse(fmt.Sprint(n), 0)
		e.Session = fmt.Sprint(n)
		return e
	}
	for n := range maxTracked + 2 {
		if len(r.Add(session(n))) != 1 {
			t.Fatalf("session %d is held back", n)
		}
	}
	if len(r.tracked) != maxTracked {
		t.Errorf("%d are remembered, want %d", len(r.tracked), maxTracked)
	}
	wantIDs(t, "one that is not remembered", r.Add(session(maxTracked+1)), fmt.Sprintf("%d 12:00:00 refused|", maxTracked+1))
	wantIDs(t, "one that is", r.Add(session(7)), "")
	r.Due(noon.Add(time.Minute))
	if len(r.tracked) != 0 {
		t.Errorf("%d are remembered after their minute", len(r.tracked))
	}
}
