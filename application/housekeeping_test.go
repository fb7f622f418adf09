package application_test

import (
	"testing"
	"time"

	"roster/application"
	"roster/domain/mail"
	"roster/domain/user"
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

// A mail that was sent or given up is kept for a month, a dropped one for a day: any client can cause these in numbers. One that
// waits is kept as long as it waits.
func TestSweepTakesFinishedMails(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	for id, end := range map[mail.ID]func(*mail.Mail){
		"sent":    func(m *mail.Mail) { m.Complete(s.Clock.Now()) },
		"failed":  func(m *mail.Mail) { m.Fail(s.Clock.Now(), "refused", true) },
		"dropped": func(m *mail.Mail) { m.Drop(s.Clock.Now(), "no account") },
		"waits":   func(*mail.Mail) {},
	} {
		m, err := mail.Queue(mail.New{ID: id, Kind: mail.Activated, To: user.RestoreEmail("a@example.com", "a@example.com")}, s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		end(m)
		if err := s.Ports.Mails.Add(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		wait time.Duration
		want int
	}{{24 * time.Hour, 0}, {time.Minute, 1}, {29*24*time.Hour - time.Minute, 0}, {time.Minute, 2}} {
		s.Clock.Advance(c.wait)
		s.SignsIn(t, "a@example.com", fixture.Password) // sweeps follow a clock by which events were recorded
		if swept, err := application.NewHousekeeping(s.Ports, fixture.Standard()).Sweep(t.Context()); err != nil || swept.Mails != c.want {
			t.Errorf("%s later: swept %+v, %v; want %d mails", c.wait, swept, err, c.want)
		}
	}
	left, err := s.Ports.Mails.List(t.Context(), mail.Query{Limit: 9})
	if err != nil || len(left) != 1 || left[0].ID() != "waits" {
		t.Errorf("%d mails are left, %v; want the one that waits", len(left), err)
	}
}
