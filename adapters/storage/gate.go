package storage

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("not open")

// Gate counts the running operations of a backend, so that Close can wait for them until its context ends. The zero
// value is shut.
type Gate struct {
	mu   sync.Mutex
	open bool
	n    int
	idle chan struct{} // closed when shut and empty
}

// Open permits operations.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.idle = true, make(chan struct{})
}

// Enter begins an operation, which calls Leave at its end. It fails with fault.Unavailable when the gate is shut.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return Unavailable(errClosed)
	}
	g.n++
	return nil
}

// Leave ends an operation that Enter began.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.n == 0 && !g.open {
		close(g.idle)
	}
}

// Shut refuses further operations and waits for the end of the running ones or of ctx.
func (g *Gate) Shut(ctx context.Context) error {
	g.mu.Lock()
	idle := g.idle
	if g.open {
		g.open = false
		if g.n == 0 {
			close(idle)
		}
	}
	g.mu.Unlock()
	if idle == nil {
		return nil // never opened
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
