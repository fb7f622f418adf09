package mail_test

import (
	"errors"
	"testing"
	"time"

	"roster/domain/mail"
	"roster/domain/user"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// queued returns a mail to an address that was queued at begin.
func queued(t *testing.T, id mail.ID, k mail.Kind, owner user.ID) *mail.Mail {
	t.Helper()
	m, err := mail.Queue(mail.New{ID: id, Kind: k, User: owner, To: user.RestoreEmail("a@example.com", "a@example.com")}, begin)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// begun returns a queued mail of which an attempt was begun, and ended by end.
func begun(t *testing.T, id mail.ID, k mail.Kind, end func(*mail.Mail)) *mail.Mail {
	t.Helper()
	m := queued(t, id, k, "")
	if err := m.Begin(begin); err != nil {
		t.Fatal(err)
	}
	if end != nil {
		end(m)
	}
	return m
}

func sent(at time.Duration) func(*mail.Mail) { return func(m *mail.Mail) { m.Complete(begin.Add(at)) } }

func failed(m *mail.Mail) { m.Fail(begin, "refused for now", false) }

func postponed(m *mail.Mail) { m.Postpone(begin) }

func TestLimits(t *testing.T) {
	const reset, activation = mail.PasswordReset, mail.Activation
	early := -30 * time.Second // sent before the mail was queued
	for name, c := range map[string]struct {
		mail   *mail.Mail
		others []*mail.Mail
		want   mail.Decision
	}{
		"the first":                       {begun(t, "5", reset, nil), nil, mail.Send},
		"itself":                          {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "5", reset, nil)}, mail.Send},
		"the same within a minute":        {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", reset, sent(early))}, mail.Never},
		"another kind within a minute":    {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", activation, sent(early))}, mail.Later},
		"after a minute":                  {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", reset, sent(-time.Minute))}, mail.Send},
		"one of the future":               {begun(t, "5", activation, nil), []*mail.Mail{begun(t, "4", reset, sent(time.Hour))}, mail.Later},
		"an earlier one under way":        {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", reset, nil)}, mail.Later},
		"an earlier one that waits":       {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", activation, postponed)}, mail.Send},
		"a change of address in a minute": {begun(t, "5", mail.EmailChange, nil), []*mail.Mail{begun(t, "4", reset, sent(early))}, mail.Never},
		"the same notice in a minute":     {begun(t, "5", mail.PasswordChanged, nil), []*mail.Mail{begun(t, "4", mail.PasswordChanged, sent(early))}, mail.Never},
		"a later one under way":           {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "6", reset, nil)}, mail.Send},
		"an earlier one that failed":      {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", reset, failed)}, mail.Send},
		"a later one that failed":         {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "6", reset, failed)}, mail.Send},
		"notices do not count":            {begun(t, "5", reset, nil), []*mail.Mail{begun(t, "4", mail.PasswordChanged, sent(early))}, mail.Send},
		"a notice is counted alone":       {begun(t, "5", mail.EmailChangeNotice, nil), []*mail.Mail{begun(t, "4", reset, sent(early))}, mail.Send},
		"an invitation is not limited":    {begun(t, "5", mail.Invitation, nil), []*mail.Mail{begun(t, "4", reset, sent(early))}, mail.Send},
		"a link by staff is not limited":  {queued(t, "5", reset, "7"), []*mail.Mail{begun(t, "4", reset, sent(early))}, mail.Send},
		"a link by staff does not count":  {begun(t, "5", activation, nil), []*mail.Mail{queued(t, "4", reset, "7")}, mail.Send},
		"five of the kind within an hour": {begun(t, "9", reset, nil), hourly(t, reset), mail.Never},
		"five others within an hour":      {begun(t, "9", activation, nil), hourly(t, reset), mail.Later},
	} {
		if got, _ := (mail.Limits{PerMinute: 1, PerHour: 5}).Decide(c.mail, c.others, begin); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		if got, _ := (mail.Limits{}).Decide(c.mail, c.others, begin); got != mail.Send {
			t.Errorf("%s: limited without limits", name)
		}
	}
}

func hourly(t *testing.T, k mail.Kind) (all []*mail.Mail) {
	t.Helper()
	for i := range 5 {
		all = append(all, begun(t, mail.ID(rune('1'+i)), k, sent(-time.Duration(10*i+5)*time.Minute)))
	}
	return all
}

// Of mails with one purpose that fail while the server is down, the first that arrives makes the others needless.
func TestOneOfMailsThatFailedIsSent(t *testing.T) {
	for _, limits := range []mail.Limits{{}, {PerMinute: 1, PerHour: 5}} {
		later := begun(t, "5", mail.PasswordReset, sent(time.Hour))
		old := begun(t, "4", mail.PasswordReset, failed)
		if err := old.Begin(begin.Add(3 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got, _ := limits.Decide(old, []*mail.Mail{later}, begin.Add(3*time.Hour)); got != mail.Never {
			t.Errorf("the earlier one: %d", got)
		}
		other := begun(t, "5", mail.Activation, sent(time.Hour))
		if got, _ := limits.Decide(old, []*mail.Mail{other}, begin.Add(3*time.Hour)); got != mail.Send {
			t.Errorf("after a mail for another purpose: %d", got)
		}
	}
}

// A mail that cannot be sent is tried again after waits that double, up to four hours, and given up after three days.
func TestRetries(t *testing.T) {
	m := queued(t, "5", mail.PasswordReset, "")
	now, attempts := begin, 0
	var waits []time.Duration
	for m.Snapshot().State == mail.Waiting {
		if err := m.Begin(now); err != nil {
			t.Fatal(err)
		}
		if err := m.Begin(now.Add(mail.Lease - time.Millisecond)); !errors.Is(err, mail.ErrNotDue) {
			t.Fatalf("begun under the lease of another: %v", err)
		}
		m.Fail(now, "down", false)
		attempts++
		if s := m.Snapshot(); s.State == mail.Waiting {
			waits = append(waits, s.Due.Sub(now))
			now = s.Due
		}
	}
	if waits[0] != time.Minute || waits[1] != 2*time.Minute || waits[len(waits)-1] != 4*time.Hour {
		t.Errorf("waits %v", waits)
	}
	if age := now.Sub(begin); m.Snapshot().State != mail.Failed || age > 72*time.Hour || age < 66*time.Hour {
		t.Errorf("%s after %s", m.Snapshot().State, age)
	}
	m.Complete(now)
	if m.Snapshot().State != mail.Failed {
		t.Error("a finished mail changes")
	}
	if err := errors.Join(m.Retry(now), m.Begin(now)); err != nil || m.Snapshot().Attempts != 1 || m.Snapshot().Reason != "" {
		t.Errorf("retry: %v, %+v", err, m.Snapshot())
	}
	if err := m.Retry(now.Add(mail.Lease - time.Millisecond)); !errors.Is(err, mail.ErrNotDue) {
		t.Errorf("retry during an attempt: %v", err)
	}
	if err := m.Retry(now.Add(mail.Lease)); err != nil {
		t.Errorf("retry after a crash: %v", err)
	}
	if err := m.Begin(now.Add(mail.Lease)); err != nil {
		t.Error(err)
	}
	m.Fail(now, "no such mailbox", true)
	if m.Snapshot().State != mail.Failed {
		t.Error("a permanent refusal is tried again")
	}
}

// A mail that waits for the limits is dropped after three days.
func TestPostponedForThreeDays(t *testing.T) {
	m := queued(t, "5", mail.PasswordReset, "")
	for _, c := range []struct {
		after time.Duration
		want  mail.State
	}{{time.Minute, mail.Waiting}, {72 * time.Hour, mail.Waiting}, {72*time.Hour + time.Minute, mail.Dropped}} {
		if err := m.Begin(begin.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		m.Postpone(begin.Add(c.after))
		if got := m.Snapshot().State; got != c.want {
			t.Errorf("after %s: %s, want %s", c.after, got, c.want)
		}
	}
}

// An attempt that the end of its process cuts short counts as none.
func TestInterrupted(t *testing.T) {
	m := queued(t, "5", mail.PasswordReset, "")
	if err := m.Begin(begin); err != nil {
		t.Fatal(err)
	}
	m.Interrupt(begin)
	if s := m.Snapshot(); s.Attempts != 0 || !s.Due.Equal(begin) || s.State != mail.Waiting {
		t.Errorf("%+v", s)
	}
}
