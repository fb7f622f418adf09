package faults

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between the service and its database, and cuts connections.
type proxy struct {
	listener net.Listener
	network  string // of the database
	address  string

	mu      sync.Mutex
	open    map[net.Conn]net.Conn // the connections of the service, and those to the database
	pattern []byte                // see cutAnswers
	cuts    int
	all     sync.WaitGroup
}

// newProxy starts a proxy, which ends with the test.
func newProxy(t *testing.T, network, address string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, network: network, address: address, open: map[net.Conn]net.Conn{}}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.all.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.all.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	d, err := net.Dial(p.network, p.address)
	if err != nil {
		return
	}
	defer d.Close()
	p.mu.Lock()
	p.open[c] = d
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, c)
	}()
	var doomed sync.Once
	cut := make(chan struct{}) // closed when the next answer is to be lost
	var both sync.WaitGroup
	both.Go(func() {
		_ = each(c, func(part []byte) error {
			if p.matches(part) {
				doomed.Do(func() { close(cut) })
			}
			_, err := d.Write(part)
			return err
		})
		_ = d.Close()
	})
	both.Go(func() {
		_ = each(d, func(part []byte) error {
			select {
			case <-cut: // the database has done it, and the service does not learn of it
				return io.EOF
			default:
			}
			_, err := c.Write(part)
			return err
		})
		_ = c.Close()
	})
	both.Wait()
}

// each calls f with what comes, until f or reading fails.
func each(from net.Conn, f func([]byte) error) error {
	part := make([]byte, 64<<10)
	for {
		n, err := from.Read(part)
		if n > 0 {
			if err := f(part[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, d := range p.open {
		_ = c.Close()
		_ = d.Close()
	}
}

// cutAnswers lets what contains a pattern reach the database, and ends the connection instead of passing on the answer, so
// many times.
func (p *proxy) cutAnswers(pattern string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pattern, p.cuts = []byte(pattern), times
}

func (p *proxy) matches(part []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cuts == 0 || !bytes.Contains(part, p.pattern) {
		return false
	}
	p.cuts--
	return true
}

// left returns how many answers are still to be cut.
func (p *proxy) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}
