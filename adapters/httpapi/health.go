package httpapi

import (
	"net/http"

	"go.uber.org/zap"
)

type health struct {
	Status string `json:"status"`
}

// livez reports that the process serves requests. It checks no dependency: a restart would not repair one.
func (s *server) livez(w http.ResponseWriter, r *http.Request) {
	s.writeJSON(w, r, http.StatusOK, health{"ok"})
}

// readyz reports whether the service can process requests now.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.Health.Ready(r.Context()); err != nil {
		s.log.Warn("not ready", zap.Error(err))
		s.writeJSON(w, r, http.StatusServiceUnavailable, health{"unavailable"})
		return
	}
	s.writeJSON(w, r, http.StatusOK, health{"ok"})
}
