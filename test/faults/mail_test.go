package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/test/support/smtpserver"
)

// mailed are the mails that a service owes: those that acknowledged requests cause.
type mailed struct {
	mu      sync.Mutex
	owed    map[string]bool // by address and subject
	acks    int
	changed chan struct{} // closed at the next acknowledgment
}

const (
	activation = "Account activation on Example"
	reset      = "Password reset on Example"
)

// load registers users and requests links to new passwords, from several clients, until each met an unknown outcome. The
// returned function waits for that.
func (m *mailed) load(url, name string, clients int) (wait func()) {
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for n := 0; ; n++ {
				address := fmt.Sprintf("%s-%d-%d@example.com", name, c, n)
				if !m.ack(address+" "+activation, ask(url, "POST", "/api/users/", "", object{"email": address, "password": password, "first_name": "N", "last_name": "N"})) {
					return
				}
				if !m.ack(address+" "+reset, ask(url, "POST", "/api/users/reset_password/", "", object{"email": address})) {
					return
				}
			}
		})
	}
	return all.Wait
}

func (m *mailed) ack(what string, a answer) bool {
	if a.err != nil || a.status/100 != 2 {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owed[what] = true
	m.acks++
	close(m.changed)
	m.changed = make(chan struct{})
	return true
}

// await returns after n more acknowledgments.
func (m *mailed) await(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for end := m.acks + n; m.acks < end; {
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(bound): // what is missing then is found by the caller
			m.mu.Lock()
			return
		}
		m.mu.Lock()
	}
}

// missing returns how many mails that are owed have not arrived, and how many arrived again.
func (m *mailed) missing(srv *smtpserver.Server) (missing, again int) {
	arrived := map[string]int{}
	for _, mail := range srv.Mails() {
		arrived[mail.To+" "+mail.Subject]++
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for what := range m.owed {
		if arrived[what] == 0 {
			missing++
		}
	}
	for _, n := range arrived {
		again += n - 1
	}
	return missing, again
}

// mailSettings are those of a service that sends mails to srv without limits.
func mailSettings(database string, srv *smtpserver.Server) map[string]string {
	env := settings(database)
	for name, value := range map[string]string{
		"ROSTER_MAIL": "smtp://" + srv.Addr, "ROSTER_MAIL_FROM": "Example <accounts@example.com>", "ROSTER_PUBLIC_URL": "https://id.example.org",
		"ROSTER_MAIL_PER_MINUTE": "0", "ROSTER_MAIL_PER_HOUR": "0", "ROSTER_THROTTLE_MAIL": "off", "ROSTER_EMAIL_VERIFICATION": "optional",
	} {
		env[name] = value
	}
	return env
}

// killedMails kills the service, or the mail server, or both, under load, so many times. After each kill the clock of the
// service goes ahead, over the lease of an attempt and the wait for the next. It returns what it found.
func killedMails(t *testing.T, database, defect string, kills int) (violations []string) {
	t.Helper()
	srv := smtpserver.Start(t, smtpserver.Options{})
	s := withClock(t, defect, mailSettings(database, srv))
	m := &mailed{owed: map[string]bool{}, changed: make(chan struct{})}
	twice := 0
	for n := range kills {
		wait := m.load(s.URL, fmt.Sprint("kill-", n), clients)
		m.await(5 + rand.IntN(30))
		if n%3 != 0 {
			srv.Kill()
		}
		if n%3 == 1 {
			m.await(10) // requests do not wait for the mail server
		}
		s.Kill()
		wait()
		if n%3 != 0 {
			srv.Restart()
		}
		s.set(time.Duration(n+1) * 10 * time.Minute)
		s.Restart()
		eventually(t, "every mail that is owed has arrived", func() bool { missing, _ := m.missing(srv); return missing == 0 })
		_, again := m.missing(srv)
		ends := 1
		if n%3 != 0 {
			ends = 2
		}
		if again > twice+ends {
			violations = append(violations, fmt.Sprintf("kill %d: %d mails arrived again", n, again-twice))
		}
		twice = again
	}
	t.Logf("%d requests acknowledged, %d mails arrived again", m.acks, twice)
	return violations
}

// After a kill of the service, which is the sender too, or of the mail server, the mail of every acknowledged request arrives,
// and at most one of them twice for each kill.
func TestKilledSender(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	for name, short := range map[string]int{"sqlite": 30, "postgres": 3, "mongodb": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			none(t, killedMails(t, databases[name](t), "none", longer(t, short)))
		})
	}
}

// posts sends a request that must be acknowledged.
func posts(t *testing.T, url, path string, body object) {
	t.Helper()
	if a := ask(url, "POST", path, "", body); a.err != nil || a.status/100 != 2 {
		t.Fatalf("%s: %v, status %d: %s", path, a.err, a.status, a.raw)
	}
}

// requested requests a link to a new password and returns when an attempt to send it has begun.
func requested(t *testing.T, s *wrongClock, address string) {
	t.Helper()
	posts(t, s.URL, "/api/users/reset_password/", object{"email": address})
	eventually(t, "an attempt has begun", func() bool {
		return !strings.Contains(s.MustCLI("mail", "list", "--format", "json"), `"attempts":0`)
	})
}

// arrives lets the clock of the service go on until a mail has arrived.
func arrives(t *testing.T, s *wrongClock, srv *smtpserver.Server, address string, ahead *time.Duration) {
	t.Helper()
	eventually(t, "a mail to "+address, func() bool {
		*ahead += time.Minute
		s.set(*ahead)
		return slices.ContainsFunc(srv.Mails(), func(m *smtpserver.Mail) bool { return m.To == address && m.Subject == reset })
	})
	for m := range slices.Values(srv.Mails()) {
		srv.Take(t.Context(), m.To)
	}
}

// However a mail server fails, a request for a mail is answered at once, and the mail arrives when the server is well again, or
// is reported as given up.
func TestMailServers(t *testing.T) {
	t.Parallel()
	srv := smtpserver.Start(t, smtpserver.Options{})
	env := mailSettings("sqlite:", srv)
	env["ROSTER_EMAIL_VERIFICATION"] = "off"
	srv.Kill() // it is not there at the start
	s := withClock(t, "none", env)
	const ann, joerg = "ann@example.com", "joerg@bücher.example"
	for _, address := range []string{ann, joerg} {
		posts(t, s.URL, "/api/users/", object{"email": address, "password": password, "first_name": "Jörg\r\nBcc: eve@example.net", "last_name": "李"})
	}
	var ahead time.Duration
	requested(t, s, ann)
	srv.Restart()
	arrives(t, s, srv, ann, &ahead)

	for name, f := range map[string]smtpserver.Fault{
		"slow greeting":    {Stage: smtpserver.Greeting, Stall: true},
		"slow answer":      {Stage: smtpserver.DATA, Stall: true},
		"busy":             {Stage: smtpserver.Greeting, Code: 421, Text: "busy"},
		"greylisting":      {Stage: smtpserver.RCPT, Code: 451, Text: "later", First: true},
		"deferred":         {Stage: smtpserver.DATA, Code: 452, Text: "full"},
		"cut at greeting":  {Stage: smtpserver.Greeting, Cut: true},
		"cut at MAIL":      {Stage: smtpserver.MAIL, Cut: true},
		"cut at RCPT":      {Stage: smtpserver.RCPT, Cut: true},
		"cut at the end":   {Stage: smtpserver.DATA, Cut: true},
		"sign-in is asked": {Stage: smtpserver.MAIL, Code: 530, Text: "sign in"},
	} {
		srv.Fail(f)
		requested(t, s, ann)
		if !f.First {
			srv.Kill() // ends what stalls
			srv.Fail(smtpserver.Fault{})
			srv.Restart()
		}
		arrives(t, s, srv, ann, &ahead)
		t.Log(name, "is survived")
	}

	requested(t, s, joerg)
	arrives(t, s, srv, "joerg@xn--bcher-kva.example", &ahead)

	srv.Fail(smtpserver.Fault{Stage: smtpserver.RCPT, Code: 550, Text: "no such mailbox"})
	requested(t, s, ann)
	s.AwaitLog("a mail was given up")
	failed := s.MustCLI("mail", "list", "--state", "failed", "--format", "json")
	if !strings.Contains(failed, "no such mailbox") || strings.Count(failed, "\n") != 1 {
		t.Fatalf("%s", failed)
	}
	srv.Fail(smtpserver.Fault{})
	var row struct{ ID string }
	if err := json.Unmarshal([]byte(failed), &row); err != nil {
		t.Fatal(err)
	}
	s.MustCLI("mail", "retry", row.ID)
	arrives(t, s, srv, ann, &ahead)
}

// A mail server whose certificate is wrong gets no mail, and the queue shows why.
func TestMailServerWithAWrongCertificate(t *testing.T) {
	t.Parallel()
	srv := smtpserver.Start(t, smtpserver.Options{TLS: smtpserver.StartTLS, Name: "other.example"})
	env := mailSettings("sqlite:", srv)
	env["ROSTER_EMAIL_VERIFICATION"] = "off"
	s := withClock(t, "none", env)
	posts(t, s.URL, "/api/users/", object{"email": "ann@example.com", "password": password, "first_name": "N", "last_name": "N"})
	requested(t, s, "ann@example.com")
	eventually(t, "the reason is shown", func() bool {
		return strings.Contains(s.MustCLI("mail", "list", "--state", "waiting", "--format", "json"), "certificate")
	})
	if n := srv.Attempts(); n != 0 {
		t.Errorf("%d mails were begun", n)
	}
}
