package sqltable

import (
	"context"
	"time"

	"roster/domain/audit"
	"roster/ports/outbound"
)

var eventTable = EventTable{
	Name: "audit_events",
	fields: []field[audit.Event]{
		clientText("id", func(e *audit.Event) *string { return (*string)(&e.ID) }),
		millis("at", func(e *audit.Event) *time.Time { return &e.At }),
		clientText("kind", func(e *audit.Event) *string { return (*string)(&e.Kind) }),
		clientText("actor", func(e *audit.Event) *string { return (*string)(&e.Actor) }),
		clientText("target", func(e *audit.Event) *string { return (*string)(&e.User) }),
		clientText("session", func(e *audit.Event) *string { return &e.Session }),
		clientText("channel", func(e *audit.Event) *string { return (*string)(&e.Channel) }),
		clientText("address", func(e *audit.Event) *string { return &e.Address }),
		clientText("user_agent", func(e *audit.Event) *string { return &e.UserAgent }),
		clientText("request_id", func(e *audit.Event) *string { return &e.RequestID }),
		clientText("detail", func(e *audit.Event) *string { return &e.Detail }),
	},
	snapshot: func(e *audit.Event) audit.Event { return *e },
	restore:  func(e audit.Event) (*audit.Event, error) { return &e, e.Check() },
}

type auditTrail struct{ *Tables }

var _ outbound.AuditTrail = auditTrail{}

func (t auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	for _, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
	}
	return t.EventTable.addOnce(ctx, "append audit events", events)
}

// record returns a function that stores the events and the mails of a change in its transaction.
func (t *Tables) record(effects []outbound.Effects) func(ctx context.Context, q Querier, op string) error {
	return func(ctx context.Context, q Querier, op string) error {
		occurred, caused, err := outbound.EffectsOf(effects)
		if err != nil {
			return t.d.refused(op, err)
		}
		for _, e := range occurred {
			if err := t.EventTable.addLater(ctx, q, op, e); err != nil {
				return err
			}
		}
		for _, m := range caused {
			if err := t.MailTable.addLater(ctx, q, op, m.Snapshot()); err != nil {
				return err
			}
		}
		return nil
	}
}

func (t auditTrail) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	query, args := t.db.EventList(t.EventTable, q)
	found, err := t.EventTable.List(ctx, "list audit events", query, args)
	out := make([]audit.Event, len(found))
	for i, e := range found {
		out[i] = *e
	}
	return out, err
}

func (t auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.EventTable.delete(ctx, "sweep audit events", t.SweepEvents, before.UnixMilli(), int64(max(limit, 0)))
}
