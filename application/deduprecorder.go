package application

import (
	"context"
	"sync"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/ports/outbound"
)

// dedupRecorder is a Recorder that suppresses repeated events by audit.Deduplicator. Flush records their counts,
// which are lost when the process is killed; the first event of each kind is always recorded. Each process counts on
// its own.
type dedupRecorder struct {
	Recorder
	mu    sync.Mutex
	dedup audit.Deduplicator
}

// Record adds an event, unless it is suppressed.
func (r *dedupRecorder) Record(ctx context.Context, e audit.Event) {
	r.appendEvents(ctx, r.due(r.stamp(ctx, e))...)
}

// due returns the events to record when e happens.
func (r *dedupRecorder) due(e audit.Event) []audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dedup.Add(e)
}

// deduplicated returns what a storage port calls for the event of a change, unless it is suppressed. occurred reports
// whether there is one. The change may run several times: an event counts as a repetition once for each kind.
func (r *dedupRecorder) deduplicated(ctx context.Context, occurred func() (audit.Event, bool)) outbound.Effects {
	due := make(map[audit.Kind][]audit.Event)
	return func() ([]audit.Event, []*mail.Mail) {
		e, ok := occurred()
		if !ok {
			return nil, nil
		}
		if _, seen := due[e.Kind]; !seen {
			due[e.Kind] = r.due(r.stamp(ctx, e))
		}
		return due[e.Kind], nil
	}
}

// Flush records the counts of suppressed events whose window is over or, with final, of all. The process calls it at
// intervals, and with final when it stops.
func (r *dedupRecorder) Flush(ctx context.Context, final bool) {
	r.mu.Lock()
	take := r.dedup.Due
	if final {
		take = r.dedup.Remaining
	}
	due := take(r.clock.Now())
	r.mu.Unlock()
	r.appendEvents(ctx, due...)
}
