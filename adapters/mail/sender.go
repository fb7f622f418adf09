package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"go.uber.org/zap"

	"roster/adapters/privatefile"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/outbound"
)

// Options are the settings of a Sender.
type Options struct {
	From      string         // the mailbox that mails come from (RFC 5322); it may be "" where no server is asked
	ReplyTo   string         // the mailbox that answers go to; "" for none
	Site      string         // the name of the site in subjects and texts
	Templates string         // a directory with templates that replace built-in ones, see Sender.Preview; "" for none
	ToASCII   user.ToASCII   // of the domains of addresses
	Roots     *x509.CertPool // the authorities that a server's certificate is checked with; nil for those of the system
	Log       *zap.Logger

	// Accepted is called with the answer of a server that accepted a mail, without secrets. It may be nil.
	Accepted func(id mail.ID, answer string)
}

// Sender composes mails and sends them. It is safe for concurrent use.
type Sender struct {
	from, replyTo *netmail.Address // replyTo may be nil
	site          string
	templates     templates
	toASCII       user.ToASCII
	deliver       func(context.Context, outbound.Letter, *gomail.Msg) error
}

var (
	_ outbound.MailSender = (*Sender)(nil)
	_ outbound.MailTexts  = (*Sender)(nil)
)

// The errors of Open about its Options.
var (
	ErrFrom      = errors.New("the mailbox that mails come from")
	ErrReplyTo   = errors.New("the mailbox that answers go to")
	ErrTemplates = errors.New("the templates of mails")
)

// Open returns a sender for where, and fails when where, a mailbox or a template is wrong. It connects to no server. where is
//
//	smtp://USER:PASSWORD@HOST:PORT   a server, over STARTTLS (port 587 unless given), which a server on this machine, at
//	                                 a loopback address, need not offer; or with ?tls=off without TLS (port 25)
//	smtps://USER:PASSWORD@HOST:PORT  a server, over TLS from the beginning (port 465)
//	file:DIR                         one file for each mail, DIR/ID.eml
//	log:                             a line of the log with the link
//	off                              none: Send fails
//
// Errors do not contain the password.
func Open(where string, o Options) (*Sender, error) {
	s, err := Check(where, o)
	if err != nil {
		return nil, err
	}
	if dir, ok := directory(where); ok {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("the directory of mails: %w", err)
		}
	}
	return s, nil
}

// Check is Open without its effect: it makes no directory.
func Check(where string, o Options) (*Sender, error) {
	s := &Sender{site: oneLine(o.Site), toASCII: o.ToASCII}
	if o.From == "" {
		o.From = "roster@localhost" // of files
	}
	var err error
	if s.from, err = s.mailbox(o.From); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrom, err)
	}
	if o.ReplyTo != "" {
		if s.replyTo, err = s.mailbox(o.ReplyTo); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrReplyTo, err)
		}
	}
	if s.templates, err = loadTemplates(o.Templates); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplates, err)
	}
	s.deliver, err = delivery(where, o)
	return s, err
}

var errWhere = errors.New("not a place for mails: want " +
	"smtp://USER:PASSWORD@HOST:PORT (?tls=off for no TLS), smtps://USER:PASSWORD@HOST:PORT " +
	"(in the user name and password, write special characters as %XX), file:DIR, log: or off")

func delivery(where string, o Options) (func(context.Context, outbound.Letter, *gomail.Msg) error, error) {
	u, err := url.Parse(where)
	switch {
	case err != nil:
		return nil, errWhere // the parser's error quotes the password
	case where == "off":
		return off, nil
	case where == "log:":
		return logging(o.Log), nil
	case u.Scheme == "smtp" || u.Scheme == "smtps":
		s, err := newServer(u, o)
		if err != nil {
			return nil, err
		}
		return s.deliver, nil
	}
	if dir, ok := directory(where); ok {
		return filing(dir), nil
	}
	return nil, errWhere
}

// directory returns the directory that where names, if it names one.
func directory(where string) (dir string, ok bool) {
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "file" || u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	dir = u.Opaque + u.Path // one of them is ""
	return dir, dir != ""
}

func off(context.Context, outbound.Letter, *gomail.Msg) error {
	return fmt.Errorf("%w: mail is off", outbound.ErrMailRefused)
}

// logging is the only place where a link may be logged.
func logging(log *zap.Logger) func(context.Context, outbound.Letter, *gomail.Msg) error {
	return func(_ context.Context, l outbound.Letter, _ *gomail.Msg) error {
		fields := []zap.Field{zap.String("kind", string(l.Kind)), zap.String("to", l.To)}
		if l.Link != "" {
			fields = append(fields, zap.String("link", l.Link))
		}
		log.Info("mail", fields...)
		return nil
	}
}

func filing(dir string) func(context.Context, outbound.Letter, *gomail.Msg) error {
	return func(_ context.Context, l outbound.Letter, m *gomail.Msg) error {
		f, err := privatefile.Create(filepath.Join(dir, filepath.Base(string(l.ID))+".eml"))
		if err != nil {
			return err
		}
		if _, err := m.WriteTo(f); err != nil {
			return errors.Join(err, f.Discard())
		}
		return f.Replace()
	}
}

// timeLimit is for one mail, from the connection to the answer.
const timeLimit = 30 * time.Second

// Send implements outbound.MailSender. It gives up after 30 seconds.
func (s *Sender) Send(ctx context.Context, l outbound.Letter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m, err := s.compose(l)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	return s.deliver(ctx, l, m)
}

// compose returns the mail of a letter. It fails with ErrMailRefused when no mail can be sent to the address.
func (s *Sender) compose(l outbound.Letter) (*gomail.Msg, error) {
	to, err := s.mailbox(l.To)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the mail: %w", outbound.ErrMailRefused, err)
	}
	t, err := s.render(l)
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(s.from)
	m.ToMailAddress(&netmail.Address{Address: to.Address})
	if s.replyTo != nil {
		m.ReplyToMailAddress(s.replyTo)
	}
	m.Subject(t.Subject)
	m.SetDateWithValue(l.Queued)
	m.SetMessageIDWithValue(string(l.ID) + "@" + s.from.Address[strings.LastIndexByte(s.from.Address, '@')+1:])
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: programs do not answer it
	m.SetBodyString(gomail.TypeTextPlain, t.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, t.HTML)
	return m, nil
}

// mailbox parses a mailbox and converts its domain to ASCII. Servers without SMTPUTF8 (RFC 6531) accept the result.
func (s *Sender) mailbox(text string) (*netmail.Address, error) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return nil, errMailbox
	}
	domain, end := strings.TrimSuffix(text[at+1:], ">"), ""
	if len(domain) != len(text[at+1:]) {
		end = ">"
	}
	if !strings.HasPrefix(domain, "[") {
		ascii, err := s.toASCII(domain)
		if err != nil {
			return nil, errMailbox
		}
		domain = ascii
	}
	a, err := netmail.ParseAddress(text[:at+1] + domain + end)
	if err != nil || !isASCII(a.Address) {
		return nil, errMailbox
	}
	if ip := strings.Trim(domain, "[]"); ip != domain && net.ParseIP(ip).To4() == nil { // RFC 5321, section 4.1.3
		a.Address = strings.TrimSuffix(a.Address, domain) + "[IPv6:" + ip + "]"
	}
	return a, nil
}

var errMailbox = errors.New("not an address of the form NAME <LOCAL@DOMAIN> or LOCAL@DOMAIN with an ASCII local part")

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// Languages implements outbound.MailTexts.
func (*Sender) Languages() []string { return Languages() }

// Languages returns the languages of the built-in templates.
func Languages() []string {
	var tags []string
	for _, tag := range languages {
		tags = append(tags, tag.String())
	}
	return tags
}

// Preview returns the mail of a kind in a language, with examples for its data. The template of each part is the file
// LANGUAGE/KIND.PART below Options.Templates, or the built-in one; PART is subject, txt or html.
func (s *Sender) Preview(kind mail.Kind, language string) (mail.Text, error) {
	l := example
	l.Kind, l.Languages = kind, []string{language}
	return s.render(l)
}

// example has a value for each field of a template.
var example = outbound.Letter{
	To: "ann@example.com", Link: "https://example.com/account/page/#MQ/token", Lifetime: 24 * time.Hour, Code: "MQ/token",
	Address: "ann.lee@example.com", Detail: "Firefox on Linux, 192.0.2.1", Queued: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
}
