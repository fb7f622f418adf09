package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
)

// Housekeeping deletes expired records. A process has one, and calls it from one goroutine.
type Housekeeping struct {
	ports      Ports
	retention  time.Duration
	sweptUntil time.Time // time of the last sweep; zero before the first
}

// NewHousekeeping returns the housekeeping on the ports p.
func NewHousekeeping(p Ports, s Settings) *Housekeeping {
	return &Housekeeping{ports: p, retention: s.AuditRetention}
}

// SweepInterval is the time between calls of Sweep. Expired records have no effect: sweeping only frees space.
const SweepInterval = 10 * time.Minute

// maxAdvance is how far a sweep may advance beyond the last one. Deleted records cannot be restored, so a sweep does
// not follow a clock that jumps ahead, such as that of a machine without a battery before it reaches a time server.
// The first sweep of a process advances to the newest event of the audit trail at most. After the service was
// stopped or idle, sweeps catch up at twice the speed of the clock.
const maxAdvance = 2 * SweepInterval

// sweepBatch is how many records one write deletes, so that no write takes long.
const sweepBatch = 500

// Swept holds the numbers of deleted records.
type Swept struct{ Sessions, Attempts, Events, Mails int }

// Sweep deletes expired sessions, expired records of failed sign-ins, events older than the retention, and mails that were
// finished longer ago than the retention of their state.
func (h *Housekeeping) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	now, err := h.sweepTime(ctx)
	if err != nil {
		return s, err
	}
	h.sweptUntil = now
	var errs [3]error
	s.Sessions, errs[0] = inBatches(func() (int, error) { return h.ports.Sessions.Sweep(ctx, now, sweepBatch) })
	s.Attempts, errs[1] = inBatches(func() (int, error) { return h.ports.Attempts.Sweep(ctx, now, sweepBatch) })
	s.Events, errs[2] = inBatches(func() (int, error) {
		return h.ports.AuditTrail.Sweep(ctx, now.Add(-h.retention), sweepBatch)
	})
	failed := errors.Join(errs[:]...)
	for _, state := range mail.FinalStates() {
		n, err := inBatches(func() (int, error) { return h.ports.Mails.Sweep(ctx, state, now.Add(-state.Retention()), sweepBatch) })
		s.Mails += n
		failed = errors.Join(failed, err)
	}
	return s, failed
}

// sweepTime returns the time up to which to sweep: the present, or an earlier time when the clock may have jumped
// ahead.
func (h *Housekeeping) sweepTime(ctx context.Context) (time.Time, error) {
	now, limit := h.ports.Clock.Now(), h.sweptUntil.Add(maxAdvance)
	if h.sweptUntil.IsZero() {
		newest, err := h.ports.AuditTrail.List(ctx, audit.Query{Limit: 1})
		if err != nil {
			return time.Time{}, err
		}
		if len(newest) == 0 { // no events, and no sessions either, since each sign-in adds an event
			return now, nil
		}
		limit = newest[0].At
	}
	if limit.Before(now) {
		return limit, nil
	}
	return now, nil
}

// inBatches calls sweep until it deletes less than a batch, and returns the total.
func inBatches(sweep func() (int, error)) (total int, err error) {
	for {
		n, err := sweep()
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
