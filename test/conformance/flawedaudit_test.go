package conformance_test

import (
	"context"
	"slices"
	"time"

	"roster/domain/audit"
	"roster/ports/outbound"
)

type flawedAudit struct {
	outbound.AuditTrail
	f *flawed
}

func (r flawedAudit) Append(ctx context.Context, events ...audit.Event) error {
	switch r.f.defect {
	case "drops a field of an event":
		events = slices.Clone(events)
		for i := range events {
			events[i].RequestID = ""
		}
	case "appends without a context":
		ctx = context.WithoutCancel(ctx)
	case "appends half a batch":
		for _, e := range events {
			if err := r.AuditTrail.Append(ctx, e); err != nil {
				return err
			}
		}
	case "replaces a duplicate":
		for _, e := range events {
			if err := r.remove(ctx, e.ID); err != nil {
				return err
			}
		}
	case "refuses a duplicate":
		for _, e := range events {
			if there, err := r.find(ctx, e.ID); err != nil || there != nil {
				return audit.ErrBadEvent
			}
		}
	case "stops at a duplicate":
		for i, e := range events {
			if there, err := r.find(ctx, e.ID); err != nil || there != nil {
				events = events[:i]
				break
			}
		}
	}
	return r.AuditTrail.Append(ctx, events...)
}

// find returns the event with an id, or nil.
func (r flawedAudit) find(ctx context.Context, id audit.ID) (*audit.Event, error) {
	all, err := r.AuditTrail.List(ctx, audit.Query{Limit: 10_000})
	if i := slices.IndexFunc(all, func(e audit.Event) bool { return e.ID == id }); i >= 0 {
		return &all[i], err
	}
	return nil, err
}

// remove deletes the event with an id.
func (r flawedAudit) remove(ctx context.Context, id audit.ID) error {
	all, err := r.AuditTrail.List(ctx, audit.Query{Limit: 10_000})
	if err != nil {
		return err
	}
	if _, err := r.AuditTrail.Sweep(ctx, time.Unix(1<<40, 0), len(all)); err != nil {
		return err
	}
	return r.AuditTrail.Append(ctx, slices.DeleteFunc(all, func(e audit.Event) bool { return e.ID == id })...)
}

func (r flawedAudit) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	switch r.f.defect {
	case "lists the oldest first":
		if q.From == nil {
			q.Back = true
		}
	case "pages events by time alone":
		if q.From != nil && !q.Back {
			q.From = &audit.Position{At: q.From.At}
		}
	case "includes the place of an event":
		if q.From != nil && !q.Back {
			q.From = &audit.Position{At: q.From.At, ID: q.From.ID + "\x00"}
		}
	case "forgets events that are gone":
		if q.From != nil {
			if e, err := r.find(ctx, q.From.ID); err != nil || e == nil {
				return nil, err
			}
		}
	case "takes the first kind":
		q.Kinds = q.Kinds[:min(1, len(q.Kinds))]
	case "does not merge kinds":
		if len(q.Kinds) > 1 {
			return r.byTurns(ctx, q)
		}
	case "knows no other kinds":
		if len(q.Kinds) == 0 {
			q.Kinds = audit.Kinds()
		}
	case "takes either actor or user":
		if q.Actor != "" {
			q.User = ""
		}
	case "takes since as after":
		if !q.Since.IsZero() {
			q.Since = q.Since.Add(time.Millisecond)
		}
	case "takes until as up to":
		if !q.Until.IsZero() {
			q.Until = q.Until.Add(time.Millisecond)
		}
	case "rounds since down":
		q.Since = q.Since.Truncate(time.Millisecond)
	}
	return r.AuditTrail.List(ctx, q)
}

func (r flawedAudit) byTurns(ctx context.Context, q audit.Query) (all []audit.Event, err error) {
	kinds := slices.Compact(slices.Sorted(slices.Values(q.Kinds)))
	for _, k := range kinds {
		q.Kinds = []audit.Kind{k}
		of, err := r.AuditTrail.List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all[:min(q.Limit, len(all))], nil
}

func (r flawedAudit) Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error) {
	switch r.f.defect {
	case "counts the first kind":
		kinds = kinds[:min(1, len(kinds))]
	case "counts other kinds":
		kinds = append(slices.Clone(kinds), audit.SignInFailed)
	case "counts after since":
		since = since.Add(time.Millisecond)
	case "counts up to until":
		until = until.Add(time.Millisecond)
	case "counts without a context":
		ctx = context.WithoutCancel(ctx)
	}
	return r.AuditTrail.Counts(ctx, kinds, since, until)
}

func (r flawedAudit) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	switch r.f.defect {
	case "sweeps events too early":
		before = before.Add(time.Millisecond)
	case "sweeps events without limit":
		limit = 1000
	case "sweeps the newest":
		return r.sweepNewest(ctx, before, limit)
	}
	return r.AuditTrail.Sweep(ctx, before, limit)
}

func (r flawedAudit) sweepNewest(ctx context.Context, before time.Time, limit int) (int, error) {
	old, err := r.AuditTrail.List(ctx, audit.Query{Filter: audit.Filter{Until: before}, Limit: limit})
	for _, e := range old {
		if err := r.remove(ctx, e.ID); err != nil {
			return 0, err
		}
	}
	return len(old), err
}
