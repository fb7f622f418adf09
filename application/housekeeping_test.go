package application_test

import (
	"testing"
	"time"

	"roster/application"
	"roster/test/support/fixture"
)

// A clock that is wrong once after a start must not delete events or sessions.
func TestSweepDoesNotFollowAClockThatJumps(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(100 * 24 * time.Hour)
	for _, h := range []*application.Housekeeping{application.NewHousekeeping(s.Ports, fixture.Standard()), s.Housekeeping} {
		for range 3 {
			if swept, err := h.Sweep(t.Context()); err != nil || swept != (application.Swept{Attempts: swept.Attempts}) {
				t.Errorf("100 days ahead: swept %+v, %v", swept, err)
			}
		}
	}
	s.SignsIn(t, "a@example.com", fixture.Password) // adds an event at that time
	if swept, err := s.Housekeeping.Sweep(t.Context()); err != nil || swept.Events != 0 {
		t.Errorf("after a sign-in by that clock: swept %+v, %v", swept, err)
	}
	s.Clock.Advance(-100 * 24 * time.Hour)
	if swept, err := s.Housekeeping.Sweep(t.Context()); err != nil || swept.Events != 0 || swept.Sessions != 0 {
		t.Errorf("when the clock is right again: swept %+v, %v", swept, err)
	}
	s.Refreshes(t, p.Refresh)
}

// The sweeps of a running service follow the clock, even without requests.
func TestSweepsFollowTheClock(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	s.SignsIn(t, "a@example.com", fixture.Password)
	var total application.Swept
	for range 91 * 24 * time.Hour / application.SweepInterval {
		s.Clock.Advance(application.SweepInterval)
		swept, err := s.Housekeeping.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		total.Sessions += swept.Sessions
		total.Events += swept.Events
	}
	if total.Sessions != 1 || total.Events < 2 {
		t.Errorf("swept %+v in 91 days", total)
	}
}
