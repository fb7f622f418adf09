package httpapi

import (
	"net/http"
	"sync"

	"go.uber.org/zap"

	"roster/adapters/httpapi/openapi"
	"roster/ports/inbound"
)

// Ports are the use cases that the API serves.
type Ports struct {
	Accounts       inbound.Accounts
	DjoserAccounts inbound.Accounts // with the access policy of djoser; nil unless Settings.Djoser has a path
	Links          inbound.Links    // nil to serve no path that mails
	Authentication inbound.Authentication
	Sessions       inbound.Sessions
	Trail          inbound.Trail
	Health         inbound.Health
}

// server holds what the handlers share.
type server struct {
	Ports
	Settings
	jwks         func() []byte
	limits       []rateLimit
	log          *zap.Logger
	proxyWarning sync.Once
	description  func() (openapi.Document, error) // made at the first call
}

// New returns the handler of the API. jwks returns the JSON Web Key Set to publish (RFC 7517). It fails for a rate that
// cannot be limited; see Rate.
func New(p Ports, s Settings, jwks func() []byte, log *zap.Logger) (http.Handler, error) {
	limits, err := newRateLimits(s.Throttling, monotonicClock())
	if err != nil {
		return nil, err
	}
	srv := &server{Ports: p, Settings: s, jwks: jwks, limits: limits, log: log, description: descriptionOf(s)}
	return srv.wrap(srv.routes()), nil
}

// descriptionOf returns the function that describes the service. It does so at the first call.
func descriptionOf(s Settings) func() (openapi.Document, error) {
	return sync.OnceValues(func() (openapi.Document, error) { return openapi.Describe(*s.Docs) })
}
