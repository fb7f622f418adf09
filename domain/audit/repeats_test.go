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

// Of the same that happens again within a minute the first is recorded at once, and the last with the count.
func TestTheSameIsRecordedOnceAMinute(t *testing.T) {
	var r Repeats
	wantIDs(t, "the first", r.Note(reuse("a", 0)), "a 12:00:00 refused|")
	agent := reuse("b", 10*time.Second)
	agent.UserAgent, agent.RequestID = "another", "r2"
	wantIDs(t, "with another user agent", r.Note(agent), "")
	wantIDs(t, "at the end of the minute", r.Note(reuse("c", 59*time.Second)), "")
	wantIDs(t, "due before", r.Due(noon.Add(59*time.Second)), "")
	wantIDs(t, "due", r.Due(noon.Add(time.Minute)), "c 12:01:00 refused; 2 more since 2026-01-02T12:00:00Z|")
	wantIDs(t, "due again", r.Due(noon.Add(time.Hour)), "")
	wantIDs(t, "later", r.Note(reuse("d", 2*time.Minute)), "d 12:02:00 refused|")
	wantIDs(t, "held", r.Note(reuse("e", 2*time.Minute)), "")
	wantIDs(t, "the next minute, before it was due", r.Note(reuse("f", 3*time.Minute)),
		"e 12:03:00 refused; 1 more since 2026-01-02T12:02:00Z|f 12:03:00 refused|")
	wantIDs(t, "once only", r.Note(reuse("g", 5*time.Minute)), "g 12:05:00 refused|")
	r.Note(reuse("h", 5*time.Minute))
	wantIDs(t, "the rest", r.Rest(noon.Add(5*time.Minute)), "h 12:05:00 refused; 1 more since 2026-01-02T12:05:00Z|")
	wantIDs(t, "the rest again", r.Rest(noon.Add(5*time.Minute)), "")
}

// A clock that is set back does not hold events back until it has caught up.
func TestAClockSetBackHoldsNothingBack(t *testing.T) {
	var r Repeats
	r.Note(reuse("a", time.Hour))
	wantIDs(t, "after the clock was set back", r.Note(reuse("b", 0)), "b 12:00:00 refused|")
}

// Only what changes nothing is held back.
func TestWhatChangesSomethingIsRecordedEachTime(t *testing.T) {
	for _, kind := range Kinds() {
		var r Repeats
		r.Note(Event{ID: "a", At: noon, Kind: kind, User: "1"})
		if got := len(r.Note(Event{ID: "b", At: noon, Kind: kind, User: "1"})) == 0; got != (kind == Refreshed || kind == Reused) {
			t.Errorf("%s: held back is %t", kind, got)
		}
	}
	var r Repeats
	r.Note(Event{ID: "a", At: noon, Kind: SignInFailed})
	wantIDs(t, "a failure for no user", r.Note(Event{ID: "b", At: noon, Kind: SignInFailed}), "")
}

// What is remembered is bounded; beyond that each event is recorded.
func TestTheMemoryForRepeatsIsBounded(t *testing.T) {
	var r Repeats
	session := func(n int) Event {
		e := reuse(fmt.Sprint(n), 0)
		e.Session = fmt.Sprint(n)
		return e
	}
	for n := range maxRepeats + 2 {
		if len(r.Note(session(n))) != 1 {
			t.Fatalf("session %d is held back", n)
		}
	}
	if len(r.held) != maxRepeats {
		t.Errorf("%d are remembered, want %d", len(r.held), maxRepeats)
	}
	wantIDs(t, "one that is not remembered", r.Note(session(maxRepeats+1)), fmt.Sprintf("%d 12:00:00 refused|", maxRepeats+1))
	wantIDs(t, "one that is", r.Note(session(7)), "")
	r.Due(noon.Add(time.Minute))
	if len(r.held) != 0 {
		t.Errorf("%d are remembered after their minute", len(r.held))
	}
}
