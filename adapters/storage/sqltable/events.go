package sqltable

import (
	"context"
	"slices"
	"strings"
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

// Append skips events that are stored already.
func (t auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	const op = "append audit events"
	// Callers that append the same events do so in the same order. Otherwise they could deadlock.
	events = slices.SortedStableFunc(slices.Values(events), func(a, b audit.Event) int { return strings.Compare(string(a.ID), string(b.ID)) })
	rows := make([][]any, len(events))
	for i, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
		rows[i] = t.EventTable.values(&e)
	}
	if len(rows) == 0 {
		return ctx.Err()
	}
	mode := Statement
	if len(rows) > t.d.RowsPerStatement {
		mode = Durable
	}
	return t.db.Write(ctx, op, mode, func(ctx context.Context, q Querier) error {
		for some := range slices.Chunk(rows, t.d.RowsPerStatement) {
			query, args := t.EventTable.InsertOnce, some[0]
			if len(some) > 1 {
				query, args = t.d.InsertNew(t.EventTable.Name, t.EventTable.Columns, some, "id")
			}
			if _, err := q.Exec(ctx, query, args...); err != nil {
				return t.failure(ctx, op, err)
			}
		}
		return nil
	})
}

// record returns a function that stores the events of a change in its transaction.
func (t *Tables) record(events []outbound.Effects) func(ctx context.Context, q Querier, op string) error {
	return func(ctx context.Context, q Querier, op string) error {
		occurred, caused, err := outbound.EffectsOf(events)
		if err != nil {
			return t.d.refused(op, err)
		}
		for _, e := range occurred {
			failed := func(err error) error { return t.failure(ctx, op, err) }
			if err := later(ctx, q, t.EventTable.InsertOnce, t.EventTable.values(&e), failed); err != nil {
				return err
			}
		}
		return t.queue(ctx, q, op, caused)
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
