package memory

import (
	"context"
	"slices"
	"time"

	"roster/domain/audit"
	"roster/ports/outbound"
)

type auditTrail struct {
	*shelf[audit.ID, audit.Event, audit.Event]
}

var _ outbound.AuditTrail = auditTrail{}

func (s auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	return s.write(ctx, func() error {
		for _, e := range events {
			if err := e.Check(); err != nil {
				return err
			}
		}
		record(s.kept, events)
		return nil
	})
}

// record stores events with unused ids.
func record(kept map[audit.ID]audit.Event, events []audit.Event) {
	for _, e := range events {
		if _, there := kept[e.ID]; !there {
			kept[e.ID] = e
		}
	}
}

func (s auditTrail) List(ctx context.Context, q audit.Query) (found []audit.Event, err error) {
	err = s.read(ctx, func() error { found = s.states(q.Matches); return nil })
	return stretch(found, audit.Event.Position, audit.Position.Compare, q.From, q.Back, 0, q.Limit), err
}

func (s auditTrail) Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error) {
	counts := make(map[audit.Kind]int)
	return counts, s.read(ctx, func() error {
		for _, e := range s.kept {
			if slices.Contains(kinds, e.Kind) && !e.At.Before(since) && e.At.Before(until) {
				counts[e.Kind]++
			}
		}
		return nil
	})
}

func (s auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.sweep(ctx, limit, func(e audit.Event) bool { return e.At.Before(before) },
		func(a, b audit.Event) int { return a.Position().Compare(b.Position()) })
}
