package mongodb

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/outbound"
)

// eventDocument is an audit event as stored. Users have their ids in the form of the API, "" for none: events outlive
// users, and are ordered by time only.
type eventDocument struct {
	ID        string    `bson:"_id"`
	At        time.Time `bson:"at"`
	Kind      string    `bson:"kind"`
	Actor     string    `bson:"actor"`
	Target    string    `bson:"target"`
	Session   string    `bson:"session"`
	Channel   string    `bson:"channel"`
	Address   string    `bson:"address"`
	UserAgent string    `bson:"user_agent"`
	RequestID string    `bson:"request_id"`
	Detail    string    `bson:"detail"`
}

var eventTable = table[audit.Event, audit.Event, eventDocument]{
	name: "audit_events", record: "event",
	document: func(e audit.Event) eventDocument {
		return eventDocument{
			ID: string(e.ID), At: instant(e.At), Kind: string(e.Kind), Actor: string(e.Actor), Target: string(e.User),
			Session: e.Session, Channel: string(e.Channel), Address: e.Address, UserAgent: e.UserAgent,
			RequestID: e.RequestID, Detail: e.Detail,
		}
	},
	state: func(d eventDocument) audit.Event {
		return audit.Event{
			ID: audit.ID(d.ID), At: d.At, Kind: audit.Kind(d.Kind), Actor: user.ID(d.Actor), User: user.ID(d.Target),
			Session: d.Session, Channel: audit.Channel(d.Channel), Address: d.Address, UserAgent: d.UserAgent,
			RequestID: d.RequestID, Detail: d.Detail,
		}
	},
	id:       func(d eventDocument) string { return d.ID },
	snapshot: func(e *audit.Event) audit.Event { return *e },
	restore:  func(e audit.Event) (*audit.Event, error) { return &e, e.Check() },
}

type auditTrail struct{ s *Store }

var _ outbound.AuditTrail = auditTrail{}

// Append may leave some events stored after an outage in the middle: several
// documents have no atomicity together.
func (r auditTrail) Append(ctx context.Context, events ...audit.Event) error {
	e, err := effectsOf("append audit events", []outbound.Effects{func() ([]audit.Event, []*mail.Mail) { return events, nil }})
	if err != nil || e.none() {
		return cmp.Or(err, ctx.Err())
	}
	return r.s.insertEffects(ctx, e)
}

// List reads no more events than it returns, and of each kind that is
// asked for one more; with both an actor and a user, those of one of them until there are enough.
func (r auditTrail) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	filter, order := listEvents(q)
	found, err := eventTable.list(ctx, r.s, "list audit events", lookup{Find: eventTable.name, Filter: filter, Sort: order}, q.Limit)
	out := make([]audit.Event, len(found))
	for i, e := range found {
		out[i] = *e
	}
	return out, err
}

// Counts reads the index over kind and time alone.
func (r auditTrail) Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error) {
	counted, err := aggregateAll[struct {
		Kind string `bson:"_id"`
		N    int    `bson:"n"`
	}](ctx, r.s, "count audit events", countEvents(kinds, since, until), len(kinds))
	counts := make(map[audit.Kind]int, len(counted))
	for _, c := range counted {
		counts[audit.Kind(c.Kind)] = c.N
	}
	return counts, err
}

func countEvents(kinds []audit.Kind, since, until time.Time) aggregation {
	at := bson.D{{Key: "$gte", Value: instant(since)}, {Key: "$lt", Value: instant(until)}}
	return aggregation{Aggregate: eventTable.name, Pipeline: bson.A{
		is("$match", bson.D{{Key: "kind", Value: compared("$in", kinds)}, {Key: "at", Value: at}}),
		is("$group", bson.D{{Key: "_id", Value: "$kind"}, {Key: "n", Value: is("$sum", 1)}}),
	}}
}

// Sweep also inserts the events and mails that a failure or a crash left in documents.
func (r auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := r.s.publishAllLeft(ctx); err != nil {
		return 0, err
	}
	return r.s.sweep(ctx, "sweep audit events", eventTable.name, is("at", compared("$lt", instant(before))), byTime("at", true), limit)
}

// listEvents returns the filter and the order of a query.
func listEvents(q audit.Query) (filter, order bson.D) {
	var conditions bson.A
	switch kinds := slices.Compact(slices.Sorted(slices.Values(q.Kinds))); len(kinds) {
	case 0:
	case 1:
		conditions = append(conditions, is("kind", string(kinds[0])))
	default: // the server merges as many walks along an index
		conditions = append(conditions, is("kind", compared("$in", kinds)))
	}
	if q.Actor != "" {
		conditions = append(conditions, is("actor", string(q.Actor)))
	}
	if q.User != "" {
		conditions = append(conditions, is("target", string(q.User)))
	}
	after, before := q.Bounds()
	if after != nil {
		conditions = append(conditions, fromTime("at", true, after.At, string(after.ID)))
	}
	if before != nil {
		conditions = append(conditions, fromTime("at", false, before.At, string(before.ID)))
	}
	return all(conditions), byTime("at", q.Back)
}
