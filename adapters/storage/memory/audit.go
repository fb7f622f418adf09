package memory

import (
	"context"
	"slices"
	"time"

	"roster/domain/audit"
	"roster/ports/outbound"
)

type auditTrail Store

var _ outbound.AuditTrail = (*auditTrail)(nil)

// Append implements outbound.AuditTrail.
func (s *auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
	}
	for _, e := range events {
		if _, there := s.events[e.ID]; !there {
			s.events[e.ID] = e
		}
	}
	return nil
}

// List implements outbound.AuditTrail.
func (s *auditTrail) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []audit.Event
	for _, e := range s.events {
		if q.Matches(e) && (q.From == nil || (e.Position().Compare(*q.From) > 0) == q.Back && e.Position() != *q.From) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b audit.Event) int {
		if q.Back {
			a, b = b, a
		}
		return b.Position().Compare(a.Position())
	})
	return found[:min(max(q.Limit, 0), len(found))], nil
}

// Sweep implements outbound.AuditTrail.
func (s *auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var old []audit.Event
	for _, e := range s.events {
		if e.At.Before(before) {
			old = append(old, e)
		}
	}
	slices.SortFunc(old, func(a, b audit.Event) int { return a.Position().Compare(b.Position()) })
	old = old[:min(max(limit, 0), len(old))]
	for _, e := range old {
		delete(s.events, e.ID)
	}
	return len(old), nil
}
