package httpapi

import (
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"roster/ports/inbound"
)

type health struct {
	Status string `json:"status"`
}

// NewAdmin returns what only operators see, for a listener of its own: health and profiling. host is the name
// or address that it listens on.
func NewAdmin(h inbound.Health, host string, log *zap.Logger) http.Handler {
	s := &server{Ports: Ports{Health: h}, log: log}
	router := mux.NewRouter()
	router.HandleFunc("/livez", s.livez)
	router.HandleFunc("/readyz", s.readyz)
	profiling := router.PathPrefix("/debug/pprof/").Subrouter()
	profiling.Use(requireHost(host))
	profiling.HandleFunc("/cmdline", pprof.Cmdline)
	profiling.HandleFunc("/profile", pprof.Profile)
	profiling.HandleFunc("/symbol", pprof.Symbol)
	profiling.HandleFunc("/trace", pprof.Trace)
	profiling.PathPrefix("/").HandlerFunc(pprof.Index)
	return router
}

// ownHost refuses requests whose Host is a name other than own and localhost (RFC 9110, 15.5.20). A page of
// another site that a browser on this machine shows can let its own name resolve to a loopback address, and
// then read what is served there (DNS rebinding); its requests still have that name in Host. Addresses are
// taken: no DNS server answers for them.
func requireHost(own string) mux.MiddlewareFunc {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host := (&url.URL{Host: r.Host}).Hostname()
			if _, err := netip.ParseAddr(host); err != nil && (host == "" || !strings.EqualFold(host, own) && !strings.EqualFold(host, "localhost")) {
				http.Error(w, "This host name is not served here. Use an IP address, localhost, or the name in admin_listen.", http.StatusMisdirectedRequest)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// livez tells that the process serves requests, and nothing about what it depends on: restarting it
// would not bring a database back.
func (s *server) livez(w http.ResponseWriter, r *http.Request) {
	s.ok(w, r, http.StatusOK, health{"ok"})
}

// readyz tells whether requests can be answered now.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.Health.Ready(r.Context()); err != nil {
		s.log.Warn("not ready", zap.Error(err))
		s.ok(w, r, http.StatusServiceUnavailable, health{"unavailable"})
		return
	}
	s.ok(w, r, http.StatusOK, health{"ok"})
}

// keys publishes the public signing keys (RFC 7517), to scripts of every origin too.
func (s *server) keys(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if r.Method != http.MethodHead {
		_, _ = w.Write(s.jwks())
	}
}
