package httpapi

import (
	"net/http"
	"net/http/pprof"

	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"roster/ports/inbound"
)

type health struct {
	Status string `json:"status"`
}

// NewAdmin returns what only operators see, for a listener of its own: health and profiling.
func NewAdmin(h inbound.Health, log *zap.Logger) http.Handler {
	s := &server{Ports: Ports{Health: h}, log: log}
	router := mux.NewRouter()
	router.HandleFunc("/livez", s.livez)
	router.HandleFunc("/readyz", s.readyz)
	router.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	router.HandleFunc("/debug/pprof/profile", pprof.Profile)
	router.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	router.HandleFunc("/debug/pprof/trace", pprof.Trace)
	router.PathPrefix("/debug/pprof/").HandlerFunc(pprof.Index)
	return router
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
