package conformance_test

import (
	"context"
	"errors"
	"time"

	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type flawedSessions struct {
	outbound.Sessions
	f *flawed
}

func (r flawedSessions) Add(ctx context.Context, x *session.Session, events ...outbound.Effects) error {
	switch r.f.defect {
	case "adds a session twice":
		if _, err := r.Sessions.Update(ctx, x.ID(), func(y *session.Session) error { *y = *x; return nil }); err == nil {
			return nil
		}
	case "drops the last use":
		x = changed(x, func(s *session.Snapshot) { s.UsedAt = time.Time{} })
	case "drops the secret of a browser":
		x = changed(x, func(s *session.Snapshot) { s.Browser = "" })
	}
	return r.Sessions.Add(ctx, x, events...)
}

func (r flawedSessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects) (*session.Session, error) {
	if r.f.defect != "rotates without CAS" {
		return r.Sessions.Update(ctx, id, change, events...)
	}
	return r.Sessions.Update(ctx, id, func(x *session.Session) error {
		v := forget(r.f, string(id), x)
		if err := change(v); err != nil {
			return err
		}
		*x = *v
		return nil
	})
}

func (r flawedSessions) DeleteOf(ctx context.Context, owner user.ID) error {
	if r.f.defect == "deletes by prefix" && owner == "1" {
		if err := r.Sessions.DeleteOf(ctx, "11"); err != nil {
			return err
		}
	}
	if r.f.defect == "deletes events with sessions" {
		if _, err := r.f.Backend.AuditTrail().Sweep(ctx, time.Unix(1<<40, 0), 1000); err != nil {
			return err
		}
	}
	if r.f.defect == "deletes mails with sessions" {
		all, err := r.f.Backend.Mails().List(ctx, mail.Query{Limit: 1000})
		for _, m := range all {
			_, _ = r.f.Backend.Mails().Update(ctx, m.ID(), func(m *mail.Mail) error { m.Drop(time.Unix(1, 0), ""); return nil })
		}
		if _, err2 := r.f.Backend.Mails().Sweep(ctx, mail.Dropped, time.Unix(1<<40, 0), 1000); err != nil || err2 != nil {
			return errors.Join(err, err2)
		}
	}
	return r.Sessions.DeleteOf(ctx, owner)
}

func (r flawedSessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	switch r.f.defect {
	case "sweeps too late":
		now = now.Add(-time.Millisecond)
	case "sweeps no put sessions":
		limit = 0
	case "sweeps without limit":
		limit = 1000
	}
	return r.Sessions.Sweep(ctx, now, limit)
}

// changed returns x with another state.
func changed(x *session.Session, change func(*session.Snapshot)) *session.Session {
	s := x.Snapshot()
	change(&s)
	y, err := session.Restore(s)
	if err != nil {
		panic(err)
	}
	return y
}

func (r flawedSessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	switch r.f.defect {
	case "lists expired sessions":
		q.LiveAt = q.LiveAt.Add(-time.Millisecond)
	case "lists sessions of older epochs":
		q.Epoch = 0
	case "lists sessions too late":
		if q.Epoch > 0 {
			q.Epoch++
		}
	case "lists others' sessions":
		if q.Owner == "1" {
			q.Owner = "11"
		}
	case "lists old sessions first":
		if q.From == nil {
			q.Back = true
		}
	case "skips revoked sessions too":
		if _, err := r.Get(ctx, "revoked"); err == nil {
			q.Skip = max(q.Skip-1, 0)
		}
	case "pages sessions by time alone":
		if q.From != nil && !q.Back {
			q.From = &session.Position{Created: q.From.Created}
		}
	case "forgets sessions that are gone":
		if q.From != nil {
			if _, err := r.Get(ctx, q.From.ID); err != nil {
				return nil, nil
			}
		}
	case "lists sessions for ever":
		ctx = context.WithoutCancel(ctx)
	}
	xs, err := r.Sessions.List(ctx, q)
	if x, gone := r.Get(ctx, "revoked"); r.f.defect == "lists revoked sessions" && gone == nil {
		xs = append(xs, x)
	}
	return xs, err
}
