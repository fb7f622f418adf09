package mail

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"roster/domain/mail"
	"roster/ports/outbound"
)

// server is an SMTP server that accepts mails for delivery.
type server struct {
	host     string
	port     int
	implicit bool             // TLS from the beginning, not by STARTTLS
	policy   gomail.TLSPolicy // of STARTTLS
	user     string
	password string
	config   *tls.Config
	accepted func(mail.ID, string) // see Options
}

func newServer(u *url.URL, o Options) (*server, error) {
	s := &server{accepted: o.Accepted, host: u.Hostname(), implicit: u.Scheme == "smtps", policy: gomail.TLSMandatory}
	near, plain := loopback(s.host), u.Query().Get("tls") == "off"
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	s.config = &tls.Config{ServerName: s.host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	switch {
	case s.host == "" || u.Path != "" || u.Fragment != "" || u.Opaque != "":
		return nil, errWhere
	case u.RawQuery != "" && (u.RawQuery != "tls=off" || s.implicit):
		return nil, errors.New("the only option of a mail server is ?tls=off, with smtp")
	case plain && s.user != "" && !near:
		return nil, errors.New("a password for a mail server on another machine needs TLS")
	case s.implicit:
		s.port = 465
	case plain:
		s.port, s.policy = 25, gomail.NoTLS
	case near:
		s.port, s.policy = 587, gomail.TLSOpportunistic
	default:
		s.port = 587
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, errors.New("the port of the mail server is not between 1 and 65535")
		}
		s.port = int(n)
	}
	_, err := s.client(nil)
	return s, err
}

// loopback reports whether a host is this machine: no other machine can read or change what is sent to it.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// client returns a client that connects with dial.
func (s *server) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(timeLimit), gomail.WithTLSConfig(s.config), gomail.WithTLSPolicy(s.policy),
		gomail.WithoutSMTPUTF8(), // addresses are ASCII
	}
	if dial != nil {
		options = append(options, gomail.WithDialContextFunc(dial))
	}
	if s.implicit {
		options = append(options, gomail.WithSSL())
	}
	if s.user != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(s.host, options...)
}

// deliver sends one mail over a connection of its own. It closes the connection when ctx ends and when it returns: go-mail
// leaves it open after some errors, and ends a command that waits for an answer at its own time limit only.
func (s *server) deliver(ctx context.Context, l outbound.Letter, m *gomail.Msg) error {
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	c, err := s.client(func(connecting context.Context, network, address string) (net.Conn, error) {
		opened, err := s.dial(connecting, network, address)
		if err == nil {
			conn = opened
			context.AfterFunc(ctx, func() { _ = opened.Close() })
		}
		return opened, err
	})
	if err != nil {
		return err
	}
	client, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.explain(ctx, l, "connect to the mail server", err)
	}
	if err := client.Mail(bare(m.GetFrom()[0])); err != nil {
		return s.refusal(ctx, l, "MAIL", err)
	}
	if err := client.Rcpt(bare(m.GetTo()[0])); err != nil {
		return s.refusal(ctx, l, "RCPT", err)
	}
	w, err := client.Data()
	if err != nil {
		return s.refusal(ctx, l, "DATA", err)
	}
	if _, err := m.WriteTo(w); err != nil { // without Close, which would end the mail
		return s.explain(ctx, l, "write the mail", err)
	}
	if err := w.Close(); err != nil {
		return s.refusal(ctx, l, "the mail", err)
	}
	if a, ok := w.(interface{ ServerResponse() string }); ok && s.accepted != nil {
		s.accepted(l.ID, s.redact(l, a.ServerResponse()))
	}
	// The mail is accepted. The answer to QUIT says nothing about it.
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_ = client.Quit()
	return nil
}

// bare returns the form of an address for the envelope: <LOCAL@DOMAIN>.
func bare(a *netmail.Address) string { return (&netmail.Address{Address: a.Address}).String() }

// dial connects, with TLS where it begins at once.
func (s *server) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.implicit {
		return (&tls.Dialer{Config: s.config}).DialContext(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// refusal returns an error for an answer about the mail. One that begins with 5 is permanent, except those that ask for a
// sign-in (530, 534, 535, 538): the settings are wrong then, not the mail.
func (s *server) refusal(ctx context.Context, l outbound.Letter, to string, err error) error {
	answer, ok := errors.AsType[*textproto.Error](err)
	explained := s.explain(ctx, l, "the mail server's answer to "+to, err)
	if ok && answer.Code/100 == 5 && answer.Code != 530 && answer.Code != 534 && answer.Code != 535 && answer.Code != 538 {
		return fmt.Errorf("%w: %w", outbound.ErrMailRefused, explained)
	}
	return explained
}

// maxAnswer is how much of the text of an answer is kept, in bytes.
const maxAnswer = 300

// explain returns an error without a secret. An answer may quote the mail, or the password.
func (s *server) explain(ctx context.Context, l outbound.Letter, what string, err error) error {
	answer, ok := errors.AsType[*textproto.Error](err)
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case ok && (answer.Code == 334 || answer.Code >= 534 && answer.Code <= 538):
		return fmt.Errorf("%s: the server refused the user name or the password (%d)", what, answer.Code)
	case ok:
		return fmt.Errorf("%s: %d %s", what, answer.Code, s.redact(l, answer.Msg))
	}
	return fmt.Errorf("%s: %s", what, s.redact(l, err.Error()))
}

// word is what the secrets of a link are made of: a token, in one piece or broken by the lines of a mail.
var word = regexp.MustCompile(`[A-Za-z0-9_-]{8,}`)

// redact returns the beginning of a server's text in one line, without the password and without the words of the link
// and the code.
func (s *server) redact(l outbound.Letter, text string) string {
	if s.password != "" {
		for _, form := range []string{s.password, url.QueryEscape(s.password), base64.StdEncoding.EncodeToString([]byte(s.password)),
			base64.StdEncoding.EncodeToString([]byte("\x00" + s.user + "\x00" + s.password))} {
			text = strings.ReplaceAll(text, form, "...")
		}
	}
	link := l.Link
	if u, err := url.Parse(link); err == nil { // the name of the host is no secret
		link = u.Path + " " + u.RawQuery + " " + u.Fragment
	}
	secrets := word.FindAllString(link+" "+l.Code, -1)
	text = word.ReplaceAllStringFunc(text, func(w string) string {
		for _, secret := range secrets {
			if strings.Contains(secret, w) || strings.Contains(w, secret) {
				return "..."
			}
		}
		return w
	})
	text = oneLine(text)
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer], "") + "..."
	}
	return text
}
