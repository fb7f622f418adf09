package httpapi

import (
	"net"
	"net/http"
	"sync"
)

// silent is the connections of a server on which no request came yet. http.Server.Shutdown waits five
// seconds for each, although it would not answer a request on them any more: a browser that connects
// ahead of need, or a probe that connects and no more, would make every stop last that long.
type silent struct {
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	closing bool
}

// watch makes srv close silent connections at its shutdown.
func (s *silent) watch(srv *http.Server) {
	s.conns = map[net.Conn]struct{}{}
	srv.ConnState = s.changed
	srv.RegisterOnShutdown(s.close)
}

func (s *silent) changed(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.conns, c)
	case s.closing:
		_ = c.Close() // nobody was told anything on it
	default:
		s.conns[c] = struct{}{}
	}
}

func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for c := range s.conns {
		_ = c.Close() // see changed
	}
}
