package sqltable

import (
	"context"
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

func (t auditTrail) Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error) {
	counts := make(map[audit.Kind]int)
	if len(kinds) == 0 {
		return counts, ctx.Err()
	}
	query, args := t.CountEvents(kinds, since, until)
	err := t.db.Read(ctx, func(ctx context.Context, q Querier) error {
		err := q.QueryEach(ctx, query, args, func(row Row) error {
			var kind string
			var n int
			err := row.Scan(&kind, &n)
			counts[audit.Kind(kind)] = n
			return err
		})
		return t.failure(ctx, "count audit events", err)
	})
	return counts, err
}

// CountEvents returns the statement that counts events. It reads a range of the index over kind and time for each kind.
func (t *Tables) CountEvents(kinds []audit.Kind, since, until time.Time) (string, []any) {
	w := t.EventTable.Where()
	of := make([]string, len(kinds))
	for i, kind := range kinds {
		of[i] = w.Bind(string(kind))
	}
	w.And("kind IN (" + strings.Join(of, ", ") + ")")
	w.And("at >= " + w.Bind(since.UnixMilli()))
	w.And("at < " + w.Bind(until.UnixMilli()))
	return "SELECT kind, count(*) FROM " + t.EventTable.Name + w.String() + " GROUP BY kind", w.Args
}

func (t auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.EventTable.delete(ctx, "sweep audit events", t.SweepEvents, before.UnixMilli(), int64(max(limit, 0)))
}
