package httpapi

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"go.uber.org/zap"

	"roster/domain/lockout"
)

// Connections bounds the open connections of a server.
type Connections struct {
	// Max is how many connections the listener accepts at once. One client network (see lockout.Network) may hold
	// half of them.
	Max int
	// Trusted networks have no such limit: their proxies carry the requests of many clients.
	Trusted []netip.Prefix
}

// connections tracks the open connections of a server. It closes
//   - the longest idle connection, when as many are open as the listener accepts. An idle client can connect again; a
//     client that waits to be accepted can do nothing.
//   - the longest idle connection of a network that holds more than its half, or the new connection if none is idle.
//   - at a shutdown, the connections without a request so far. http.Server.Shutdown would wait five seconds for each,
//     although it answers no request on them.
//
// HTTP allows a server to close a persistent connection at any time (RFC 9112, 9.5).
type connections struct {
	Connections
	log     *zap.Logger
	warning sync.Once

	mu       sync.Mutex
	open     map[net.Conn]*connection
	networks map[string]*clientNetwork
	idle     list.List // of *connection, longest idle first
	closing  bool
}

// connection is an open connection. If it is idle, it is an element of two lists.
type connection struct {
	net.Conn
	network     *clientNetwork // nil for a trusted one
	unused      bool           // no request has arrived so far
	idle        *list.Element  // in connections.idle
	networkIdle *list.Element  // in clientNetwork.idle
}

// clientNetwork holds the connections of one client network.
type clientNetwork struct {
	name string
	open int
	idle list.List // of *connection, longest idle first
}

func newConnections(c Connections, log *zap.Logger) *connections {
	return &connections{Connections: c, log: log, open: map[net.Conn]*connection{}, networks: map[string]*clientNetwork{}}
}

// track makes srv report its connections to s.
func (s *connections) track(srv *http.Server) {
	srv.ConnState = s.setState
	srv.RegisterOnShutdown(s.closeUnused)
}

// setState is the ConnState callback of http.Server.
func (s *connections) setState(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.add(conn)
		return
	}
	c := s.open[conn]
	if c == nil {
		return // already closed by s
	}
	c.unused = false
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
	c := &connection{Conn: conn, unused: true, network: s.networkOf(conn)}
	s.open[conn] = c
	n := c.network
	if n != nil {
		n.open++
	}
	switch {
	case s.closing:
		s.close(c)
	case n != nil && n.open > s.Max/2:
		s.warning.Do(func() {
			s.log.Warn("a client network holds half of all connections; each further one closes its longest idle one, "+
				"or is closed if none is idle; if it is your proxy, name it in trusted_proxies",
				zap.String("address", n.name), zap.Int("connections", s.Max))
		})
		if !s.closeOldest(&n.idle) {
			s.close(c)
		}
	}
	s.closeIdleIfFull()
}

// networkOf returns the client network of conn, nil for a trusted one.
func (s *connections) networkOf(conn net.Conn) *clientNetwork {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || containsAddr(s.Trusted, at.Addr().Unmap()) {
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

// closeIdleIfFull closes the longest idle connection if the listener accepts no more.
func (s *connections) closeIdleIfFull() {
	if len(s.open) >= s.Max {
		s.closeOldest(&s.idle)
	}
}

// closeOldest closes the first connection of idle and reports whether there was one.
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

// close closes the TCP connection of c. tls.Conn.Close could block: it sends an alert to the client first.
func (s *connections) close(c *connection) {
	s.removeIdle(c)
	s.remove(c)
	conn := c.Conn
	if tlsConn, ok := conn.(*tls.Conn); ok {
		conn = tlsConn.NetConn()
	}
	_ = conn.Close() // no response is pending on it
}

// removeIdle removes c from the lists of idle connections.
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

// closeUnused closes the connections without a request so far, and all that are accepted from now on.
func (s *connections) closeUnused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for _, c := range s.open {
		if c.unused {
			s.close(c)
		}
	}
}
