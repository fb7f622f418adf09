package bootstrap

import (
	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/mail"
	"roster/application"
	"roster/bootstrap/config"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// operationModule is the use cases of staff about the service itself.
var operationModule = fx.Module("operation", fx.Provide(
	about, keyringOf, mailTexts,
	fx.Annotate(application.NewOverview, fx.As(new(inbound.Overview))),
	fx.Annotate(application.NewSigningKeys, fx.As(new(inbound.SigningKeys))),
	fx.Annotate(application.NewStaffMails, fx.As(new(inbound.StaffMails))),
))

// about describes the service of the settings, as roster check does.
func about(cfg config.Config, clock outbound.Clock) inbound.About {
	a := inbound.About{
		Version: Version, Backend: cfg.Database.Scheme(), Mail: MailState(cfg), Profile: cfg.Profile, Started: clock.Now(),
	}
	unsafe := map[string][]string{}
	for _, w := range Warnings(cfg) {
		a.Warnings = append(a.Warnings, w.Text)
		unsafe[w.Setting] = append(unsafe[w.Setting], w.Text)
	}
	for _, s := range cfg.Effective() {
		a.Settings = append(a.Settings, inbound.SettingValue{
			Name: s.Name, Value: s.Value, Group: s.Group, Help: s.Help, Source: string(s.Source), Unsafe: unsafe[s.Name],
		})
	}
	return a
}

// mailTexts returns the texts of mails, which can be read with mail off too.
func mailTexts(cfg config.Config) (outbound.MailTexts, error) {
	s, err := textsOnly(cfg)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// textsOnly opens a sender that sends nothing.
func textsOnly(cfg config.Config) (*mail.Sender, error) {
	o := mailOptions(cfg, zap.NewNop())
	if o.Site == "" {
		o.Site = "example.com"
	}
	s, err := mail.Open(config.Off, o)
	return s, aboutMail(cfg, err)
}
