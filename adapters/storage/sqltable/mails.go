package sqltable

import (
	"context"
	"time"

	"roster/domain/mail"
	"roster/ports/outbound"
)

var mailTable = MailTable{
	Name: "mails",
	fields: []field[mail.Snapshot]{
		clientText("id", func(s *mail.Snapshot) *string { return (*string)(&s.ID) }),
		clientText("kind", func(s *mail.Snapshot) *string { return (*string)(&s.Kind) }),
		clientText("account", func(s *mail.Snapshot) *string { return (*string)(&s.User) }),
		clientText("recipient", func(s *mail.Snapshot) *string { return &s.To }),
		clientText("email_key", func(s *mail.Snapshot) *string { return &s.Key }),
		clientText("locale", func(s *mail.Snapshot) *string { return &s.Locale }),
		number("epoch", func(s *mail.Snapshot) *int64 { return &s.Epoch }),
		clientText("detail", func(s *mail.Snapshot) *string { return &s.Detail }),
		millis("queued", func(s *mail.Snapshot) *time.Time { return &s.Queued }),
		text("state", func(s *mail.Snapshot) *string { return (*string)(&s.State) }),
		millis("due", func(s *mail.Snapshot) *time.Time { return &s.Due }),
		number("attempts", func(s *mail.Snapshot) *int { return &s.Attempts }),
		millis("finished", func(s *mail.Snapshot) *time.Time { return &s.Finished }),
		clientText("reason", func(s *mail.Snapshot) *string { return &s.Reason }),
		number("version", func(s *mail.Snapshot) *int64 { return &s.Version }),
	},
	snapshot: (*mail.Mail).Snapshot,
	restore:  mail.Restore,
	version:  func(s *mail.Snapshot) *int64 { return &s.Version },
	missing:  mail.ErrNotFound,
}

type mails struct{ *Tables }

var _ outbound.Mails = mails{}

func (t mails) Add(ctx context.Context, mails ...*mail.Mail) error {
	states := make([]mail.Snapshot, len(mails))
	for i, m := range mails {
		states[i] = m.Snapshot()
	}
	return t.MailTable.addOnce(ctx, "queue mails", states)
}

func (t mails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	return t.MailTable.update(ctx, "update mail", Durable, string(id), change, nil, nil)
}

func (t mails) Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error) {
	return t.MailTable.List(ctx, "list due mails", t.SelectDue, []any{now.UnixMilli(), int64(max(limit, 0))})
}

func (t mails) Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error) {
	args := []any{t.d.sanitize(key), since.UnixMilli(), int64(max(limit, 0))}
	return t.MailTable.List(ctx, "list mails to an address", t.SelectBegun, args)
}

func (t mails) List(ctx context.Context, q mail.Query) ([]*mail.Mail, error) {
	query, args := t.MailList(q)
	return t.MailTable.List(ctx, "list mails", query, args)
}

// MailList returns the statement for a query.
func (t *Tables) MailList(q mail.Query) (string, []any) {
	w := t.d.Where()
	if q.State != "" {
		w.And("state = " + w.Bind(string(q.State)))
	}
	if q.Before != "" {
		w.And("id < " + w.Bind(string(q.Before)))
	}
	return t.MailTable.Select + w.String() + " ORDER BY id DESC LIMIT " + w.Bind(int64(max(q.Limit, 0))), w.Args
}

func (t mails) Sweep(ctx context.Context, state mail.State, before time.Time, limit int) (int, error) {
	return t.MailTable.delete(ctx, "sweep mails", t.SweepMails, before.UnixMilli(), int64(max(limit, 0)), string(state))
}
