package mail

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"roster/domain/mail"
	"roster/ports/outbound"
	"roster/test/support/smtpserver"
)

const token = "dir5c0-c6fdc5f63cbb3603cb090681f7748e93"

// ascii knows one international domain.
func ascii(domain string) (string, error) {
	if domain == "bücher.example" {
		return "xn--bcher-kva.example", nil
	}
	if !isASCII(domain) || domain == "" {
		return "", errors.New("no domain")
	}
	return strings.ToLower(domain), nil
}

func options(t *testing.T) Options {
	t.Helper()
	return Options{From: "Example <accounts@example.com>", Site: "Example", ToASCII: ascii, Log: zap.NewNop()}
}

func sender(t *testing.T, where string, o Options) *Sender {
	t.Helper()
	s, err := Open(where, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var queued = time.Date(2026, 11, 28, 12, 34, 56, 0, time.UTC)

func letter() outbound.Letter {
	return outbound.Letter{
		ID: "01a208b2-6e2d-7c91-a437-c100ad54b0ef", Kind: mail.PasswordReset, To: "ann@example.org",
		Link: "http://app.example.com/#/password/reset/confirm/MQ/" + token, Queued: queued,
	}
}

// to returns the setting for a server, and the options that trust its certificate.
func to(t *testing.T, srv *smtpserver.Server, form string) (string, Options) {
	t.Helper()
	o := options(t)
	o.Roots = srv.Roots
	return strings.ReplaceAll(form, "HOST", srv.Addr), o
}

const plain = "smtp://HOST?tls=off"

func TestMailOverSMTP(t *testing.T) {
	for name, c := range map[string]struct {
		server smtpserver.Options
		where  string
	}{
		"plain":                  {smtpserver.Options{}, plain},
		"plain, on this machine": {smtpserver.Options{}, "smtp://HOST"},
		"plain, with a password": {smtpserver.Options{User: "ann", Password: "s3cret"}, "smtp://ann:s3cret@HOST?tls=off"},
		"STARTTLS":               {smtpserver.Options{TLS: smtpserver.StartTLS}, "smtp://HOST"},
		"STARTTLS and password":  {smtpserver.Options{TLS: smtpserver.StartTLS, User: "ann", Password: "s/3:c@ret"}, "smtp://ann:" + url.QueryEscape("s/3:c@ret") + "@HOST"},
		"TLS":                    {smtpserver.Options{TLS: smtpserver.Implicit}, "smtps://HOST"},
		"TLS and a password":     {smtpserver.Options{TLS: smtpserver.Implicit, User: "ann", Password: "s3cret"}, "smtps://ann:s3cret@HOST"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := smtpserver.Start(t, c.server)
			where, o := to(t, srv, c.where)
			o.ReplyTo = "help@example.com"
			s := sender(t, where, o)
			for range 2 { // a mail that is sent again has the same Message-ID
				if err := s.Send(t.Context(), letter()); err != nil {
					t.Fatal(err)
				}
			}
			mails := srv.Mails()
			if len(mails) != 2 {
				t.Fatalf("%d mails", len(mails))
			}
			for _, m := range mails {
				for header, want := range map[string]string{
					"Message-ID": "<01a208b2-6e2d-7c91-a437-c100ad54b0ef@example.com>", "Auto-Submitted": "auto-generated",
					"Date": "Sat, 28 Nov 2026 12:34:56 +0000", "To": "<ann@example.org>", "Reply-To": "<help@example.com>",
				} {
					if got := m.Header[header]; len(got) == 0 {
						got = m.Header["Message-Id"]
						if header != "Message-ID" || len(got) != 1 || got[0] != want {
							t.Errorf("%s: %q", header, got)
						}
					} else if len(got) != 1 || got[0] != want {
						t.Errorf("%s: %q, want %q", header, got, want)
					}
				}
				if m.From != "Example <accounts@example.com>" || m.Sender != "accounts@example.com" || m.Recipients[0] != "ann@example.org" {
					t.Errorf("%+v", m)
				}
				if m.Subject != "Password reset on Example" || m.Text != djosersReset || !strings.Contains(m.HTML, `<a href="`+letter().Link+`">`) {
					t.Errorf("%q\n%s\n%s", m.Subject, m.Text, m.HTML)
				}
			}
		})
	}
}

// djosersReset is the text that djoser 2.1.0 sends.
const djosersReset = `You're receiving this email because you requested a password reset for your user account at Example.

Please go to the following page and choose a new password:
http://app.example.com/#/password/reset/confirm/MQ/` + token + `
Your username, in case you've forgotten: ann@example.org

Thanks for using our site!

The Example team`

// A server that answers with 5 about a mail refuses it for good. All else is tried again. No error has a secret in it, even
// where the server quotes it.
func TestFaultsOfServers(t *testing.T) {
	const password = "s3cret"
	quoting := "no: " + password + " " + base64.StdEncoding.EncodeToString([]byte(password)) + " " + letter().Link + " x" + token + " {body}"
	for name, c := range map[string]struct {
		server  smtpserver.Options
		where   string
		fault   smtpserver.Fault
		refused bool
		part    string // of the error
	}{
		"sender refused":      {fault: smtpserver.Fault{Stage: smtpserver.MAIL, Code: 550, Text: "not you"}, refused: true, part: "550 not you"},
		"sign-in wanted":      {fault: smtpserver.Fault{Stage: smtpserver.MAIL, Code: 530, Text: "sign in"}, part: "530"},
		"recipient refused":   {fault: smtpserver.Fault{Stage: smtpserver.RCPT, Code: 550, Text: "no such user"}, refused: true, part: "550 no such user"},
		"mail refused":        {fault: smtpserver.Fault{Stage: smtpserver.DATA, Code: 554, Text: quoting}, refused: true, part: "554 no: "},
		"greylisted":          {fault: smtpserver.Fault{Stage: smtpserver.RCPT, Code: 451, Text: "later"}, part: "451 later"},
		"mail deferred":       {fault: smtpserver.Fault{Stage: smtpserver.DATA, Code: 452, Text: quoting}, part: "452 no: "},
		"busy":                {fault: smtpserver.Fault{Stage: smtpserver.Greeting, Code: 421, Text: "busy"}, part: "421 busy"},
		"blocked":             {fault: smtpserver.Fault{Stage: smtpserver.Greeting, Code: 554, Text: "go away"}, part: "554 go away"},
		"cut at the greeting": {fault: smtpserver.Fault{Stage: smtpserver.Greeting, Cut: true}, part: "connect"},
		"cut at MAIL":         {fault: smtpserver.Fault{Stage: smtpserver.MAIL, Cut: true}, part: "MAIL"},
		"cut at DATA":         {fault: smtpserver.Fault{Stage: smtpserver.DATA, Cut: true}, part: "the mail"},
		"wrong name":          {server: smtpserver.Options{TLS: smtpserver.StartTLS, Name: "other.example"}, where: "smtp://HOST", part: "certificate"},
		"wrong name, TLS":     {server: smtpserver.Options{TLS: smtpserver.Implicit, Name: "other.example"}, where: "smtps://HOST", part: "certificate"},
		"no TLS":              {where: "smtps://HOST", part: "tls"},
		"wrong password": {
			server: smtpserver.Options{TLS: smtpserver.StartTLS, User: "ann", Password: "another"}, where: "smtp://ann:" + password + "@HOST", part: "535",
		},
		"no sign-in there": {server: smtpserver.Options{TLS: smtpserver.StartTLS}, where: "smtp://ann:" + password + "@HOST", part: "AUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := smtpserver.Start(t, c.server)
			if c.where == "" {
				c.where = "smtp://ann:" + password + "@HOST?tls=off"
				if c.fault.Code != 530 {
					srv.Kill()
					srv = smtpserver.Start(t, smtpserver.Options{User: "ann", Password: password})
				} else {
					c.where = plain
				}
			}
			srv.Fail(c.fault)
			s := sender(t, first(to(t, srv, c.where)), second(to(t, srv, c.where)))
			err := s.Send(t.Context(), letter())
			if err == nil || errors.Is(err, outbound.ErrMailRefused) != c.refused || !strings.Contains(err.Error(), c.part) {
				t.Fatalf("%v", err)
			}
			for _, leaked := range []string{token, token[7:20], password, base64.StdEncoding.EncodeToString([]byte(password))} {
				if strings.Contains(err.Error(), leaked) {
					t.Errorf("%q is in: %v", leaked, err)
				}
			}
			if strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 600 {
				t.Errorf("not one short line: %q", err)
			}
			srv.Fail(smtpserver.Fault{})
			if err := s.Send(t.Context(), letter()); c.fault.Stage != "" && err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

func first(where string, _ Options) string     { return where }
func second(_ string, options Options) Options { return options }

// A server needs STARTTLS, unless it is on this machine. A password is never sent to another machine without TLS.
func TestSTARTTLS(t *testing.T) {
	for host, near := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.10": true, "[::1]": true, "mail.example.com": false, "192.0.2.1": false, "localhost.example.com": false,
		"127.0.0.1.example.com": false, "[2001:db8::1]": false, "0.0.0.0": false,
	} {
		u := &url.URL{Scheme: "smtp", Host: host}
		s, err := newServer(u, Options{})
		if want := map[bool]gomail.TLSPolicy{true: gomail.TLSOpportunistic, false: gomail.TLSMandatory}[near]; err != nil || s.policy != want {
			t.Errorf("%s: %v, %v, want %v", host, s.policy, err, want)
		}
		u.User, u.RawQuery = url.UserPassword("ann", "s3cret"), "tls=off"
		if _, err := newServer(u, Options{}); (err == nil) != near {
			t.Errorf("%s with a password, without TLS: %v", host, err)
		}
	}

	srv := smtpserver.Start(t, smtpserver.Options{})
	u, err := url.Parse("smtp://" + srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(u, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.policy = gomail.TLSMandatory // as for another machine
	m, err := sender(t, "off", options(t)).compose(letter())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.deliver(t.Context(), letter(), m); err == nil || !strings.Contains(err.Error(), "STARTTLS") || srv.Attempts() != 0 {
		t.Errorf("without STARTTLS: %v, %d mails begun", err, srv.Attempts())
	}
}

// A certificate of an unknown authority is refused, and the mail sent once the authority is known.
func TestUnknownAuthority(t *testing.T) {
	srv := smtpserver.Start(t, smtpserver.Options{TLS: smtpserver.StartTLS})
	where, o := to(t, srv, "smtp://HOST")
	o.Roots = x509.NewCertPool()
	err := sender(t, where, o).Send(t.Context(), letter())
	if err == nil || errors.Is(err, outbound.ErrMailRefused) || !strings.Contains(err.Error(), "unknown authority") || srv.Attempts() != 0 {
		t.Errorf("%v, %d mails begun", err, srv.Attempts())
	}
}

func TestGreylisting(t *testing.T) {
	srv := smtpserver.Start(t, smtpserver.Options{})
	srv.Fail(smtpserver.Fault{Stage: smtpserver.RCPT, Code: 451, Text: "greylisted", First: true})
	s := sender(t, first(to(t, srv, plain)), options(t))
	if err := s.Send(t.Context(), letter()); err == nil || errors.Is(err, outbound.ErrMailRefused) {
		t.Errorf("the first attempt: %v", err)
	}
	if err := s.Send(t.Context(), letter()); err != nil || srv.Take(t.Context(), "ann@example.org") == nil {
		t.Errorf("the second attempt: %v", err)
	}
}

// A server that does not answer, at any stage, holds Send no longer than its context.
func TestSlowServer(t *testing.T) {
	for _, stage := range []smtpserver.Stage{smtpserver.Greeting, smtpserver.MAIL, smtpserver.RCPT, smtpserver.DATA} {
		srv := smtpserver.Start(t, smtpserver.Options{})
		srv.Fail(smtpserver.Fault{Stage: stage, Stall: true})
		s := sender(t, first(to(t, srv, plain)), options(t))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		if err := s.Send(ctx, letter()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > timeLimit/2 {
			t.Errorf("%s: after %v: %v", stage, time.Since(began), err)
		}
		cancel()
		if err := s.Send(ctx, letter()); err == nil {
			t.Errorf("%s: sent with a context that has ended", stage)
		}
	}
}

// A server that is killed and started again gets the next attempt.
func TestServerThatRestarts(t *testing.T) {
	srv := smtpserver.Start(t, smtpserver.Options{})
	s := sender(t, first(to(t, srv, plain)), options(t))
	srv.Kill()
	if err := s.Send(t.Context(), letter()); err == nil || errors.Is(err, outbound.ErrMailRefused) {
		t.Errorf("no server: %v", err)
	}
	srv.Restart()
	if err := s.Send(t.Context(), letter()); err != nil || len(srv.Mails()) != 1 {
		t.Errorf("%v, %d mails", err, len(srv.Mails()))
	}
}

// Addresses reach the server as RFC 5321 has them: quoted local parts, domains in ASCII, address literals.
func TestAddresses(t *testing.T) {
	srv := smtpserver.Start(t, smtpserver.Options{})
	o := options(t)
	o.From, o.Site = `"Bücher & Söhne, GmbH" <konto@bücher.example>`, "Bücher & Söhne"
	s := sender(t, first(to(t, srv, plain)), o)
	for address, want := range map[string]string{
		"member@bücher.example":     "<member@xn--bcher-kva.example>",
		`"ann lee"@example.org`:     `<"ann lee"@example.org>`,
		`"ann@lee"@example.org`:     `<"ann@lee"@example.org>`,
		`"a\"b\\c"@example.org`:     `<"a\"b\\c"@example.org>`,
		"o'neil+x@example.org":      "<o'neil+x@example.org>",
		"=?utf-8?q?x?=@example.org": "<=?utf-8?q?x?=@example.org>",
		"ann@[192.0.2.1]":           "<ann@[192.0.2.1]>",
		"ann@[2001:db8::1]":         "<ann@[IPv6:2001:db8::1]>",
		"a-rather-long-name-of-sixty-four-characters-is-folded-nowhere-here@example.org": "<a-rather-long-name-of-sixty-four-characters-is-folded-nowhere-here@example.org>",
	} {
		l := letter()
		l.To = address
		if err := s.Send(t.Context(), l); err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		raw := srv.Mails()[len(srv.Mails())-1].Raw
		if !strings.Contains(raw, "\r\nTo: "+want+"\r\n") && !strings.Contains(raw, "\r\nTo:\r\n "+want+"\r\n") {
			t.Errorf("%s:\n%s", address, raw)
		}
	}
	m := srv.Mails()[0]
	if m.From != "Bücher & Söhne, GmbH <konto@xn--bcher-kva.example>" || m.Sender != "konto@xn--bcher-kva.example" || m.Subject != "Password reset on Bücher & Söhne" {
		t.Errorf("%q, %q, %q", m.From, m.Sender, m.Subject)
	}
	if !isASCII(m.Raw) {
		t.Errorf("not ASCII:\n%s", m.Raw)
	}
	if !strings.Contains(m.Text, "at Bücher & Söhne.") || !strings.Contains(m.HTML, "at Bücher &amp; Söhne.") {
		t.Errorf("%s\n%s", m.Text, m.HTML)
	}
}

// Nothing that comes from a user, or from the settings, adds a header, a recipient or a line.
func TestHeaderInjection(t *testing.T) {
	const evil = "x\r\nBcc: eve@example.net\r\n\r\nbody"
	srv := smtpserver.Start(t, smtpserver.Options{})
	o := options(t)
	o.Site = "Example" + evil
	o.From = "=?utf-8?q?Ex=0D=0ABcc=3A_eve=40example.net?= <accounts@example.com>"
	s := sender(t, first(to(t, srv, plain)), o)
	for _, kind := range mail.Kinds() {
		l := letter()
		l.Kind, l.Address, l.Detail, l.Code = kind, "new@example.org"+evil, "Browser"+evil+"\n.\r\nQUIT", "MQ/"+token
		l.Languages = []string{evil, "de" + evil}
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		m := srv.Mails()[len(srv.Mails())-1]
		if len(m.Recipients) != 1 || m.Header.Get("Bcc") != "" || strings.ContainsAny(m.Subject, "\r\n") || strings.Contains(m.Text, "\nBcc") {
			t.Errorf("%s: %+v", kind, m)
		}
	}
	for _, address := range []string{"ann@example.org\r\nBcc: eve@example.net", "ann@example.org>\r\nRCPT TO:<eve@example.net", "ann\r\n@example.org", `"ann` + "\r\n" + `"@example.org`, "ann@example.org, eve@example.net", "", "ann", "é@example.org"} {
		l := letter()
		l.To = address
		n := srv.Attempts()
		if err := s.Send(t.Context(), l); !errors.Is(err, outbound.ErrMailRefused) || srv.Attempts() != n {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// A file has one mail. No other user can read it, and a repeated sending replaces it.
func TestMailInFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "mails")
	s := sender(t, "file:"+dir, options(t))
	for range 2 {
		if err := s.Send(t.Context(), letter()); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != string(letter().ID)+".eml" {
		t.Fatalf("%v, %v", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := smtpserver.Parse(raw); err != nil || m.Text != djosersReset || m.To != "ann@example.org" {
		t.Errorf("%v: %s", err, raw)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), letter()); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, outbound.ErrMailRefused) {
		t.Errorf("without the directory: %v", err)
	}
}

func TestMailInTheLog(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	o := options(t)
	o.Log = zap.New(core)
	s := sender(t, "log:", o)
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	all := logs.All()
	if len(all) != 1 {
		t.Fatalf("%d lines", len(all))
	}
	f := all[0].ContextMap()
	if f["kind"] != "password_reset" || f["to"] != "ann@example.org" || f["link"] != letter().Link {
		t.Errorf("%v", f)
	}
}

func TestMailOff(t *testing.T) {
	if err := sender(t, "off", options(t)).Send(t.Context(), letter()); !errors.Is(err, outbound.ErrMailRefused) {
		t.Errorf("%v", err)
	}
}

// Wrong settings are found at the start. The error has no password in it.
func TestRefusedSettings(t *testing.T) {
	for _, where := range []string{
		"", "on", "log", "log:x", "file:", "file://host/dir", "smtp:", "smtp://", "smtp://:25", "smtp://h:0", "smtp://h:99999", "smtp://h/path", "smtp://h#x",
		"smtp://h?tls=on", "smtp://h?tls=off&x=1", "smtps://h?tls=off", "smtp://ann:s3cret@mail.example.com?tls=off", "http://h", "smtp://ann:s3cret@h:port", "smtp://ann:s3cret%zz@h",
	} {
		if _, err := Open(where, options(t)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", where, err)
		}
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.From = "Example" },
		func(o *Options) { o.From = "a@b.example, c@d.example" },
		func(o *Options) { o.From = "é@example.com" },
		func(o *Options) { o.ReplyTo = "<a@b.example" },
		func(o *Options) { o.Templates = filepath.Join(t.TempDir(), "none") },
	} {
		o := options(t)
		change(&o)
		if _, err := Open("log:", o); err == nil {
			t.Errorf("%+v", o)
		}
	}
}
