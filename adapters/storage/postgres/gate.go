package postgres

import (
	"context"
	"errors"
	"sync"

	"roster/adapters/storage"
)

var errClosed = errors.New("postgres: not open")

// gate counts what is under way, so that Close can wait for it and no longer than it may. The zero
// value is shut.
type gate struct {
	mu   sync.Mutex
	open bool
	n    int
	idle chan struct{} // closed when shut and empty
}

func (g *gate) unlock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.idle = true, make(chan struct{})
}

// enter lets one operation in; it calls leave when done. A shut gate is fault.Unavailable.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return storage.Unavailable(errClosed)
	}
	g.n++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.n == 0 && !g.open {
		close(g.idle)
	}
}

// shut lets nobody in any more and waits until all have left, or ctx ends.
func (g *gate) shut(ctx context.Context) error {
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
