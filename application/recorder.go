package application

import (
	"context"
	"fmt"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// recordTimeout bounds the writing of an event, which continues when the client disconnects.
const recordTimeout = 5 * time.Second

// Recorder adds events to the audit trail.
type Recorder struct {
	events outbound.AuditTrail
	ids    outbound.EventIDs
	clock  outbound.Clock
}

// NewRecorder returns a recorder on the ports p.
func NewRecorder(p Ports) Recorder { return Recorder{p.AuditTrail, p.EventIDs, p.Clock} }

// Record adds an event. It returns no error, since the action is done and cannot be undone; the adapter of the trail
// logs the failure.
func (r Recorder) Record(ctx context.Context, e audit.Event) {
	r.appendEvents(ctx, r.stamp(ctx, e))
}

// stamp returns e with its id, time and origin, cleaned for storage.
func (r Recorder) stamp(ctx context.Context, e audit.Event) audit.Event {
	o := inbound.OriginOf(ctx)
	e.ID, e.At = r.ids.NewEventID(), r.clock.Now()
	e.Channel, e.Address, e.UserAgent, e.RequestID = o.Channel, o.Client.Address, o.Client.UserAgent, o.RequestID
	return e.Clean()
}

func (r Recorder) appendEvents(ctx context.Context, events ...audit.Event) {
	if len(events) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	_ = r.events.Append(ctx, events...)
}

// RecordChange records the difference of two states of a user. by is the acting user, or "" for the operator.
func (r Recorder) RecordChange(ctx context.Context, by user.ID, before, after user.Snapshot) {
	if detail := changeDetail(before, after); detail != "" {
		r.Record(ctx, audit.Event{Kind: audit.Changed, Actor: by, User: after.ID, Detail: detail})
	}
	if before.Password != after.Password {
		r.Record(ctx, audit.Event{Kind: audit.PasswordChanged, Actor: by, User: after.ID})
	}
}

// changeDetail returns the detail of an audit.Changed event. It leaves out the values of texts, which are personal
// data: events are kept longer than users.
func changeDetail(before, after user.Snapshot) string {
	fields := ChangedMembers(before, after)
	for i, name := range fields {
		switch name {
		case user.FieldActive:
			fields[i] = flagDetail(name, after.Active)
		case user.FieldStaff:
			fields[i] = flagDetail(name, after.Staff)
		}
	}
	return strings.Join(fields, " ")
}

func flagDetail(field string, value bool) string { return fmt.Sprintf("%s=%t", field, value) }

// ChangedMembers returns the API names of the fields in which two states of a user differ. It leaves out the
// password and the times.
func ChangedMembers(before, after user.Snapshot) []string {
	var names []string
	for _, m := range []struct {
		name    string
		changed bool
	}{
		{user.FieldEmail, before.Email != after.Email},
		{user.FieldFirstName, before.FirstName != after.FirstName},
		{user.FieldLastName, before.LastName != after.LastName},
		{user.FieldActive, before.Active != after.Active},
		{user.FieldStaff, before.Staff != after.Staff},
	} {
		if m.changed {
			names = append(names, m.name)
		}
	}
	return names
}
