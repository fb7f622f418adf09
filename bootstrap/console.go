package bootstrap

import (
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"roster/adapters/console"
	"roster/adapters/httpapi"
	"roster/adapters/telemetry"
	"roster/bootstrap/config"
	"roster/ports/inbound"
)

// mounts are the pages for people that each listener serves beside its own paths.
type mounts struct{ admin, api []httpapi.Mount }

// peoplePages returns the pages for administrators where the setting console has them, and those of one's own account.
func peoplePages(
	cfg config.Config, links optionalLinks, browser inbound.BrowserSessions, accounts inbound.Accounts, sessions inbound.Sessions,
	trail inbound.Trail, admin inbound.Administration, overview inbound.Overview, keys inbound.SigningKeys, mails inbound.StaffMails,
	o telemetry.Observer, log *zap.Logger,
) (mounts, error) {
	if links.Links != nil {
		links.Links = o.Links(links.Links)
	}
	ports := console.Ports{
		Browser: browser, Accounts: accounts, Sessions: sessions, Trail: trail, Links: links.Links, HasAdministrator: admin.HasAdministrator,
		Overview: overview, Keys: keys, Mails: mails,
	}
	var m mounts
	mount := func(
		on bool, to *[]httpapi.Mount, path, forgot string, pages func(console.Ports, console.Settings, *zap.Logger) (http.Handler, error),
	) error {
		if !on {
			return nil
		}
		set := console.Settings{Version: Version}
		if links.Links != nil {
			set.ForgotPath = forgot
		}
		h, err := pages(ports, set, log)
		*to = append(*to, httpapi.Mount{Path: path, Handler: h})
		return err
	}
	const reset = "account/password/reset/"
	err := errors.Join(
		mount(cfg.Console == "admin", &m.admin, console.Path, "", console.New),
		mount(cfg.Console == "api", &m.api, console.Path, "../"+reset, console.New),
		mount(cfg.AccountPages == "on", &m.api, console.AccountPath, "../"+reset, console.NewAccount))
	return m, err
}

// setConsole sets the URL of the console, if the listener with the URL base has it.
func (s *Serving) setConsole(base string, pages []httpapi.Mount) {
	if slices.ContainsFunc(pages, func(m httpapi.Mount) bool { return m.Path == console.Path }) {
		s.Console = base + console.Path
	}
}
