package application

import (
	"context"

	"roster/domain/audit"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Trail implements the use case about the audit trail.
type Trail struct{ events outbound.AuditTrail }

var _ inbound.Trail = (*Trail)(nil)

// NewTrail returns the use case on the ports p.
func NewTrail(p Ports) *Trail { return &Trail{p.AuditTrail} }

func (t *Trail) Events(ctx context.Context, actor inbound.Actor, read func() (audit.Query, error)) ([]audit.Event, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	q, err := read()
	if err != nil {
		return nil, err
	}
	q.Limit = max(q.Limit, 1)
	return t.events.List(ctx, q)
}
