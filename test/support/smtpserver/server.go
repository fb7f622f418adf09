package smtpserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// TLS is how a server encrypts.
type TLS int

// The values of TLS.
const (
	NoTLS    TLS = iota
	StartTLS     // by the command STARTTLS
	Implicit     // from the beginning
)

// Options are what a server is started with.
type Options struct {
	TLS      TLS
	Name     string // that its certificate is for; "" for 127.0.0.1 and localhost
	User     string // that has to sign in, with Password; "" for none
	Password string
}

// Stage is a command that a server answers.
type Stage string

// The stages.
const (
	Greeting Stage = "greeting" // the first line, before any command
	MAIL     Stage = "MAIL"
	RCPT     Stage = "RCPT"
	DATA     Stage = "DATA" // the end of the mail
)

// Fault is what a server does instead of a good answer. The zero value is none.
type Fault struct {
	Stage  Stage
	Code   int    // of the answer, such as 451 or 550; 0 for none
	Text   string // of the answer; {body} in it stands for the mail
	Cut    bool   // the connection is cut; at DATA, after the mail was kept
	Stall  bool   // no answer comes until the client or the server ends the connection
	First  bool   // only for the first attempt with each recipient, as greylisting does
	Remote string // only for recipients that contain it; "" for all
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	Addr  string         // HOST:PORT, the same after Restart
	Roots *x509.CertPool // with its certificate
	PEM   []byte         // its certificate, for SSL_CERT_FILE

	t       testing.TB
	options Options
	config  *tls.Config

	mu       sync.Mutex // guards the following
	running  *smtp.Server
	listener *listener
	fault    Fault
	tried    map[string]bool
	kept     []*Mail
	attempts int
	changed  chan struct{} // closed at each new mail
}

// Start starts a server on a free port of 127.0.0.1. It ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, options: o, tried: map[string]bool{}, changed: make(chan struct{})}
	if o.TLS != NoTLS {
		s.certify()
	}
	s.serve("127.0.0.1:0")
	t.Cleanup(s.Kill)
	return s
}

// Kill ends the server and cuts all connections.
func (s *Server) Kill() {
	s.mu.Lock()
	running, l := s.running, s.listener
	s.running = nil
	s.mu.Unlock()
	if running != nil {
		_ = running.Close()
		_ = l.Close() // Serve may not have begun
		l.cut()
	}
}

// Restart starts the server again on the same port after Kill. It has its mails still.
func (s *Server) Restart() { s.serve(s.Addr) }

func (s *Server) serve(address string) {
	s.t.Helper()
	inner, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.Addr == "" {
		s.Addr = inner.Addr().String()
	}
	l := &listener{Listener: inner, server: s}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	srv.ErrorLog = log.New(io.Discard, "", 0)
	srv.Domain = "mail.test"
	srv.AllowInsecureAuth = true
	srv.MaxMessageBytes = 10 << 20
	var listening net.Listener = l
	switch s.options.TLS {
	case StartTLS:
		srv.TLSConfig = s.config
	case Implicit:
		listening = tls.NewListener(l, s.config)
	case NoTLS:
	}
	s.mu.Lock()
	s.running, s.listener = srv, l
	s.mu.Unlock()
	go func() { _ = srv.Serve(listening) }()
}

// Fail sets what goes wrong from now on. Fail(Fault{}) ends it.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.tried = f, map[string]bool{}
}

// Attempts returns how many mails were begun.
func (s *Server) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

// Mails returns the mails that were kept and not taken, the oldest first.
func (s *Server) Mails() []*Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// Take waits for a mail to an address, removes it and returns it. Addresses are compared without regard to case; the domain
// is ASCII. It returns nil when ctx ends before.
func (s *Server) Take(ctx context.Context, to string) *Mail {
	for {
		s.mu.Lock()
		i := slices.IndexFunc(s.kept, func(m *Mail) bool {
			return slices.ContainsFunc(m.Recipients, func(r string) bool { return strings.EqualFold(r, to) })
		})
		if i >= 0 {
			m := s.kept[i]
			s.kept = slices.Delete(s.kept, i, i+1)
			s.mu.Unlock()
			return m
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Server) keep(m *Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, m)
	close(s.changed)
	s.changed = make(chan struct{})
}

// at returns the fault of a stage, if it applies to the recipients.
func (s *Server) at(stage Stage, recipients ...string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fault
	about := func(r string) bool { return strings.Contains(r, f.Remote) }
	if f.Stage != stage || f.Remote != "" && !slices.ContainsFunc(recipients, about) {
		return Fault{}
	}
	if key := strings.Join(recipients, ","); f.First {
		if s.tried[key] {
			return Fault{}
		}
		s.tried[key] = true
	}
	return f
}

// listener fails before the first command.
type listener struct {
	net.Listener
	server *Server

	mu      sync.Mutex
	stalled []net.Conn
}

// Accept returns the next connection that gets a greeting.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		switch f := l.server.at(Greeting); {
		case f.Stage == "":
			return c, nil
		case f.Stall:
			l.mu.Lock()
			l.stalled = append(l.stalled, c)
			l.mu.Unlock()
			continue
		case f.Code != 0:
			_, _ = fmt.Fprintf(c, "%d %s\r\n", f.Code, f.Text)
		}
		_ = c.Close()
	}
}

// cut closes the connections without a greeting.
func (l *listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.stalled {
		_ = c.Close()
	}
}

// session is one connection of go-smtp.
type session struct {
	server *Server
	conn   *smtp.Conn
	signed bool
	from   string
	to     []string
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.server.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.options.User || password != s.server.options.Password {
			return smtp.ErrAuthFailed
		}
		s.signed = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.server.mu.Lock()
	s.server.attempts++
	s.server.mu.Unlock()
	if s.server.options.User != "" && !s.signed {
		return &smtp.SMTPError{Code: 530, Message: "sign in first"}
	}
	s.from = from
	return s.fail(s.server.at(MAIL), "")
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return s.fail(s.server.at(RCPT, to), "")
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f := s.server.at(DATA, s.to...)
	if f.Stage == "" || f.Cut {
		m, err := parse(s.from, s.to, raw)
		if err != nil {
			return &smtp.SMTPError{Code: 554, Message: err.Error()}
		}
		s.server.keep(m)
	}
	return s.fail(f, string(raw))
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

var errCut = errors.New("the connection was cut")

// fail does what f says.
func (s *session) fail(f Fault, body string) error {
	switch {
	case f.Stage == "":
		return nil
	case f.Cut:
		_ = s.conn.Conn().Close()
		return errCut
	case f.Stall:
		_, _ = s.conn.Conn().Read(make([]byte, 1)) // the client sends nothing before an answer: it returns when the connection ends
		return errCut
	}
	return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.NoEnhancedCode, Message: strings.ReplaceAll(f.Text, "{body}", body)}
}
