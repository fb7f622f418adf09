package bootstrap

import (
	"go.uber.org/zap"

	"roster/adapters/console"
	"roster/adapters/httpapi"
	"roster/adapters/telemetry"
	"roster/bootstrap/config"
	"roster/ports/inbound"
)

// mounts are the pages for people that each listener serves beside its own paths.
type mounts struct{ admin, api []httpapi.Mount }

// consolePages returns the pages for administrators where the setting console has them.
func consolePages(
	cfg config.Config, links optionalLinks, browser inbound.BrowserSessions, accounts inbound.Accounts, sessions inbound.Sessions,
	trail inbound.Trail, admin inbound.Administration, overview inbound.Overview, keys inbound.SigningKeys, mails inbound.StaffMails,
	o telemetry.Observer, log *zap.Logger,
) (mounts, error) {
	if cfg.Console == config.Off {
		return mounts{}, nil
	}
	if links.Links != nil {
		links.Links = o.Links(links.Links)
	}
	pages, err := console.New(console.Ports{
		Browser: browser, Accounts: accounts, Sessions: sessions, Trail: trail, Links: links.Links, HasAdministrator: admin.HasAdministrator,
		Overview: overview, Keys: keys, Mails: mails,
	}, console.Settings{Version: Version}, log)
	if err != nil {
		return mounts{}, err
	}
	mount := []httpapi.Mount{{Path: console.Path, Handler: pages}}
	if cfg.Console == "api" {
		return mounts{api: mount}, nil
	}
	return mounts{admin: mount}, nil
}

// setConsole sets the URL of the console, if the listener with the URL base has it.
func (s *Serving) setConsole(base string, pages []httpapi.Mount) {
	if len(pages) > 0 {
		s.Console = base + console.Path
	}
}
