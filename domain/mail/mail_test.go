package mail_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"roster/domain/mail"
	"roster/domain/user"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func fresh(t *testing.T, n mail.New) *mail.Mail {
	t.Helper()
	n.ID, n.Kind, n.To = "1", mail.PasswordReset, user.RestoreEmail("a@example.com", "a@example.com")
	m, err := mail.Queue(n, noon)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a client or a mail server sent is stored as text of a bounded length without control characters.
func TestTextsAreClean(t *testing.T) {
	const bad = "a\x1b[31m\r\n\xff\u2028"
	m := fresh(t, mail.New{Locale: bad, Detail: bad + strings.Repeat("é", 1000)})
	failed := fresh(t, mail.New{})
	failed.Fail(noon, bad, true)
	retried := fresh(t, mail.New{})
	retried.Fail(noon, bad, false)
	for _, text := range []string{m.Snapshot().Locale, m.Snapshot().Detail, failed.Snapshot().Reason, retried.Snapshot().Reason} {
		if !strings.HasPrefix(text, "a\uFFFD[31m\uFFFD\uFFFD\uFFFD\uFFFD") || !utf8.ValidString(text) || len(text) > 512 {
			t.Errorf("stored %q", text)
		}
	}
}

// A mail that cannot be sent is tried again after waits that double, up to four hours, and given up after three days.
func TestRetriesForThreeDays(t *testing.T) {
	m, now := fresh(t, mail.New{}), noon
	var waits []time.Duration
	for m.Snapshot().State == mail.Waiting {
		now = m.Snapshot().Due
		if err := m.Begin(now); err != nil {
			t.Fatal(err)
		}
		if err := m.Begin(now.Add(mail.Lease - 1)); !errors.Is(err, mail.ErrNotDue) {
			t.Fatalf("a second attempt during the first: %v", err)
		}
		m.Fail(now, "451 later", false)
		if s := m.Snapshot(); s.State == mail.Waiting {
			waits = append(waits, s.Due.Sub(now))
		}
	}
	s := m.Snapshot()
	if s.State != mail.Failed || s.Reason != "451 later" || now.After(noon.Add(72*time.Hour)) || now.Before(noon.Add(68*time.Hour)) {
		t.Errorf("given up as %+v at %s", s, now)
	}
	if waits[0] != time.Minute || waits[1] != 2*time.Minute || waits[len(waits)-1] != 4*time.Hour {
		t.Errorf("waits of %v", waits)
	}
	m.Retry(now)
	if err := m.Begin(now); err != nil {
		t.Errorf("after the operator's retry: %v", err)
	}
	m.Complete(now)
	m.Fail(now, "late", true)
	if s := m.Snapshot(); s.State != mail.Sent || s.Reason != "" {
		t.Errorf("a late failure changed what was sent: %+v", s)
	}
}
