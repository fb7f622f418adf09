package bootstrap

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// inMemory is a listener of connections in memory, which a synctest bubble needs.
type inMemory struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l inMemory) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l inMemory) Close() error   { close(l.done); return nil }
func (l inMemory) Addr() net.Addr { return &net.TCPAddr{} }

// At most max_connections connections are served; the others wait until one ends.
func TestConnectionsAreBounded(t *testing.T) {
	const most, clients = 3, 10
	synctest.Test(t, func(t *testing.T) {
		ln := inMemory{make(chan net.Conn), make(chan struct{})}
		l := &listening{server: &http.Server{Handler: http.NotFoundHandler()}, connections: most, log: zap.NewNop()}
		l.begin(ln)
		taken := make(chan net.Conn, clients)
		for range clients {
			go func() {
				client, server := net.Pipe()
				ln.conns <- server
				taken <- client
			}()
		}
		for ended := range clients - most + 1 {
			synctest.Wait()
			if n := len(taken) + ended; n != most+ended {
				t.Errorf("%d connections were taken after %d ended, want %d", n, ended, most+ended)
			}
			if err := (<-taken).Close(); err != nil {
				t.Error(err)
			}
		}
		for range most - 1 {
			if err := (<-taken).Close(); err != nil {
				t.Error(err)
			}
		}
		l.stop(t.Context(), 0)
	})
}

// Before the service stops, each answer closes its connection, so that the load balancer assigns the next one to another
// instance.
func TestLeavingEndsConnections(t *testing.T) {
	for _, version := range []int{1, 2} {
		l := &listening{}
		srv := httptest.NewUnstartedServer(l.leaving(http.NotFoundHandler()))
		srv.EnableHTTP2 = version == 2
		srv.StartTLS()
		defer srv.Close()
		reused := func() (again bool) {
			t.Helper()
			trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { again = i.Reused }}
			r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Body.Close() != nil || resp.ProtoMajor != version {
				t.Fatalf("HTTP/%d: %v", resp.ProtoMajor, err)
			}
			return again
		}
		reused()
		if !reused() {
			t.Fatalf("HTTP/%d: connections are not kept open", version)
		}
		l.gone.Store(true)
		reused()
		for tries := 1; reused(); tries++ { // over HTTP/2, until the client has read the GOAWAY
			if tries == 10_000 {
				t.Fatalf("HTTP/%d: the connection is kept open", version)
			}
		}
	}
}

// The delay before the stop ends after its duration, with the server, and with the context.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			delay, want time.Duration
			ends        bool // the server ends during the delay
		}{"no delay": {}, "a delay": {time.Second, time.Second, false}, "a server that has ended": {time.Second, 0, true}} {
			l := &listening{done: make(chan struct{})}
			if c.ends {
				close(l.done)
			}
			begun := time.Now()
			if l.leave(t.Context(), c.delay); time.Since(begun) != c.want {
				t.Errorf("%s: took %v, want %v", name, time.Since(begun), c.want)
			}
		}
	})
}
