package application

import (
	"context"
	"sync"

	"roster/domain/audit"
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
	e = r.stamp(ctx, e)
	r.mu.Lock()
	due := r.dedup.Add(e)
	r.mu.Unlock()
	r.appendEvents(ctx, due...)
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
