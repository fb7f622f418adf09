package application

import (
	"context"

	"roster/ports/outbound"
)

// Housekeeping is the work that nobody asks for.
type Housekeeping struct {
	sessions outbound.Sessions
	clock    outbound.Clock
}

// NewHousekeeping returns the work over p.
func NewHousekeeping(p Ports) *Housekeeping { return &Housekeeping{p.Sessions, p.Clock} }

// sweepBatch is how many records one write removes, so that no write takes long.
const sweepBatch = 500

// Sweep removes all expired sessions and returns how many there were.
func (h *Housekeeping) Sweep(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := h.sessions.Sweep(ctx, h.clock.Now(), sweepBatch)
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
