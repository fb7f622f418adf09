package audit_test

import (
	"fmt"
	"testing"
	"time"

	"roster/domain/audit"
)

// TestBoundsAgreeWithMatches tries all small queries on all small positions.
func TestBoundsAgreeWithMatches(t *testing.T) {
	epoch := time.Date(2024, 2, 29, 23, 59, 59, 123e6, time.UTC)
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	times := []time.Time{{}, at(1), at(2), at(2).Add(time.Nanosecond), at(3).Add(-time.Microsecond), at(4)}
	froms := []*audit.Position{nil}
	var events []audit.Event
	for ms := range 6 {
		for _, id := range []audit.ID{"\x00", "a", "b"} {
			e := audit.Event{ID: id, At: at(ms), Kind: audit.SignedIn}
			events = append(events, e)
			froms = append(froms, new(e.Position()))
		}
	}
	wanted := 0
	for _, since := range times {
		for _, until := range times {
			for _, from := range froms {
				for _, back := range []bool{false, true} {
					q := audit.Query{Filter: audit.Filter{Since: since, Until: until}, From: from, Back: back}
					after, before := q.Bounds()
					for _, e := range events {
						want := q.Matches(e)
						if from != nil {
							c := e.Position().Compare(*from)
							want = want && c != 0 && back == (c > 0)
						}
						got := (after == nil || e.Position().Compare(*after) > 0) && (before == nil || e.Position().Compare(*before) < 0)
						if got != want {
							t.Fatalf("since %v, until %v, from %v, back %t: %v is within %s: %t, want %t",
								since, until, from, back, e.Position(), fmt.Sprint(after, " and ", before), got, want)
						}
						if want {
							wanted++
						}
					}
				}
			}
		}
	}
	if wanted == 0 {
		t.Error("nothing was ever wanted")
	}
}
