package application

import (
	"context"
	"sync"

	"roster/domain/audit"
)

// repeats is a Recorder that counts what comes again and again, as audit.Repeats decides. What it counts is
// recorded by Flush, or lost when the process is killed: the first of such events never is. Each process counts by
// itself.
type repeats struct {
	Recorder
	mu   sync.Mutex
	held audit.Repeats
}

func (r *repeats) Record(ctx context.Context, e audit.Event) {
	e = r.stamp(ctx, e)
	r.mu.Lock()
	due := r.held.Note(e)
	r.mu.Unlock()
	r.append(ctx, due...)
}

// Flush records the counts of events that came again, once their minute is over; all of them when the process ends.
func (r *repeats) Flush(ctx context.Context, ends bool) {
	r.mu.Lock()
	take := r.held.Due
	if ends {
		take = r.held.Rest
	}
	due := take(r.clock.Now())
	r.mu.Unlock()
	r.append(ctx, due...)
}
