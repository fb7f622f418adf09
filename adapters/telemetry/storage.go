package telemetry

import (
	"context"
	"time"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type users struct {
	next outbound.Users
	o    Observer
}

// Users returns u, observed.
func (o Observer) Users(u outbound.Users) outbound.Users { return users{u, o} }

func (u users) Add(ctx context.Context, x *user.User, events ...outbound.Effects) error {
	return u.o.observe(ctx, Storage, "users.add", func(ctx context.Context) error { return u.next.Add(ctx, x, events...) })
}

func (u users) Get(ctx context.Context, id user.ID) (*user.User, error) {
	return observed(ctx, u.o, Storage, "users.get", func(ctx context.Context) (*user.User, error) { return u.next.Get(ctx, id) })
}

func (u users) WithSession(ctx context.Context, id user.ID, s session.ID) (found *user.User, of *session.Session, err error) {
	err = u.o.observe(ctx, Storage, "users.with_session", func(ctx context.Context) error {
		found, of, err = u.next.WithSession(ctx, id, s)
		return err
	})
	return found, of, err
}

func (u users) ByEmail(ctx context.Context, key string) (*user.User, error) {
	return observed(ctx, u.o, Storage, "users.by_email", func(ctx context.Context) (*user.User, error) { return u.next.ByEmail(ctx, key) })
}

func (u users) Update(
	ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects,
) (*user.User, error) {
	return observed(ctx, u.o, Storage, "users.update", func(ctx context.Context) (*user.User, error) {
		return u.next.Update(ctx, id, change, events...)
	})
}

func (u users) Delete(ctx context.Context, id user.ID, check func(*user.User) error, events ...outbound.Effects) error {
	return u.o.observe(ctx, Storage, "users.delete", func(ctx context.Context) error { return u.next.Delete(ctx, id, check, events...) })
}

func (u users) Invited(ctx context.Context, after user.ID, limit int) ([]*user.User, error) {
	return observed(ctx, u.o, Storage, "users.invited", func(ctx context.Context) ([]*user.User, error) {
		return u.next.Invited(ctx, after, limit)
	})
}

func (u users) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	return observed(ctx, u.o, Storage, "users.list", func(ctx context.Context) ([]*user.User, error) { return u.next.List(ctx, q) })
}

func (u users) Count(ctx context.Context, f user.Filter) (int, error) {
	return observed(ctx, u.o, Storage, "users.count", func(ctx context.Context) (int, error) { return u.next.Count(ctx, f) })
}

type sessions struct {
	next outbound.Sessions
	o    Observer
}

// Sessions returns s, observed.
func (o Observer) Sessions(s outbound.Sessions) outbound.Sessions { return sessions{s, o} }

func (s sessions) Add(ctx context.Context, x *session.Session, events ...outbound.Effects) error {
	return s.o.observe(ctx, Storage, "sessions.add", func(ctx context.Context) error { return s.next.Add(ctx, x, events...) })
}

func (s sessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	return observed(ctx, s.o, Storage, "sessions.get", func(ctx context.Context) (*session.Session, error) { return s.next.Get(ctx, id) })
}

func (s sessions) Update(
	ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects,
) (*session.Session, error) {
	return observed(ctx, s.o, Storage, "sessions.update", func(ctx context.Context) (*session.Session, error) {
		return s.next.Update(ctx, id, change, events...)
	})
}

func (s sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	return observed(ctx, s.o, Storage, "sessions.list", func(ctx context.Context) ([]*session.Session, error) { return s.next.List(ctx, q) })
}

func (s sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	return s.o.observe(ctx, Storage, "sessions.delete_of", func(ctx context.Context) error { return s.next.DeleteOf(ctx, owner) })
}

func (s sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return observed(ctx, s.o, Storage, "sessions.sweep", func(ctx context.Context) (int, error) { return s.next.Sweep(ctx, now, limit) })
}

type attempts struct {
	next outbound.Attempts
	o    Observer
}

// Attempts returns a, observed.
func (o Observer) Attempts(a outbound.Attempts) outbound.Attempts { return attempts{a, o} }

func (a attempts) Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error) {
	return observed(ctx, a.o, Storage, "attempts.get", func(ctx context.Context) (*lockout.Record, error) { return a.next.Get(ctx, s) })
}

func (a attempts) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	return observed(ctx, a.o, Storage, "attempts.update", func(ctx context.Context) (*lockout.Record, error) {
		return a.next.Update(ctx, s, change)
	})
}

func (a attempts) DeleteOf(ctx context.Context, of lockout.Account) (int, error) {
	return observed(ctx, a.o, Storage, "attempts.delete_of", func(ctx context.Context) (int, error) { return a.next.DeleteOf(ctx, of) })
}

func (a attempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return observed(ctx, a.o, Storage, "attempts.sweep", func(ctx context.Context) (int, error) { return a.next.Sweep(ctx, now, limit) })
}

type trail struct {
	next outbound.AuditTrail
	o    Observer
}

// AuditTrail returns t, observed.
func (o Observer) AuditTrail(t outbound.AuditTrail) outbound.AuditTrail { return trail{t, o} }

func (t trail) Append(ctx context.Context, events ...audit.Event) error {
	return t.o.observe(ctx, Storage, "events.append", func(ctx context.Context) error { return t.next.Append(ctx, events...) })
}

func (t trail) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	return observed(ctx, t.o, Storage, "events.list", func(ctx context.Context) ([]audit.Event, error) { return t.next.List(ctx, q) })
}

func (t trail) Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error) {
	return observed(ctx, t.o, Storage, "events.counts", func(ctx context.Context) (map[audit.Kind]int, error) {
		return t.next.Counts(ctx, kinds, since, until)
	})
}

func (t trail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return observed(ctx, t.o, Storage, "events.sweep", func(ctx context.Context) (int, error) { return t.next.Sweep(ctx, before, limit) })
}

type mails struct {
	next outbound.Mails
	o    Observer
}

// Mails returns m, observed.
func (o Observer) Mails(m outbound.Mails) outbound.Mails { return mails{m, o} }

func (m mails) Add(ctx context.Context, added ...*mail.Mail) error {
	return m.o.observe(ctx, Storage, "mails.add", func(ctx context.Context) error { return m.next.Add(ctx, added...) })
}

func (m mails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	return observed(ctx, m.o, Storage, "mails.update", func(ctx context.Context) (*mail.Mail, error) { return m.next.Update(ctx, id, change) })
}

func (m mails) Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error) {
	return observed(ctx, m.o, Storage, "mails.due", func(ctx context.Context) ([]*mail.Mail, error) { return m.next.Due(ctx, now, limit) })
}

func (m mails) Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error) {
	return observed(ctx, m.o, Storage, "mails.begun", func(ctx context.Context) ([]*mail.Mail, error) {
		return m.next.Begun(ctx, key, since, limit)
	})
}

func (m mails) List(ctx context.Context, q mail.Query) ([]*mail.Mail, error) {
	return observed(ctx, m.o, Storage, "mails.list", func(ctx context.Context) ([]*mail.Mail, error) { return m.next.List(ctx, q) })
}

func (m mails) Sweep(ctx context.Context, state mail.State, before time.Time, limit int) (int, error) {
	return observed(ctx, m.o, Storage, "mails.sweep", func(ctx context.Context) (int, error) {
		return m.next.Sweep(ctx, state, before, limit)
	})
}

type hasher struct {
	next outbound.PasswordHasher
	o    Observer
}

// PasswordHasher returns h, observed.
func (o Observer) PasswordHasher(h outbound.PasswordHasher) outbound.PasswordHasher {
	return hasher{h, o}
}

func (h hasher) Hash(ctx context.Context, p credential.Password) (credential.Hash, error) {
	return observed(ctx, h.o, Hash, "hash", func(ctx context.Context) (credential.Hash, error) { return h.next.Hash(ctx, p) })
}

func (h hasher) Verify(ctx context.Context, p credential.Password, of credential.Hash) (outbound.Verification, error) {
	return observed(ctx, h.o, Hash, "verify", func(ctx context.Context) (outbound.Verification, error) { return h.next.Verify(ctx, p, of) })
}
