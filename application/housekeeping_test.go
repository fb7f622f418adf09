package application_test

import (
	"testing"
	"time"

	"roster/application"
	"roster/test/fixture"
)

// A machine whose clock is wrong for one start must not lose its trail, nor its sessions.
func TestASweepDoesNotFollowAClockThatJumps(t *testing.T) {
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
	s.SignsIn(t, "a@example.com", fixture.Password) // leaves an event of that time
	if swept, err := s.Housekeeping.Sweep(t.Context()); err != nil || swept.Events != 0 {
		t.Errorf("after a sign-in by that clock: swept %+v, %v", swept, err)
	}
	s.Clock.Advance(-100 * 24 * time.Hour)
	if swept, err := s.Housekeeping.Sweep(t.Context()); err != nil || swept.Events != 0 || swept.Sessions != 0 {
		t.Errorf("when the clock is right again: swept %+v, %v", swept, err)
	}
	s.Refreshes(t, p.Refresh)
}

// A service that runs sweeps as the time comes, however quiet it is.
func TestSweepsKeepUpWithTime(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	s.SignsIn(t, "a@example.com", fixture.Password)
	var total application.Swept
	for range 91 * 24 * time.Hour / application.SweepEvery {
		s.Clock.Advance(application.SweepEvery)
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
