package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/audit"
)

// Housekeeping removes what has expired. There is one in a process, and one goroutine calls it.
type Housekeeping struct {
	ports  Ports
	events time.Duration
	as     time.Time // of the last sweep: until when what expired was removed; zero before the first
}

// NewHousekeeping returns the work over p.
func NewHousekeeping(p Ports, s Settings) *Housekeeping {
	return &Housekeeping{ports: p, events: s.AuditRetention}
}

// SweepEvery is how often Sweep is to be called. Nothing counts once it has expired: sweeping only makes
// room.
const SweepEvery = 10 * time.Minute

// maxStep is how far a sweep goes beyond the one before. What is swept is gone, so no sweep follows a clock
// that jumps ahead, such as that of a machine without a battery until it reaches a time server. The first
// sweep of a process goes no further than the newest event of the trail. After a time in which the service
// did not run or did nothing, sweeping is behind until it has caught up, at twice the pace of the clock.
const maxStep = 2 * SweepEvery

// sweepBatch is how many records one write removes, so that no write takes long.
const sweepBatch = 500

// Swept is how many records went.
type Swept struct{ Sessions, Attempts, Events int }

// Sweep removes all expired sessions, forgotten failures of signing in, and events that are older than
// they are to be kept.
func (h *Housekeeping) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	now, err := h.trusted(ctx)
	if err != nil {
		return s, err
	}
	h.as = now
	var errs [3]error
	s.Sessions, errs[0] = inBatches(func() (int, error) { return h.ports.Sessions.Sweep(ctx, now, sweepBatch) })
	s.Attempts, errs[1] = inBatches(func() (int, error) { return h.ports.Attempts.Sweep(ctx, now, sweepBatch) })
	s.Events, errs[2] = inBatches(func() (int, error) {
		return h.ports.AuditTrail.Sweep(ctx, now.Add(-h.events), sweepBatch)
	})
	return s, errors.Join(errs[:]...)
}

// trusted returns the present time, or an earlier one when the clock may have jumped ahead.
func (h *Housekeeping) trusted(ctx context.Context) (time.Time, error) {
	now, limit := h.ports.Clock.Now(), h.as.Add(maxStep)
	if h.as.IsZero() {
		newest, err := h.ports.AuditTrail.List(ctx, audit.Query{Limit: 1})
		if err != nil {
			return time.Time{}, err
		}
		if len(newest) == 0 { // there is no trail to lose, and no session, since each sign-in leaves an event
			return now, nil
		}
		limit = newest[0].At
	}
	if limit.Before(now) {
		return limit, nil
	}
	return now, nil
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
