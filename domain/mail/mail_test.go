package mail_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"roster/domain/mail"
	"roster/domain/user"
)

func withTexts(t *testing.T, n mail.New) *mail.Mail {
	t.Helper()
	n.ID, n.Kind, n.To = "1", mail.PasswordReset, user.RestoreEmail("a@example.com", "a@example.com")
	m, err := mail.Queue(n, begin)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a client or a mail server sent is stored as text of a bounded length without control characters.
func TestTextsAreClean(t *testing.T) {
	const bad = "a\x1b[31m\r\n\xff\u2028"
	m := withTexts(t, mail.New{Locale: bad, Detail: bad + strings.Repeat("é", 1000)})
	failed := withTexts(t, mail.New{})
	failed.Fail(begin, bad, true)
	retried := withTexts(t, mail.New{})
	retried.Fail(begin, bad, false)
	for _, text := range []string{m.Snapshot().Locale, m.Snapshot().Detail, failed.Snapshot().Reason, retried.Snapshot().Reason} {
		if !strings.HasPrefix(text, "a\uFFFD[31m\uFFFD\uFFFD\uFFFD\uFFFD") || !utf8.ValidString(text) || len(text) > 512 {
			t.Errorf("stored %q", text)
		}
	}
}
