package bootstrap

import (
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
)

// inMemory is a listener whose connections are in memory, so that a bubble knows when nothing moves.
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

// No more connections are served at once than are wanted; the others wait until one ends.
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
