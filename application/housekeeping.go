package application

import (
	"context"
	"errors"
	"time"
)

// Housekeeping is the work that nobody asks for.
type Housekeeping struct {
	ports  Ports
	events time.Duration
}

// NewHousekeeping returns the work over p.
func NewHousekeeping(p Ports, s Settings) *Housekeeping { return &Housekeeping{p, s.AuditRetention} }

// sweepBatch is how many records one write removes, so that no write takes long.
const sweepBatch = 500

// Swept is how many records went.
type Swept struct{ Sessions, Attempts, Events int }

// Sweep removes all expired sessions, forgotten failures of signing in, and events that are older than
// they are to be kept.
func (h *Housekeeping) Sweep(ctx context.Context) (Swept, error) {
	now := h.ports.Clock.Now()
	var s Swept
	var errs [3]error
	s.Sessions, errs[0] = inBatches(func() (int, error) { return h.ports.Sessions.Sweep(ctx, now, sweepBatch) })
	s.Attempts, errs[1] = inBatches(func() (int, error) { return h.ports.Attempts.Sweep(ctx, now, sweepBatch) })
	s.Events, errs[2] = inBatches(func() (int, error) {
		return h.ports.AuditTrail.Sweep(ctx, now.Add(-h.events), sweepBatch)
	})
	return s, errors.Join(errs[:]...)
}

func inBatches(sweep func() (int, error)) (total int, err error) {
	for {
		n, err := sweep()
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
