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

// doneByStaff are the kinds of events in which staff or the operator can change the account of another user.
var doneByStaff = []audit.Kind{
	audit.Registered, audit.Changed, audit.PasswordChanged, audit.Unlocked, audit.SessionRevoked, audit.SessionsRevoked,
	audit.LinkRequested, audit.EmailRequested,
}

const (
	ownPage  = 100
	ownPages = 10 // bounds what the events that a user caused itself can cost
)

func (t *Trail) DoneToMe(ctx context.Context, actor inbound.Actor, limit int) (found []audit.Event, err error) {
	if actor.Anonymous() {
		return nil, inbound.ErrNoCredentials
	}
	q := audit.Query{Filter: audit.Filter{Kinds: doneByStaff, User: actor.ID()}, Limit: ownPage}
	for range ownPages {
		page, err := t.events.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			byOther := e.Actor != "" && !actor.Is(e.Actor) || e.Channel == audit.Operator
			if byOther && len(found) < limit {
				e.Actor, e.Address, e.UserAgent, e.RequestID = "", "", "", ""
				found = append(found, e)
			}
		}
		if len(page) < ownPage || len(found) == limit {
			break
		}
		last := page[len(page)-1].Position()
		q.From = &last
	}
	return found, nil
}
