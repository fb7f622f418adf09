package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"roster/domain/audit"
	"roster/domain/user"
	"roster/ports/outbound"
)

var eventTable = table[audit.Event]{
	name: "audit_events",
	fields: []string{
		"id", "at", "kind", "actor", "target", "session", "channel", "address", "user_agent", "request_id", "detail",
	},
	row: func(e *audit.Event) []any {
		return []any{ // any bytes that a client sends
			plain(string(e.ID)), e.At.UnixMilli(), plain(string(e.Kind)), plain(string(e.Actor)), plain(string(e.User)), plain(e.Session),
			plain(string(e.Channel)), plain(e.Address), plain(e.UserAgent), plain(e.RequestID), plain(e.Detail),
		}
	},
	scan: func(row pgx.Row) (*audit.Event, error) {
		var e audit.Event
		var at int64
		var id, kind, actor, target, channel string
		if err := row.Scan(&id, &at, &kind, &actor, &target, &e.Session, &channel,
			&e.Address, &e.UserAgent, &e.RequestID, &e.Detail); err != nil {
			return nil, err
		}
		e.ID, e.At, e.Kind, e.Channel = audit.ID(id), time.UnixMilli(at).UTC(), audit.Kind(kind), audit.Channel(channel)
		e.Actor, e.User = user.ID(actor), user.ID(target)
		return restored(id, &e, e.Check())
	},
}

// appendEvents leaves events alone that are there, so it can be repeated.
var appendEvents = eventTable.insertAll() + " ON CONFLICT (id) DO NOTHING"

type auditTrail struct{ s *Store }

var _ outbound.AuditTrail = auditTrail{}

// Append implements outbound.AuditTrail.
func (r auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	// Whoever appends the same ones does so in the same order: of two who each have what the other wants
	// next, the server would have to stop one.
	events = slices.SortedStableFunc(slices.Values(events), func(a, b audit.Event) int { return strings.Compare(string(a.ID), string(b.ID)) })
	rows := make([][]any, len(events))
	for i, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
		rows[i] = eventTable.row(&e)
	}
	return r.s.read(ctx, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, appendEvents, eventTable.columns(rows)...)
		return translate(ctx, "append audit events", err)
	})
}

// List implements outbound.AuditTrail. It reads no more events than it returns, and of each kind that is
// asked for one more; with both an actor and a user, those of one of them until there are enough.
func (r auditTrail) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	query, args := listEvents(q)
	found, err := eventTable.list(ctx, r.s, "list audit events", query, args)
	out := make([]audit.Event, len(found))
	for i, e := range found {
		out[i] = *e
	}
	return out, err
}

// sweepEvents passes over events that another instance sweeps.
const sweepEvents = `DELETE FROM audit_events WHERE id = ANY(ARRAY(
	SELECT id FROM audit_events WHERE at < $1 ORDER BY at, id LIMIT $2 FOR UPDATE SKIP LOCKED))`

// Sweep implements outbound.AuditTrail.
func (r auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return r.s.delete(ctx, "sweep audit events", sweepEvents, before.UnixMilli(), int64(max(limit, 0)))
}

// listEvents returns the statement for a query: one walk along an index, or one for each kind, merged.
func listEvents(q audit.Query) (string, []any) {
	k := keyset{time: "at", back: q.Back}
	for _, c := range []struct {
		column string
		id     user.ID
	}{{"actor", q.Actor}, {"target", q.User}} {
		if c.id != "" {
			k.and(c.column + " <> ''") // which its indexes need to be told
			k.and(c.column + " = " + k.given(plain(string(c.id))))
		}
	}
	after, before := q.Bounds()
	if after != nil {
		k.newer(after.At, string(after.ID))
	}
	if before != nil {
		k.older(before.At, string(before.ID))
	}
	kinds := slices.Compact(slices.Sorted(slices.Values(q.Kinds)))
	if len(kinds) == 1 {
		k.and("kind = " + k.given(plain(string(kinds[0]))))
	}
	end := k.end(q.Limit)
	if len(kinds) < 2 {
		return eventTable.selectAll() + k.String() + end, k.args
	}
	var walks []string
	for _, kind := range kinds {
		of := k.where
		of.parts = append(slices.Clip(of.parts), "kind = "+k.given(plain(string(kind))))
		// Without an end of its own it would be read and sorted whole where it is common.
		walks = append(walks, "("+eventTable.selectAll()+of.String()+end+")")
	}
	return strings.Join(walks, " UNION ALL ") + end, k.args
}
