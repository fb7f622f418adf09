package bootstrap

import (
	"context"
	"errors"
	"net/url"

	"go.uber.org/zap"

	"roster/adapters/idna"
	"roster/adapters/mail"
	"roster/adapters/storage"
	"roster/adapters/system"
	"roster/application"
	"roster/bootstrap/config"
	domainmail "roster/domain/mail"
	"roster/ports/inbound"
)

// AdministerMails runs do with the operator's use cases on the queue of mails, which a running instance may be using at the
// same time. SendTest is not one of them, see SendTestMail.
func AdministerMails(ctx context.Context, cfg config.Config, access Access, do func(context.Context, inbound.MailQueue) error) (err error) {
	b, closeIt, err := openStorage(ctx, cfg, cfg.Database, storage.Options{Access: access})
	if err != nil {
		return located(cfg, started(cfg, err))
	}
	defer func() { err = errors.Join(err, closeIt()) }()
	return do(ctx, application.NewMailQueue(application.Ports{Mails: b.Mails(), Clock: system.Clock{}}, nil))
}

// SendTestMail sends a mail to an address with the settings, without the queue and the database, and returns what became
// of it: the answer of the server, or the directory of the file.
func SendTestMail(ctx context.Context, cfg config.Config, address string) (outcome string, err error) {
	switch cfg.MailScheme() {
	case config.Off:
		return "", MailIsOff(cfg)
	case "log":
		return "", errors.New("mail is log: (the default): the service writes mails to its log; name a server with mail")
	case "file":
		outcome = "The mail went " + MailState(cfg) + "."
	}
	o := mailOptions(cfg, zap.NewNop())
	o.Accepted = func(_ domainmail.ID, answer string) { outcome = "The server accepted the mail: " + answer }
	s, err := mail.Open(cfg.MailURL(), o)
	if err != nil {
		return "", aboutMail(cfg, err)
	}
	p := application.Ports{Domains: idna.Domains{}, MailIDs: system.UUIDs{}, Clock: system.Clock{}}
	err = application.NewMailQueue(p, s).SendTest(ctx, address) // calls Accepted
	return outcome, err
}

// MailIsOff returns an error that says why no mail is sent, or nil when mail is on.
func MailIsOff(cfg config.Config) error {
	if cfg.MailScheme() == config.Off {
		return errors.New("mail is " + MailState(cfg))
	}
	return nil
}

// MailState says in a few words where mails go. It contains no password.
func MailState(cfg config.Config) string {
	u, err := url.Parse(cfg.MailURL())
	switch scheme := cfg.MailScheme(); {
	case scheme == config.Off && cfg.LinkBase() == "":
		return "off: the service is open to the network, and there is no public_url that links could begin with"
	case scheme == config.Off || err != nil:
		return "off, by the setting mail"
	case scheme == "log":
		return "to the log, with the links"
	case scheme == "file":
		return "to files in " + u.Opaque + u.Path
	}
	return "to the server " + u.Host
}

// PreviewMail returns the mail of a kind in a language of MailLanguages, from the templates of the settings and with
// examples for its data. It works with mail off.
func PreviewMail(cfg config.Config, kind domainmail.Kind, language string) (domainmail.Text, error) {
	s, err := textsOnly(cfg)
	if err != nil {
		return domainmail.Text{}, err
	}
	return s.Preview(kind, language)
}

// MailLanguages returns the languages of mails.
func MailLanguages() []string { return mail.Languages() }
