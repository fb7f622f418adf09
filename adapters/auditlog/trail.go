// Package auditlog writes security events to the log as well as to the storage.
package auditlog

import (
	"context"

	"go.uber.org/zap"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// Trail is an audit trail that also logs each event. Events that cannot be stored are then in the log, which says that
// they are missing in the storage.
type Trail struct {
	outbound.AuditTrail
	log   *zap.Logger
	count func(audit.Event)
}

// New returns a Trail that stores events in kept. It calls count, unless nil, with each event.
func New(kept outbound.AuditTrail, log *zap.Logger, count func(audit.Event)) *Trail {
	if count == nil {
		count = func(audit.Event) {}
	}
	return &Trail{kept, log.Named("audit"), count}
}

// Append logs the events and stores them.
func (t *Trail) Append(ctx context.Context, events ...audit.Event) error {
	t.write(events)
	err := t.AuditTrail.Append(ctx, events...)
	if err != nil {
		for _, e := range events {
			t.log.Error("the event was not stored", zap.String("id", string(e.ID)), zap.Error(err))
		}
	}
	return err
}

// Users logs the events of changes once they are stored.
type Users struct {
	outbound.Users
	trail *Trail
}

// Users returns u with its events logged.
func (t *Trail) Users(u outbound.Users) *Users { return &Users{u, t} }

// Add adds x and logs its events.
func (u *Users) Add(ctx context.Context, x *user.User, events ...outbound.Effects) error {
	return u.trail.logged(events, func(e outbound.Effects) error { return u.Users.Add(ctx, x, e) })
}

// Update changes a user and logs the events.
func (u *Users) Update(
	ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects,
) (x *user.User, err error) {
	err = u.trail.logged(events, func(e outbound.Effects) error { x, err = u.Users.Update(ctx, id, change, e); return err })
	return x, err
}

// Delete deletes a user and logs the events.
func (u *Users) Delete(ctx context.Context, id user.ID, check func(*user.User) error, events ...outbound.Effects) error {
	return u.trail.logged(events, func(e outbound.Effects) error { return u.Users.Delete(ctx, id, check, e) })
}

// Sessions logs the events of changes once they are stored.
type Sessions struct {
	outbound.Sessions
	trail *Trail
}

// Sessions returns s with its events logged.
func (t *Trail) Sessions(s outbound.Sessions) *Sessions { return &Sessions{s, t} }

// Add adds x and logs its events.
func (s *Sessions) Add(ctx context.Context, x *session.Session, events ...outbound.Effects) error {
	return s.trail.logged(events, func(e outbound.Effects) error { return s.Sessions.Add(ctx, x, e) })
}

// Update changes a session and logs the events.
func (s *Sessions) Update(
	ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects,
) (x *session.Session, err error) {
	err = s.trail.logged(events, func(e outbound.Effects) error { x, err = s.Sessions.Update(ctx, id, change, e); return err })
	return x, err
}

// logged runs a change and logs the events that were stored with it.
func (t *Trail) logged(events []outbound.Effects, change func(outbound.Effects) error) error {
	var stored []audit.Event
	err := change(func() ([]audit.Event, []*mail.Mail) {
		var mails []*mail.Mail
		stored = nil
		for _, f := range events {
			e, m := f()
			stored, mails = append(stored, e...), append(mails, m...)
		}
		return stored, mails
	})
	if err == nil {
		t.write(stored)
	}
	return err
}

func (t *Trail) write(events []audit.Event) {
	for _, e := range events {
		t.log.Info(string(e.Kind), fields(e)...)
		t.count(e)
	}
}

func fields(e audit.Event) []zap.Field {
	out := []zap.Field{zap.String("id", string(e.ID)), zap.Time("at", e.At), zap.String("channel", string(e.Channel))}
	for _, f := range []struct{ name, value string }{
		{"actor", string(e.Actor)}, {"user", string(e.User)}, {"session", e.Session}, {"client", e.Address},
		{"user_agent", e.UserAgent}, {"request_id", e.RequestID}, {"detail", e.Detail},
	} {
		if f.value != "" {
			out = append(out, zap.String(f.name, f.value))
		}
	}
	return out
}
