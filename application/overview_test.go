package application_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

func given(text string) field.Text { return field.Given(text) }

// countedTrail records the ranges that are counted.
type countedTrail struct {
	outbound.AuditTrail
	mu     sync.Mutex
	ranges []time.Duration
	fail   error
}

func (c *countedTrail) Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error) {
	c.mu.Lock()
	c.ranges = append(c.ranges, until.Sub(since))
	fail := c.fail
	c.mu.Unlock()
	if fail != nil {
		return nil, fail
	}
	return c.AuditTrail.Counts(ctx, kinds, since, until)
}

// reads returns how many days and hours were counted since the last call.
func (c *countedTrail) reads() (days, hours int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.ranges {
		if r == time.Hour {
			hours++
		} else {
			days++
		}
	}
	c.ranges = nil
	return days, hours
}

// overviewOf returns the overview of a service with staff, and its counted trail.
func overviewOf(t *testing.T) (*fixture.Service, *application.Overview, *countedTrail, inbound.Actor) {
	t.Helper()
	s := fixture.New(t, fixture.Standard())
	staff := inbound.Actor{User: s.AddStaff(t, "root@example.com")}
	p := s.Ports
	trail := &countedTrail{AuditTrail: p.AuditTrail}
	p.AuditTrail = trail
	return s, application.NewOverview(p, inbound.About{Version: "1"}), trail, staff
}

func happened(t *testing.T, s *fixture.Service, k audit.Kind, at time.Time) {
	t.Helper()
	if err := s.AuditTrail.Append(t.Context(), audit.Event{ID: s.EventIDs.NewEventID(), At: at, Kind: k, Channel: audit.API}); err != nil {
		t.Fatal(err)
	}
}

// The overview counts events by day and by hour, up to now.
func TestOverviewCounts(t *testing.T) {
	s, o, _, staff := overviewOf(t)
	s.Add(t, "ann@example.com")
	now := s.Clock.Now()
	day := now.Truncate(24 * time.Hour)
	for at, k := range map[time.Time]audit.Kind{
		now: audit.SignedIn, now.Add(-time.Hour): audit.SignedIn, now.Add(-2 * time.Hour): audit.SignInFailed,
		day: audit.Locked, day.Add(-time.Millisecond): audit.LinkSent, day.AddDate(0, 0, -29): audit.SignedIn,
		day.AddDate(0, 0, -29).Add(-time.Millisecond): audit.SignedIn, // too old
		now.Add(-23 * time.Hour):                      audit.SignInFailed,
		now.Add(-24 * time.Hour):                      audit.Locked,
	} {
		happened(t, s, k, at)
	}
	got, err := o.Summary(t.Context(), staff)
	if err != nil || got.Users != 2 || len(got.Days) != 30 || len(got.Hours) != 24 || got.At != now {
		t.Fatalf("%+v, %v", got, err)
	}
	registered := func(c inbound.Counts) inbound.Counts { c.Registrations = 0; return c }
	today, yesterday, first := got.Days[29], got.Days[28], got.Days[0]
	if registered(today) != (inbound.Counts{From: day, SignIns: 2, Failures: 1, Locks: 1}) || today.Registrations != 2 {
		t.Errorf("today %+v", today)
	}
	if yesterday != (inbound.Counts{From: day.AddDate(0, 0, -1), Failures: 1, Locks: 1, Mails: 1}) {
		t.Errorf("yesterday %+v", yesterday)
	}
	if first != (inbound.Counts{From: day.AddDate(0, 0, -29), SignIns: 1}) {
		t.Errorf("the first day %+v", first)
	}
	hour := now.Truncate(time.Hour)
	if h := got.Hours[23]; h.From != hour || h.SignIns != 1 {
		t.Errorf("this hour %+v", h)
	}
	if h := got.Hours[0]; h.From != hour.Add(-23*time.Hour) || h.Failures != 1 || h.Locks != 0 {
		t.Errorf("the first hour %+v", h)
	}
}

// All calls of a minute share one read; counts of the past are read once.
func TestOverviewReadsLittle(t *testing.T) {
	s, o, trail, staff := overviewOf(t) // at 03:04
	summary := func() inbound.Summary {
		t.Helper()
		got, err := o.Summary(t.Context(), staff)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := func(what string, days, hours int) {
		t.Helper()
		if d, h := trail.reads(); d != days || h != hours {
			t.Errorf("%s: counted %d days and %d hours, want %d and %d", what, d, h, days, hours)
		}
	}
	before := summary()
	// 29 days. The last 24 hours, and for the chart of days 02:00 and 03:00 again, since they can change.
	want("the first call", 29, 26)
	s.Clock.Advance(59 * time.Second)
	happened(t, s, audit.SignedIn, s.Clock.Now())
	if got := summary(); got.At != before.At || got.Days[29].SignIns != 0 {
		t.Errorf("within a minute: %+v", got.Days[29])
	}
	want("within a minute", 0, 0)
	s.Clock.Advance(time.Second)
	if got := summary(); got.Days[29].SignIns != 1 || got.Hours[23].SignIns != 1 {
		t.Errorf("after a minute: %+v", got.Days[29])
	}
	want("after a minute", 0, 4)
	s.Clock.Advance(time.Hour)
	happened(t, s, audit.SignedIn, s.Clock.Now().Add(-time.Hour)) // late
	if got := summary(); got.Hours[22].SignIns != 2 {
		t.Errorf("a late event: %+v", got.Hours[22])
	}
	want("after an hour", 0, 5)
	s.Clock.Advance(-2 * time.Hour)
	if got := summary(); got.At == before.At {
		t.Error("the summary is from before the clock was set back")
	}
}

// Calls at the same time share one read.
func TestOverviewIsShared(t *testing.T) {
	_, o, trail, staff := overviewOf(t)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := o.Summary(t.Context(), staff); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if d, _ := trail.reads(); d != 29 {
		t.Errorf("counted %d days", d)
	}
}

// A failure is not kept.
func TestOverviewAfterAnOutage(t *testing.T) {
	_, o, trail, staff := overviewOf(t)
	trail.fail = errors.New("down")
	if _, err := o.Summary(t.Context(), staff); !errors.Is(err, trail.fail) {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Summary(ended, staff); err == nil {
		t.Error("a call that has ended was answered")
	}
	trail.fail = nil
	if _, err := o.Summary(t.Context(), staff); err != nil {
		t.Error(err)
	}
}

// The overview shows how the queue of mails stands.
func TestOverviewOfTheQueue(t *testing.T) {
	s, o, _, staff := overviewOf(t)
	add := func(id string, do func(m *mail.Mail, now time.Time)) {
		t.Helper()
		m, err := mail.Queue(mail.New{ID: mail.ID(id), Kind: mail.Test, To: user.RestoreEmail("a@example.com", "a@example.com")}, s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		do(m, s.Clock.Now())
		if err := s.Mails.Add(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Second)
	}
	begin := s.Clock.Now()
	failed := func(permanent bool) func(m *mail.Mail, now time.Time) {
		return func(m *mail.Mail, now time.Time) {
			if err := m.Begin(now); err != nil {
				t.Fatal(err)
			}
			m.Fail(now, "refused", permanent)
		}
	}
	add("a", failed(false))
	add("b", func(*mail.Mail, time.Time) {})
	add("c", failed(true))
	add("d", func(m *mail.Mail, now time.Time) { m.Complete(now) })
	got, err := o.Summary(t.Context(), staff)
	if want := (inbound.QueueState{Waiting: 2, Retrying: 1, Failed: 1, Most: 1000, Oldest: begin}); err != nil || got.Queue != want {
		t.Errorf("got %+v, %v, want %+v", got.Queue, err, want)
	}
}
