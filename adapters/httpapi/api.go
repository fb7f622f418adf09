package httpapi

import (
	"net/http"
	"sync"

	"go.uber.org/zap"

	"roster/adapters/browser"
	"roster/adapters/httpapi/openapi"
	"roster/ports/inbound"
)

// Ports are the use cases that the API serves.
type Ports struct {
	Accounts       inbound.Accounts
	DjoserAccounts inbound.Accounts // with the access policy of djoser; nil unless Settings.Djoser has a path
	Links          inbound.Links    // nil to serve no path that mails
	Authentication inbound.Authentication
	// BrowserSessions is nil to serve no sign-in for browsers and to ignore its cookie.
	BrowserSessions inbound.BrowserSessions
	Sessions        inbound.Sessions
	Trail           inbound.Trail
	Health          inbound.Health
}

// server holds what the handlers share.
type server struct {
	Ports
	Settings
	jwks         func() []byte
	limits       []rateLimit
	origins      browser.Origins
	log          *zap.Logger
	takesCookies bool
	proxyWarning sync.Once
	description  func() (openapi.Document, error) // made at the first call
}

// New returns the handler of the API and of the mounts. jwks returns the JSON Web Key Set to publish (RFC 7517). It fails
// for a rate that cannot be limited (see Rate), and for an origin that is none.
func New(p Ports, s Settings, jwks func() []byte, log *zap.Logger, mounts ...Mount) (http.Handler, error) {
	srv, err := newServer(p, s, log)
	if err != nil {
		return nil, err
	}
	srv.jwks, srv.description = jwks, descriptionOf(s)
	srv.takesCookies = p.BrowserSessions != nil || s.DjRestAuth.Cookies.on() || len(mounts) > 0
	return srv.wrap(srv.mounted(mounts, srv.withCORS(srv.routes()))), nil
}

func newServer(p Ports, s Settings, log *zap.Logger) (*server, error) {
	limits, err := newRateLimits(s.Throttling, monotonicClock())
	if err != nil {
		return nil, err
	}
	origins, err := browser.NewOrigins(s.BrowserOrigins...)
	if err != nil {
		return nil, err
	}
	return &server{Ports: p, Settings: s, limits: limits, origins: origins, log: log}, nil
}

// descriptionOf returns the function that describes the service. It does so at the first call.
func descriptionOf(s Settings) func() (openapi.Document, error) {
	return sync.OnceValues(func() (openapi.Document, error) { return openapi.Describe(*s.Docs) })
}
