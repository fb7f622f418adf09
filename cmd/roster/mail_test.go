package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/domain/mail"
	"roster/test/support/smtpserver"
)

// The queue is listed, and a mail in it can be sent again.
func TestMailQueue(t *testing.T) {
	s := newShell(t, "ROSTER_IDS=integer")
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	if out := s.must("", "mail", "list"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "ID  ") {
		t.Errorf("an empty queue: %q", out)
	}
	for range 2 { // each change queues a notice, which no service sends here
		s.must(strongPassword, "user", "set-password", "ada@example.org", "--password-file=-")
	}
	list := objects(t, s.must("", "mail", "list", "--format=json"))
	if len(list) != 2 {
		t.Fatalf("the queue: %v", list)
	}
	newest := list[0]
	if newest["kind"] != "password_changed" || newest["to"] != "ada@example.org" || newest["user"] != 1.0 || newest["state"] != "waiting" || newest["attempts"] != 0.0 || newest["finished"] != nil || newest["due"] != newest["queued"] {
		t.Errorf("a mail: %v", newest)
	}
	id, _ := newest["id"].(string)
	if older, _ := list[1]["id"].(string); older >= id {
		t.Errorf("the newest is not first: %v", list)
	}
	for args, want := range map[string]int{"--state=waiting": 2, "--state=sent": 0, "--state=failed": 0, "--state=dropped": 0, "--limit=1": 1, "--limit=3": 2} {
		if got := objects(t, s.must("", "mail", "list", "--format=json", args)); len(got) != want || want > 0 && got[0]["id"] != id {
			t.Errorf("mail list %s: %v", args, got)
		}
	}
	if out := s.must("", "mail", "list"); strings.Count(out, "\n") != 3 || !strings.Contains(out, id) || !strings.Contains(out, "waiting") {
		t.Errorf("mail list: %s", out)
	}
	if out := s.must("", "mail", "retry", id); out != "The mail password_changed to ada@example.org is due now; a running service sends it.\n" {
		t.Errorf("mail retry: %q", out)
	}
	if got := objects(t, s.must("", "mail", "list", "--format=json", "--limit=1"))[0]["due"]; got == newest["due"] {
		t.Errorf("the mail is due at %v, as before", got)
	}
	s.fails(exitFailure, []string{`there is no mail "another"`}, "", "mail", "retry", "another")
	s.fails(exitMisuse, []string{"ID (of a mail) is missing"}, "", "mail", "retry")
	s.fails(exitMisuse, []string{`invalid argument "late" for "--state" flag: must be waiting or sent or failed or dropped`}, "", "mail", "list", "--state=late")
	s.fails(exitMisuse, []string{"--limit must not be negative"}, "", "mail", "list", "--limit=-1")
	s.environ = append(s.environ, "ROSTER_MAIL=off")
	s.fails(exitFailure, []string{"mail is off, by the setting mail"}, "", "mail", "retry", id)
}

// mail test sends a mail without a database, and shows the answer of the server.
func TestMailTest(t *testing.T) {
	server := smtpserver.Start(t, smtpserver.Options{User: "ann", Password: "s3cret"})
	on := newShell(t, "ROSTER_MAIL=smtp://ann:s3cret@"+server.Addr+"?tls=off", "ROSTER_MAIL_FROM=Example <accounts@example.com>")
	if out := on.must("", "mail", "test", "ada@example.org"); !strings.HasPrefix(out, "The server accepted the mail: ") || len(out) < 36 {
		t.Errorf("mail test: %q", out)
	}
	if mails := server.Mails(); len(mails) != 1 || mails[0].Recipients[0] != "ada@example.org" || mails[0].Subject != "Test mail from Example" {
		t.Errorf("mails: %+v", mails)
	}
	server.Fail(smtpserver.Fault{Stage: smtpserver.RCPT, Code: 550, Text: "no such user"})
	if r := on.run("", "mail", "test", "ada@example.org"); r.code != exitFailure || !strings.Contains(r.stderr, "550 no such user") {
		t.Errorf("a refused mail: %d %q", r.code, r.stderr)
	}
	wrong := newShell(t, "ROSTER_MAIL=smtp://ann:secret-word@"+server.Addr+"?tls=off", "ROSTER_MAIL_FROM=accounts@example.com")
	if r := wrong.run("", "mail", "test", "ada@example.org"); r.code != exitFailure || !strings.Contains(r.stderr, "refused the user name or the password") || strings.Contains(r.stderr, "secret-word") {
		t.Errorf("a wrong password: %d %q", r.code, r.stderr)
	}
	on.fails(exitFailure, []string{"Enter a valid email address."}, "", "mail", "test", "ada")
	on.fails(exitMisuse, []string{"ADDRESS is missing"}, "", "mail", "test")
	newShell(t).fails(exitFailure, []string{"mail is log: (the default)"}, "", "mail", "test", "ada@example.org")
	newShell(t, "ROSTER_MAIL=off").fails(exitFailure, []string{"mail is off, by the setting mail"}, "", "mail", "test", "ada@example.org")
	newShell(t, "ROSTER_LISTEN=0.0.0.0:8000").fails(exitFailure, []string{"mail is off: the service is open to the network"}, "", "mail", "test", "ada@example.org")

	dir := filepath.Join(t.TempDir(), "mails")
	if out := newShell(t, "ROSTER_MAIL=file:"+dir).must("", "mail", "test", "ada@example.org"); out != "The mail went to files in "+dir+".\n" {
		t.Errorf("mail test: %q", out)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("files: %v %v", files, err)
	}
}

// Every kind can be shown in every language, also from templates of the operator, and with mail off.
func TestMailPreview(t *testing.T) {
	templates := t.TempDir()
	file := filepath.Join(templates, "de", "test.subject")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("Probe von {{.Site}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newShell(t, "ROSTER_MAIL_FROM=Example <accounts@example.com>", "ROSTER_MAIL=off", "ROSTER_MAIL_TEMPLATES="+templates)
	for _, kind := range mail.Kinds() {
		for _, language := range []string{"en", "de", "fr", "es"} {
			out := s.must("", "mail", "preview", string(kind), "--language", language)
			if !strings.HasPrefix(out, "Subject: ") || !strings.Contains(out, `<html lang="`+language+`">`) || !strings.Contains(out, "Example") {
				t.Errorf("%s in %s:\n%s", kind, language, out)
			}
		}
	}
	if o := objects(t, s.must("", "mail", "preview", "test", "--language=de", "--format=json")); len(o) != 1 || o[0]["subject"] != "Probe von Example" {
		t.Errorf("an own template: %v", o)
	}
	s.fails(exitMisuse, []string{`there is no kind of mail "hello", but activation, password_reset, `}, "", "mail", "preview", "hello")
	s.fails(exitMisuse, []string{`invalid argument "it" for "--language" flag: must be en or de or fr or es`}, "", "mail", "preview", "test", "--language=it")
	if err := os.WriteFile(file, []byte("{{.Sight}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fails(exitFailure, []string{"ROSTER_MAIL_TEMPLATES: the templates of mails: " + file + ":1:2: {{.Sight}}: no field Sight"}, "", "mail", "preview", "test")
	s.environ = append(s.environ, "ROSTER_MAIL=log:")
	if r := s.run("", "check"); r.code != exitFailure || !strings.HasPrefix(r.stderr, "roster: ROSTER_MAIL_TEMPLATES: the templates of mails: "+file+":1:2: ") {
		t.Errorf("check: %d %q", r.code, r.stderr)
	}
}
