package console

import (
	"context"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"roster/adapters/browser"
	"roster/ports/inbound"
)

// Path is where the console is served.
const Path = "/console/"

// Ports are the use cases behind the pages.
type Ports struct {
	Browser  inbound.BrowserSessions
	Accounts inbound.Accounts
	Sessions inbound.Sessions
	Trail    inbound.Trail
	Links    inbound.Links // nil where no mails are sent
	Overview inbound.Overview
	Keys     inbound.SigningKeys
	Mails    inbound.StaffMails

	// HasAdministrator reports whether there is an active staff user.
	HasAdministrator func(context.Context) (bool, error)
}

// Settings are the settings of the pages.
type Settings struct {
	Version string // of the service
}

type server struct {
	Ports
	Settings

	mux     *http.ServeMux
	origins browser.Origins
	log     *zap.Logger
}

// route is a page or the target of a form.
type route struct {
	method string
	path   string // below Path, with the wildcards of http.ServeMux
	handle func(*server, http.ResponseWriter, *http.Request, *visit) error
	open   bool // also for a visitor that is no administrator
}

// New returns the handler of the console. It answers requests for paths below Path, which must have an inbound.Origin.
func New(p Ports, s Settings, log *zap.Logger) (http.Handler, error) {
	own, err := browser.NewOrigins()
	if err != nil {
		return nil, err
	}
	c := &server{Ports: p, Settings: s, mux: http.NewServeMux(), origins: own, log: log}
	all := slices.Concat(signInRoutes, overviewRoutes, userListRoutes, userRoutes, auditRoutes, keyRoutes, mailRoutes, settingsRoutes)
	for _, r := range all {
		path := r.path
		if path == "" || path[len(path)-1] == '/' {
			path += "{$}"
		}
		c.mux.HandleFunc(r.method+" "+Path+path, c.handler(r))
	}
	c.mux.HandleFunc("GET "+Path+filesPath+"{name}", serveFile)
	c.mux.HandleFunc("GET "+Path, c.handler(route{handle: (*server).notFound}))
	return c.mux, nil
}

func (*server) notFound(http.ResponseWriter, *http.Request, *visit) error { return errNoPage }
