package storage

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("not open")

// Gate counts what is under way in a backend, so that its Close can wait for it and no longer than it
// may. The zero value is shut.
type Gate struct {
	mu   sync.Mutex
	open bool
	n    int
	idle chan struct{} // closed when shut and empty
}

// Open lets operations in.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.idle = true, make(chan struct{})
}

// Enter lets one operation in; it calls Leave when done. A shut gate is fault.Unavailable.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return Unavailable(errClosed)
	}
	g.n++
	return nil
}

// Leave ends one operation that Enter let in.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.n == 0 && !g.open {
		close(g.idle)
	}
}

// Shut refuses further operations and waits until the running ones have left, or ctx ends.
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
