package bootstrap

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"slices"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/idna"
	"roster/adapters/linktoken"
	"roster/adapters/mail"
	"roster/adapters/signingkeys"
	"roster/application"
	"roster/bootstrap/config"
	"roster/domain/audit"
	"roster/domain/link"
	domainmail "roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// mailModule makes the service send mails, and serve the use cases of mailed links. It is empty when mail is off.
func mailModule(cfg config.Config) fx.Option {
	if cfg.MailScheme() == config.Off {
		return fx.Provide(func() outbound.LinkTokens { return nil })
	}
	return fx.Module("mail",
		fx.Provide(
			linkTokens, openMail,
			fx.Annotate(application.NewLinks, fx.As(new(inbound.Links))),
			func(p application.Ports, s application.Settings, sender outbound.MailSender, log *zap.Logger) *application.Delivery {
				return application.NewDelivery(p, s, sender, mailFailed(log))
			}),
		fx.Invoke(func(lc fx.Lifecycle, d *application.Delivery, log *zap.Logger) {
			every(lc, application.DeliverInterval, func(ctx context.Context) {
				if err := d.Deliver(inbound.WithOrigin(ctx, inbound.Origin{Channel: audit.Delivery})); err != nil && ctx.Err() == nil {
					log.Warn("mails could not be sent; they stay in the queue", zap.Error(err))
				}
			})
		}))
}

// mailFailed returns the function that reports a mail that was given up.
func mailFailed(log *zap.Logger) func(domainmail.Snapshot) {
	return func(m domainmail.Snapshot) {
		log.Error("a mail was given up; roster mail retry sends it again",
			zap.String("id", string(m.ID)), zap.String("kind", string(m.Kind)), zap.Int("attempts", m.Attempts), zap.String("reason", m.Reason))
	}
}

// openMail opens the sender of the settings.
func openMail(cfg config.Config, log *zap.Logger) (outbound.MailSender, error) {
	o := mailOptions(cfg, log)
	o.Accepted = func(id domainmail.ID, answer string) {
		log.Debug("the mail server accepted a mail", zap.String("id", string(id)), zap.String("answer", answer))
	}
	s, err := mail.Open(cfg.MailURL(), o)
	if err != nil {
		return nil, aboutMail(cfg, err)
	}
	return s, nil
}

// checkMail finds what would make openMail fail.
func checkMail(cfg config.Config) error {
	_, err := mail.Check(cfg.MailURL(), mailOptions(cfg, zap.NewNop()))
	return aboutMail(cfg, err)
}

func mailOptions(cfg config.Config, log *zap.Logger) mail.Options {
	return mail.Options{
		From: cfg.MailFrom, ReplyTo: cfg.MailReplyTo, Site: site(cfg), Templates: cfg.MailTemplates, ToASCII: idna.Domains{}.ToASCII, Log: log,
	}
}

// aboutMail adds to an error of the sender the setting that it is about.
func aboutMail(cfg config.Config, err error) error {
	switch {
	case errors.Is(err, mail.ErrFrom):
		return named(cfg, "mail_from", err)
	case errors.Is(err, mail.ErrReplyTo):
		return named(cfg, "mail_reply_to", err)
	case errors.Is(err, mail.ErrTemplates):
		return named(cfg, "mail_templates", err)
	}
	return named(cfg, "mail", err)
}

// site returns the name of the site in mails: that of the sender, else the host of links.
func site(cfg config.Config) string {
	if from, err := netmail.ParseAddress(cfg.MailFrom); err == nil && from.Name != "" {
		return from.Name
	}
	if u, err := url.Parse(cfg.LinkBase()); err == nil {
		return u.Host
	}
	return ""
}

func linkTokens(cfg config.Config, keys signingkeys.Source) outbound.LinkTokens {
	native := linktoken.NewNative(func() ([]func([]byte) []byte, error) { return keys.Current("").MACs(linktoken.Label) })
	if cfg.LinkTokens == "django" {
		return linktoken.NewDjango(native, cfg.SigningKey.Reveal(), cfg.SigningKeyFallbacks.Lines()...)
	}
	return native
}

// mailing returns the settings of mails.
func mailing(cfg config.Config) application.Mailing {
	notifies := func(name, option string) bool {
		return slices.Contains(cfg.MailNotices, name) || option != "" && cfg.Option(option)
	}
	return application.Mailing{
		On:             cfg.MailScheme() != config.Off,
		Verification:   application.Verification(cfg.EmailVerification),
		HideRegistered: cfg.HideRegistered,
		RevealUnknown:  cfg.Option("password_reset_show_email_not_found"),
		Welcome:        cfg.Option("send_confirmation_email"),
		ResetIsSignIn:  cfg.LinkTokens == "django",
		Limits:         domainmail.Limits{PerMinute: cfg.MailPerMinute, PerHour: cfg.MailPerHour},
		NotifyPassword: notifies("password_changed", "password_changed_email_confirmation"),
		NotifyEmail:    notifies("email_changed", ""),
		NotifyNewEmail: cfg.Option("username_changed_email_confirmation"),
		NotifyDevice:   notifies("new_device", ""),
		NotifySessions: notifies("sessions_ended", ""),
		Pages: map[link.Purpose]string{
			link.Activation:    page(cfg, cfg.ActivationURL, "activate"),
			link.PasswordReset: page(cfg, cfg.PasswordResetURL, "password/new"),
			link.Invitation:    page(cfg, cfg.PasswordResetURL, "password/new"),
			link.EmailChange:   page(cfg, cfg.EmailChangeURL, "email/confirm"),
			link.EmailUndo:     page(cfg, "", "email/undo"),
		},
		FrontEnd: map[link.Purpose]bool{
			link.Activation: cfg.ActivationURL != "", link.EmailChange: cfg.EmailChangeURL != "",
			link.PasswordReset: cfg.PasswordResetURL != "", link.Invitation: cfg.PasswordResetURL != "",
			link.EmailUndo: false,
		},
		Lifetimes: map[link.Purpose]time.Duration{
			link.Activation: cfg.ActivationLifetime, link.PasswordReset: cfg.ResetLifetime, link.EmailChange: cfg.ChangeLifetime,
			link.Invitation: cfg.InvitationLifetime, link.EmailUndo: user.UndoTime,
		},
	}
}

// page returns the URL of a link: the configured one, or that of a built-in page, where the values are in the fragment, which
// no request, Referer or log contains.
func page(cfg config.Config, configured, name string) string {
	if configured != "" {
		return configured
	}
	return fmt.Sprintf("%s/account/%s/#{uid}/{token}", cfg.LinkBase(), name)
}
