package mail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/domain/mail"
)

// linked are the kinds with a link.
var linked = []mail.Kind{mail.Activation, mail.PasswordReset, mail.EmailChange, mail.EmailChangeNotice, mail.Invitation}

// Each kind is there in each language, in both parts, with its link, its lifetime and its code.
func TestEveryTemplate(t *testing.T) {
	s := sender(t, "log:", options(t))
	subjects := map[string]string{}
	for _, tag := range languages {
		for _, kind := range mail.Kinds() {
			m, err := s.Preview(kind, tag.String())
			if err != nil {
				t.Fatal(err)
			}
			what := tag.String() + " " + string(kind)
			if before, ok := subjects[m.Subject]; ok || m.Subject == "" {
				t.Errorf("%s: the subject of %s: %q", what, before, m.Subject)
			}
			subjects[m.Subject] = what
			for _, part := range []string{m.Text, m.HTML} {
				for _, of := range []string{example.Link, example.Code, inWords(example.Lifetime, tag.String())} {
					if strings.Contains(part, of) != slices.Contains(linked, kind) {
						t.Errorf("%s: %q: %v\n%s", what, of, !slices.Contains(linked, kind), part)
					}
				}
				if strings.Contains(part, "\n\n\n") || strings.Contains(part, "{{") {
					t.Errorf("%s:\n%s", what, part)
				}
			}
			if !strings.Contains(m.HTML, `<html lang="`+tag.String()+`">`) || strings.Contains(m.Text, "&") {
				t.Errorf("%s:\n%s\n%s", what, m.Text, m.HTML)
			}
		}
	}
	if m, err := s.Preview("another", "en"); err == nil {
		t.Errorf("%v", m)
	}
}

// The wording is that of djoser 2.1.0, so that tests of front ends and filters in mailboxes still match.
func TestDjosersWording(t *testing.T) {
	s := sender(t, "log:", options(t))
	const end = "\n\nThanks for using our site!\n\nThe Example team\n"
	for kind, want := range map[string]mail.Text{
		"activation": {Subject: "Account activation on Example", Text: "You're receiving this email because you need to finish activation process on Example.\n\n" +
			"Please go to the following page to activate account:\n" + letter().Link + end},
		"password_reset":   {Subject: "Password reset on Example", Text: djosersReset + "\n"},
		"activated":        {Subject: "Example - Your account has been successfully created and activated!", Text: "Your account has been created and is ready to use!" + end},
		"password_changed": {Subject: "Example - Your password has been successfully changed!", Text: "Your password has been changed!" + end},
		"email_changed":    {Subject: "Example - Your username has been successfully changed!", Text: "Your username has been changed!" + end},
	} {
		l := letter()
		l.Kind = mail.Kind(kind)
		got, err := s.render(l)
		if err != nil || got.Subject != want.Subject || got.Text != want.Text {
			t.Errorf("%s: %v\n%q\n%q", kind, err, got.Subject, got.Text)
		}
	}
}

// Data is escaped in the HTML part only.
func TestEscaping(t *testing.T) {
	s := sender(t, "log:", options(t))
	l := letter()
	l.Kind, l.Detail = mail.NewDevice, `<script>alert("o'neil & co")</script>`
	m, err := s.render(l)
	if err != nil || !strings.Contains(m.Text, l.Detail) || strings.Contains(m.HTML, "<script") || !strings.Contains(m.HTML, "&lt;script&gt;") {
		t.Errorf("%v\n%s\n%s", err, m.Text, m.HTML)
	}
}

func TestLanguages(t *testing.T) {
	for preferred, want := range map[string]string{
		"": "en", "de": "de", "de-AT": "de", "fr-CA,en;q=0.5": "fr", "es-419": "es", "ja": "en", "ja, es;q=0.9": "es", "en;q=0.1, de;q=0.9": "de", "zz-$": "en", "*": "en",
		strings.Repeat("de-", 10000): "en",
	} {
		if got := best([]string{preferred}); got != want {
			t.Errorf("%.40q: %s, want %s", preferred, got, want)
		}
	}
	if got := best([]string{"fr", "de"}); got != "fr" {
		t.Errorf("the first preference: %s", got)
	}
	if got := best(nil); got != "en" {
		t.Errorf("no preference: %s", got)
	}
}

func TestLifetimesInWords(t *testing.T) {
	for text, want := range map[string]string{
		"0s": "", "1s": "1 second", "90s": "90 seconds", "1m": "1 minute", "90m": "90 minutes",
		"1h": "1 hour", "24h": "24 hours", "72h": "3 days", "168h": "7 days", "49h": "49 hours",
	} {
		d, err := time.ParseDuration(text)
		if got := inWords(d, "en"); err != nil || got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A directory replaces templates file by file.
func TestOwnTemplates(t *testing.T) {
	o := options(t)
	o.Templates = t.TempDir()
	put(t, o.Templates, "de/test.subject", "Probe {{- /* a comment */ -}} : {{if .Link}}{{.Site}}{{else}}nein{{end}}\n")
	s := sender(t, "log:", o)
	if m, err := s.Preview(mail.Test, "de"); err != nil || m.Subject != "Probe:Example" && m.Subject != "Probe: Example" || !strings.Contains(m.Text, "Example") {
		t.Errorf("%v: %+v", err, m)
	}
	if m, err := s.Preview(mail.Test, "en"); err != nil || m.Subject != "Test mail from Example" {
		t.Errorf("%v: %+v", err, m)
	}
}

// A wrong template is an error at the start, with its file and line.
func TestWrongTemplates(t *testing.T) {
	for name, c := range map[string]struct{ file, text, where, reason string }{
		"syntax":               {"en/test.txt", "a\n{{if .Site}}", ":2: ", "unexpected EOF"},
		"unknown field":        {"en/test.txt", "a\nb\n{{.Token}}", ":3:", "no field Token"},
		"in a branch":          {"en/test.html", "a\n{{if .Code}}\n{{.Kode}}{{end}}", ":3:", "no field Kode"},
		"in an else":           {"en/test.html", "a\n{{if .Code}}{{else}}\n{{.Kode}}{{end}}", ":3:", "no field Kode"},
		"condition":            {"en/test.html", "{{if .Kode}}a{{end}}", ":1:", "no field Kode"},
		"function":             {"en/test.txt", "{{printf .Site}}", ":1", `function "printf" not defined`},
		"field of a field":     {"en/test.txt", "{{.Site.Name}}", ":1:", "not a field"},
		"variable":             {"en/test.txt", "{{$x := .Site}}", ":1:", "not a field"},
		"loop":                 {"en/test.txt", "\n{{range .Site}}{{end}}", ":2:", "a template has only"},
		"other template":       {"en/test.txt", "{{define \"x\"}}a{{end}}b", ":1: ", "defines others"},
		"empty":                {"en/test.txt", " \n", ":1: ", "empty"},
		"subject of two lines": {"en/test.subject", "a\nb\n", ":2: ", "one line"},
		"unknown kind":         {"en/tset.txt", "a", ": ", "not the name of a template"},
		"unknown language":     {"it/test.txt", "a", ": ", "not the name of a template"},
		"unknown part":         {"en/test.md", "a", ": ", "not the name of a template"},
		"no language":          {"test.txt", "a", ": ", "not the name of a template"},
	} {
		o := options(t)
		o.Templates = t.TempDir()
		file := put(t, o.Templates, c.file, c.text)
		if _, err := Open("log:", o); err == nil || !strings.HasPrefix(err.Error(), ErrTemplates.Error()+": "+file+c.where) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
