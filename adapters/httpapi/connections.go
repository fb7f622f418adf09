package httpapi

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"go.uber.org/zap"

	"roster/domain/lockout"
)

// Connections bounds the connections of a server.
type Connections struct {
	// Most is how many the listener accepts at once. One client network (see lockout.Network) may hold half
	// of them.
	Most int
	// Trusted may hold them all: proxies, which carry the requests of many clients.
	Trusted []netip.Prefix
}

// connections is the open connections of a server. It closes
//   - the connection that has been idle for the longest, when as many as the listener accepts are open: an
//     idle client connects again when it has to, and one that waits to be accepted cannot do anything else;
//   - the same of one network alone, when that network holds more than its share. If none of its
//     connections is idle, the new one is closed;
//   - at a shutdown, those on which no request came yet. http.Server.Shutdown waits five seconds for each,
//     although it would not answer a request on them any more.
//
// A client sees each as the end of a connection that it keeps alive, which HTTP allows at any time
// (RFC 9112, 9.5).
type connections struct {
	Connections
	log  *zap.Logger
	hint sync.Once

	mu       sync.Mutex
	open     map[net.Conn]*connection
	networks map[string]*clientNetwork
	idle     list.List // of *connection; the first has been idle for the longest
	closing  bool
}

// connection is one of them. An idle one is an element of both lists.
type connection struct {
	net.Conn
	network     *clientNetwork // nil when it is trusted
	silent      bool           // no request came yet
	idle        *list.Element
	networkIdle *list.Element // in the list of its network
}

// clientNetwork is the connections of one client network.
type clientNetwork struct {
	name string
	open int
	idle list.List // as connections.idle
}

func newConnections(c Connections, log *zap.Logger) *connections {
	return &connections{Connections: c, log: log, open: map[net.Conn]*connection{}, networks: map[string]*clientNetwork{}}
}

// watch makes srv report its connections.
func (s *connections) watch(srv *http.Server) {
	srv.ConnState = s.changed
	srv.RegisterOnShutdown(s.closeUnused)
}

// changed is an http.Server's ConnState.
func (s *connections) changed(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.add(conn)
		return
	}
	c := s.open[conn]
	if c == nil {
		return // closed here
	}
	c.silent = false
	s.removeIdle(c)
	switch state {
	case http.StateNew, http.StateActive:
	case http.StateIdle:
		c.idle = s.idle.PushBack(c)
		if c.network != nil {
			c.networkIdle = c.network.idle.PushBack(c)
		}
		s.closeIdleIfFull()
	case http.StateClosed, http.StateHijacked:
		s.remove(c)
	}
}

func (s *connections) add(conn net.Conn) {
	c := &connection{Conn: conn, silent: true, network: s.networkOf(conn)}
	s.open[conn] = c
	n := c.network
	if n != nil {
		n.open++
	}
	switch {
	case s.closing:
		s.close(c)
	case n != nil && n.open > s.Most/2:
		s.hint.Do(func() {
			s.log.Warn("a client address holds half of all connections; for a further one its idle ones are closed, or the further one is; "+
				"if it is your proxy, name it in trusted_proxies", zap.String("address", n.name), zap.Int("connections", s.Most))
		})
		if !s.closeOldest(&n.idle) {
			s.close(c)
		}
	}
	s.closeIdleIfFull()
}

// networkOf returns the network that conn comes from, nil when it has no share.
func (s *connections) networkOf(conn net.Conn) *clientNetwork {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || slices.ContainsFunc(s.Trusted, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap().WithZone("")) }) {
		return nil
	}
	name := lockout.Network(at.Addr().String())
	n := s.networks[name]
	if n == nil {
		n = &clientNetwork{name: name}
		s.networks[name] = n
	}
	return n
}

// makeRoom closes an idle connection when no other can be accepted.
func (s *connections) closeIdleIfFull() {
	if len(s.open) >= s.Most {
		s.closeOldest(&s.idle)
	}
}

// closeOldest closes the first connection of idle, and reports whether there was one.
func (s *connections) closeOldest(idle *list.List) bool {
	e := idle.Front()
	if e == nil {
		return false
	}
	if c, ok := e.Value.(*connection); ok {
		s.close(c)
	}
	return true
}

// close closes c without waiting for its client: tls.Conn.Close would, to say goodbye.
func (s *connections) close(c *connection) {
	s.removeIdle(c)
	s.remove(c)
	conn := c.Conn
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	_ = conn.Close() // the client was promised nothing on it
}

// unrest takes c from the idle ones.
func (s *connections) removeIdle(c *connection) {
	if c.idle == nil {
		return
	}
	s.idle.Remove(c.idle)
	if c.network != nil {
		c.network.idle.Remove(c.networkIdle)
	}
	c.idle, c.networkIdle = nil, nil
}

func (s *connections) remove(c *connection) {
	delete(s.open, c.Conn)
	if n := c.network; n != nil {
		if n.open--; n.open == 0 {
			delete(s.networks, n.name)
		}
	}
}

func (s *connections) closeUnused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for _, c := range s.open {
		if c.silent {
			s.close(c)
		}
	}
}
