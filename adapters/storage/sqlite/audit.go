package sqlite

import (
	"context"
	"slices"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/ports/outbound"
)

var eventTable = table[audit.Event]{
	name: "audit_events",
	fields: []string{
		"id", "at", "kind", "actor", "target", "session", "channel", "address", "user_agent", "request_id", "detail",
	},
	row: func(e *audit.Event) []any {
		return []any{
			string(e.ID), e.At.UnixMilli(), string(e.Kind), string(e.Actor), string(e.User), e.Session, string(e.Channel),
			e.Address, e.UserAgent, e.RequestID, e.Detail,
		}
	},
	scan: func(row scanner) (*audit.Event, error) {
		var e audit.Event
		var at int64
		if err := row.Scan(&e.ID, &at, &e.Kind, &e.Actor, &e.User, &e.Session, &e.Channel,
			&e.Address, &e.UserAgent, &e.RequestID, &e.Detail); err != nil {
			return nil, err
		}
		e.At = time.UnixMilli(at).UTC()
		return restored(string(e.ID), &e, e.Check())
	},
}

const sweepEvents = "DELETE FROM audit_events WHERE rowid IN (SELECT rowid FROM audit_events WHERE at < ? ORDER BY at, id LIMIT ?)"

// appendEvent leaves an event alone that is there. (INSERT OR IGNORE would also pass over defects.)
func appendEvent() string { return eventTable.insert() + " ON CONFLICT (id) DO NOTHING" }

type auditTrail struct{ s *Store }

var _ outbound.AuditTrail = auditTrail{}

// Append implements outbound.AuditTrail.
func (r auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	const op = "append audit events"
	for _, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
	}
	return r.s.write(ctx, op, func(q querier) error {
		for _, e := range events {
			if _, err := q.ExecContext(ctx, appendEvent(), eventTable.row(&e)...); err != nil {
				return translate(ctx, op, err)
			}
		}
		return nil
	})
}

// List implements outbound.AuditTrail. It reads no more events than it returns, and of each kind that is
// asked for one more; with both an actor and a user, those of the actor until there are enough.
func (r auditTrail) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	query, args := listEvents(q)
	found, err := eventTable.list(ctx, r.s, "list audit events", query, args)
	out := make([]audit.Event, len(found))
	for i, e := range found {
		out[i] = *e
	}
	return out, err
}

// Sweep implements outbound.AuditTrail.
func (r auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	gone, err := r.s.delete(ctx, "sweep audit events", sweepEvents, before.UnixMilli(), max(limit, 0))
	if err == nil && gone < limit { // the last step of the housekeeping
		err = r.s.emptyLog(ctx)
	}
	return gone, err
}

// listEvents returns the statement for a query: one walk along an index, or one for each kind, merged.
func listEvents(q audit.Query) (string, []any) {
	k := keyset{time: "at", back: q.Back}
	index := eventTable.name
	if q.Actor != "" {
		index += "_actor"
		k.and("actor <> ''") // which the index needs to be told
		k.and("actor = " + k.given(string(q.Actor)))
	}
	if q.User != "" {
		if q.Actor == "" {
			index += "_target"
			k.and("target <> ''")
		}
		k.and("target = " + k.given(string(q.User)))
	}
	after, before := q.Bounds()
	if after != nil {
		k.newer(after.At, string(after.ID))
	}
	if before != nil {
		k.older(before.At, string(before.ID))
	}
	var walks []string
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(q.Kinds))) {
		of := append(slices.Clip(k.parts), "kind = "+k.given(string(kind)))
		walks = append(walks, eventTable.selectAll()+" INDEXED BY "+index+"_kind"+allOf(of))
	}
	if len(walks) == 0 {
		if index == eventTable.name {
			index += "_at"
		}
		walks = []string{eventTable.selectAll() + " INDEXED BY " + index + k.String()}
	}
	return strings.Join(walks, " UNION ALL ") + k.end(q.Limit), k.args
}
