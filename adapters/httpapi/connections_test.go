package httpapi

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/netutil"
)

// remoteConn is a connection with another remote address.
type remoteConn struct {
	net.Conn
	address string
}

func (d remoteConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(d.address), 4711))
}

// connTest is a server that accepts few connections.
type connTest struct {
	t     *testing.T
	l     pipeListener
	state *connections
	log   *observer.ObservedLogs
}

// withConnTest runs test in a synctest bubble, with a server that accepts most connections at once.
func withConnTest(t *testing.T, most int, trusted string, test func(connTest)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zapcore.WarnLevel)
		l := pipeListener{make(chan net.Conn), make(chan struct{})}
		c := Connections{Max: most}
		if trusted != "" {
			c.Trusted = []netip.Prefix{netip.MustParsePrefix(trusted)}
		}
		s := newConnections(c, zap.New(core))
		srv := NewServer(echo, c, zap.NewNop())
		s.track(srv)
		done := make(chan error)
		go func() { done <- srv.Serve(netutil.LimitListener(l, most)) }()
		test(connTest{t, l, s, logged})
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		synctest.Wait()
		if len(s.open)+len(s.networks)+s.idle.Len() > 0 {
			t.Errorf("%d connections, %d networks and %d idle connections are still tracked", len(s.open), len(s.networks), s.idle.Len())
		}
	})
}

// connect returns a new connection from an address.
func (c connTest) connect(address string) net.Conn {
	c.t.Helper()
	client, server := net.Pipe()
	c.t.Cleanup(func() { client.Close() })
	select {
	case c.l.conns <- remoteConn{server, address}:
	case <-time.After(time.Second): // in the bubble
		c.t.Errorf("a connection from %s is not accepted", address)
	}
	synctest.Wait()
	return client
}

// idle returns a connection from an address that has served a request.
func (c connTest) idle(address string) net.Conn {
	c.t.Helper()
	conn := c.connect(address)
	if !served(conn) {
		c.t.Errorf("a connection from %s is not served", address)
	}
	return conn
}

// busy returns a connection from an address with an unfinished request.
func (c connTest) busy(address string) net.Conn {
	c.t.Helper()
	conn := c.connect(address)
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"); err != nil {
		c.t.Error(err)
	}
	synctest.Wait()
	return conn
}

func served(conn net.Conn) bool {
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	synctest.Wait()
	return err == nil && r.StatusCode == http.StatusOK
}

// One network cannot hold all connections idle: beyond half of them, each further one closes its longest idle one.
// Other clients are served at once.
func TestIdleConnectionsOfOneNetworkAreBounded(t *testing.T) {
	for name, addresses := range map[string][2]string{
		"IPv4": {"192.0.2.1", "192.0.2.1"}, "IPv6, by /64": {"2001:db8::1", "2001:db8::2"}, "IPv4 in IPv6": {"192.0.2.1", "::ffff:192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			withConnTest(t, 8, "", func(c connTest) {
				var held []net.Conn
				for i := range 8 {
					held = append(held, c.idle(addresses[i%2]))
				}
				for i, conn := range held {
					if open := served(conn); open != (i >= 4) {
						t.Errorf("connection %d of 8: open is %v", i, open)
					}
				}
				c.idle("192.0.2.2")
				if logged := c.log.FilterMessageSnippet("trusted_proxies").Len(); logged != 1 {
					t.Errorf("%d log lines, want 1", logged)
				}
			})
		})
	}
}

// If a network holds half of all connections and none is idle, a further one is closed.
func TestExcessConnectionOfOneNetworkIsClosed(t *testing.T) {
	withConnTest(t, 8, "", func(c connTest) {
		busy := []net.Conn{c.busy("192.0.2.1"), c.busy("192.0.2.1"), c.busy("192.0.2.1")}
		unused := c.connect("192.0.2.1")
		if _, err := c.connect("192.0.2.1").Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("one more than half: %v", err)
		}
		for range 4 {
			c.idle("192.0.2.2")
		}
		if !served(unused) {
			t.Error("the unused connection was closed")
		}
		for _, conn := range busy {
			if _, err := io.WriteString(conn, "here"); err != nil {
				t.Fatal(err)
			}
			if r, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || r.StatusCode != http.StatusOK {
				t.Errorf("unfinished request: %v", err)
			}
		}
	})
}

// When as many connections are open as the server accepts, the longest idle one is closed, also if it becomes idle
// while another client waits.
func TestIdleConnectionIsClosedWhenFull(t *testing.T) {
	withConnTest(t, 4, "", func(c connTest) {
		first, second := c.idle("192.0.2.1"), c.idle("192.0.2.2")
		third := c.idle("192.0.2.3")
		if !served(first) { // so that second has been idle for longer
			t.Error("the first connection was closed with one free")
		}
		c.idle("192.0.2.4")
		if served(second) {
			t.Error("the connection idle for the longest is open")
		}
		if !served(third) || !served(first) {
			t.Error("another one was closed")
		}
	})
	withConnTest(t, 4, "", func(c connTest) {
		busy := []net.Conn{c.busy("192.0.2.1"), c.busy("192.0.2.1"), c.busy("192.0.2.2"), c.busy("192.0.2.2")}
		waiting, server := net.Pipe()
		defer waiting.Close()
		go func() { c.l.conns <- remoteConn{server, "192.0.2.3"} }()
		synctest.Wait()
		if _, err := io.WriteString(busy[0], "here"); err != nil {
			t.Fatal(err)
		}
		if r, err := http.ReadResponse(bufio.NewReader(busy[0]), nil); err != nil || r.StatusCode != http.StatusOK {
			t.Errorf("unfinished request: %v", err)
		}
		begun := time.Now()
		if !served(waiting) || time.Since(begun) > 0 {
			t.Errorf("the connection that waited is served after %v", time.Since(begun))
		}
	})
}

// A trusted proxy may hold all connections.
func TestTrustedProxiesHaveNoConnectionLimit(t *testing.T) {
	withConnTest(t, 8, "10.0.0.0/8", func(c connTest) {
		var held []net.Conn
		for range 7 {
			held = append(held, c.idle("::ffff:10.1.2.3"))
		}
		for i, conn := range held {
			if !served(conn) {
				t.Errorf("connection %d of 7 was closed", i)
			}
		}
	})
}

// Over TLS, idle clients may not read the alert that closes a connection. HTTP/1.1 and HTTP/2 alternate.
func TestIdleConnectionIsClosedWhenFullOverTLS(t *testing.T) {
	const most = 16
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(echo, Connections{Max: most}, zap.NewNop())
	srv.TLSConfig = certificate(t)
	done := make(chan error, 1)
	go func() { done <- srv.ServeTLS(netutil.LimitListener(l, most), "", "") }()
	for i := range 3 * most {
		transport := &http.Transport{ForceAttemptHTTP2: i%2 == 0, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport, Timeout: time.Minute} // bounds a hang
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		if err := resp.Body.Close(); err != nil || resp.ProtoMajor != 1+(i+1)%2 {
			t.Errorf("connection %d: %s, %v", i, resp.Proto, err)
		}
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
