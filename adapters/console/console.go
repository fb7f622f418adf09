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

	// ForgotPath leads from Path, or from AccountPath, to the page that mails a link to a new password; "" for none.
	ForgotPath string
}

// area is what distinguishes the console from the pages of one's own account.
type area struct {
	path     string // where it is served
	sections []section
	admits   func(inbound.Actor) bool // whether a user that is signed in may use it
	// resumes says that a form of a session that has ended takes effect after the next sign-in. It must name what it changes:
	// another user can sign in.
	resumes bool
}

type server struct {
	Ports
	Settings
	area

	mux     *http.ServeMux
	origins browser.Origins
	log     *zap.Logger
}

// route is a page or the target of a form.
type route struct {
	method string
	path   string // below that of the area, with the wildcards of http.ServeMux
	handle func(*server, http.ResponseWriter, *http.Request, *visit) error
	open   bool // also for a visitor that the area does not admit
}

// New returns the handler of the console. It answers requests for paths below Path, which must have an inbound.Origin.
func New(p Ports, s Settings, log *zap.Logger) (http.Handler, error) {
	console := area{path: Path, sections: sections, admits: inbound.Actor.Staff, resumes: true}
	return newArea(p, s, console, log,
		signInRoutes, overviewRoutes, userListRoutes, userRoutes, auditRoutes, keyRoutes, mailRoutes, settingsRoutes)
}

func newArea(p Ports, s Settings, of area, log *zap.Logger, routes ...[]route) (http.Handler, error) {
	own, err := browser.NewOrigins()
	if err != nil {
		return nil, err
	}
	c := &server{Ports: p, Settings: s, area: of, mux: http.NewServeMux(), origins: own, log: log}
	for _, r := range slices.Concat(routes...) {
		path := r.path
		if path == "" || path[len(path)-1] == '/' {
			path += "{$}"
		}
		c.mux.HandleFunc(r.method+" "+c.path+path, c.handler(r))
	}
	c.mux.HandleFunc("GET "+c.path+filesPath+"{name}", serveFile)
	c.mux.HandleFunc("GET "+c.path, c.handler(route{handle: (*server).notFound}))
	return c.mux, nil
}

func (*server) notFound(http.ResponseWriter, *http.Request, *visit) error { return errNoPage }
