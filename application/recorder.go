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

// recordTimeout bounds the writing of one event, which goes on when the client has gone.
const recordTimeout = 5 * time.Second

// Recorder adds to the audit trail what the use cases do.
type Recorder struct {
	events outbound.AuditTrail
	ids    outbound.EventIDs
	clock  outbound.Clock
}

func NewRecorder(p Ports) Recorder { return Recorder{p.AuditTrail, p.EventIDs, p.Clock} }

// Record adds an event. What happened has happened: that it cannot be recorded does not undo it, and
// is for the trail itself to tell the operator.
func (r Recorder) Record(ctx context.Context, e audit.Event) {
	r.append(ctx, r.stamp(ctx, e))
}

// stamp returns e with its id, its time and where the request comes from, fit to be recorded.
func (r Recorder) stamp(ctx context.Context, e audit.Event) audit.Event {
	o := inbound.OriginOf(ctx)
	e.ID, e.At = r.ids.NewEventID(), r.clock.Now()
	e.Channel, e.Address, e.UserAgent, e.RequestID = o.Channel, o.Client.Address, o.Client.UserAgent, o.RequestID
	return e.Clean()
}

func (r Recorder) append(ctx context.Context, events ...audit.Event) {
	if len(events) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	_ = r.events.Append(ctx, events...)
}

// RecordChange records what a change of a user came to.
func (r Recorder) RecordChange(ctx context.Context, by user.ID, before, after user.Snapshot) {
	if detail := changes(before, after); detail != "" {
		r.Record(ctx, audit.Event{Kind: audit.Changed, Actor: by, User: after.ID, Detail: detail})
	}
	if before.Password != after.Password {
		r.Record(ctx, audit.Event{Kind: audit.PasswordChanged, Actor: by, User: after.ID})
	}
}

// changes describes the difference of two states of a user, as the detail of an event: the members that
// differ, apart by blanks, each flag with what it became, as in "email is_staff=true". Of texts the values are
// left out: they are personal data, and events outlive users.
func changes(before, after user.Snapshot) string {
	members := ChangedMembers(before, after)
	for i, name := range members {
		switch name {
		case user.FieldActive:
			members[i] = flagDetail(name, after.Active)
		case user.FieldStaff:
			members[i] = flagDetail(name, after.Staff)
		}
	}
	return strings.Join(members, " ")
}

func flagDetail(member string, value bool) string { return fmt.Sprintf("%s=%t", member, value) }

// ChangedMembers names the members in which two states of a user differ, as callers spell them.
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
