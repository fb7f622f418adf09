package application

import (
	"context"
	"fmt"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// recordTimeout bounds the writing of an event, which continues when the client disconnects.
const recordTimeout = 5 * time.Second

// Recorder adds events to the audit trail.
type Recorder struct {
	trail outbound.AuditTrail
	ids   outbound.EventIDs
	clock outbound.Clock
	mail  mailer
}

// NewRecorder returns a recorder on the ports p. UpdateUser queues no mails.
func NewRecorder(p Ports) Recorder {
	return Recorder{trail: p.AuditTrail, ids: p.EventIDs, clock: p.Clock}
}

// newMailingRecorder is NewRecorder for a recorder whose UpdateUser queues the mails about a change.
func newMailingRecorder(p Ports, s Settings) Recorder {
	r := NewRecorder(p)
	r.mail = newMailer(p, s)
	return r
}

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

// events returns what a storage port calls for the events of a change: e, stamped.
func (r Recorder) events(ctx context.Context, e func() []audit.Event) outbound.Effects {
	return func() ([]audit.Event, []*mail.Mail) {
		all := e()
		for i := range all {
			all[i] = r.stamp(ctx, all[i])
		}
		return all, nil
	}
}

// effects is events with the mails of a change.
func (r Recorder) effects(ctx context.Context, e func() []audit.Event, mails func() []*mail.Mail) outbound.Effects {
	events := r.events(ctx, e)
	return func() ([]audit.Event, []*mail.Mail) {
		all, _ := events()
		return all, mails()
	}
}

// event is events for an event that does not depend on the change.
func (r Recorder) event(ctx context.Context, e audit.Event) outbound.Effects {
	return r.events(ctx, func() []audit.Event { return []audit.Event{e} })
}

func (r Recorder) appendEvents(ctx context.Context, events ...audit.Event) {
	if len(events) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	_ = r.trail.Append(ctx, events...)
}

// RecordChange records the difference of two states of a user. by is the acting user, or "" for the operator.
func (r Recorder) RecordChange(ctx context.Context, by user.ID, before, after user.Snapshot) {
	for _, e := range changeEvents(by, before, after) {
		r.Record(ctx, e)
	}
}

func changeEvents(by user.ID, before, after user.Snapshot) (events []audit.Event) {
	if detail := changeDetail(before, after); detail != "" {
		events = append(events, audit.Event{Kind: audit.Changed, Actor: by, User: after.ID, Detail: detail})
	}
	if after.Contact.NewEmailKey != "" && before.Contact.NewEmailKey != after.Contact.NewEmailKey {
		events = append(events, audit.Event{Kind: audit.EmailRequested, Actor: by, User: after.ID})
	}
	if before.Password != after.Password {
		events = append(events, audit.Event{Kind: audit.PasswordChanged, Actor: by, User: after.ID})
	}
	return events
}

// UpdateUser changes a user and records the difference. by is the acting user, or "" for the operator.
func (r Recorder) UpdateUser(
	ctx context.Context, users outbound.Users, by, id user.ID, change func(*user.User) error,
) (*user.User, error) {
	var before, after user.Snapshot
	return users.Update(ctx, id, func(u *user.User) error {
		before = u.Snapshot()
		err := change(u)
		after = u.Snapshot()
		return err
	}, r.effects(ctx, func() []audit.Event { return changeEvents(by, before, after) },
		func() []*mail.Mail { return r.mail.ofChange(ctx, before, after) }))
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
		{user.FieldLocale, before.Contact.Locale != after.Contact.Locale},
	} {
		if m.changed {
			names = append(names, m.name)
		}
	}
	return names
}
