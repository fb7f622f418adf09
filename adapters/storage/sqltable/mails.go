package sqltable

import (
	"context"
	"strconv"
	"time"

	"roster/domain/mail"
	"roster/ports/outbound"
)

var mailTable = MailTable{
	Name: "mails",
	fields: []field[mail.Snapshot]{
		clientText("id", func(s *mail.Snapshot) *string { return (*string)(&s.ID) }),
		text("kind", func(s *mail.Snapshot) *string { return (*string)(&s.Kind) }),
		text("account", func(s *mail.Snapshot) *string { return (*string)(&s.User) }),
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
	const op = "queue mails"
	if len(mails) == 0 {
		return ctx.Err()
	}
	mode := Statement
	if len(mails) > 1 {
		mode = Durable
	}
	return t.db.Write(ctx, op, mode, func(ctx context.Context, q Querier) error { return t.queue(ctx, q, op, mails) })
}

// queue stores mails, except those whose ids are stored already.
func (t *Tables) queue(ctx context.Context, q Querier, op string, mails []*mail.Mail) error {
	for _, m := range mails {
		s := m.Snapshot()
		failed := func(err error) error { return t.failure(ctx, op, err) }
		if err := later(ctx, q, t.MailTable.InsertOnce, t.MailTable.values(&s), failed); err != nil {
			return err
		}
	}
	return nil
}

func (t mails) Get(ctx context.Context, id mail.ID) (*mail.Mail, error) {
	return t.MailTable.find(ctx, "get mail", t.MailTable.SelectByID, string(id))
}

func (t mails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	return t.MailTable.update(ctx, "update mail", Durable, string(id), change, nil, nil)
}

func (t mails) Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error) {
	return t.list(ctx, "list due mails", "due <= ?", "due, id", limit, now.UnixMilli())
}

func (t mails) Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error) {
	if !t.d.storable(key) {
		return nil, ctx.Err() // no mail has this key
	}
	return t.list(ctx, "list mails to an address",
		"email_key = ? AND (state = 'waiting' AND attempts > 0 OR state = 'sent' AND finished >= ?)", "id DESC", limit, key, since.UnixMilli())
}

func (t mails) List(ctx context.Context, q mail.Query) ([]*mail.Mail, error) {
	where, args := "1 = 1", []any{}
	if q.State != "" {
		where, args = where+" AND state = ?", append(args, string(q.State))
	}
	if q.Before != "" {
		where, args = where+" AND id < ?", append(args, string(q.Before))
	}
	return t.list(ctx, "list mails", where, "id DESC", q.Limit, args...)
}

// list returns the first mails in an order that meet a condition, in which each ? stands for an argument.
func (t mails) list(ctx context.Context, op, condition, order string, limit int, args ...any) ([]*mail.Mail, error) {
	query, n := t.MailTable.Select+" WHERE ", 0
	for _, c := range condition {
		if c != '?' {
			query += string(c)
			continue
		}
		n++
		query += t.d.argument(n)
	}
	query += " ORDER BY " + order + " LIMIT " + strconv.Itoa(max(limit, 0))
	return t.MailTable.List(ctx, op, query, args)
}

// Sweep removes first what was finished first.
func (t mails) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.MailTable.delete(ctx, "sweep mails", t.SweepMails, before.UnixMilli(), int64(max(limit, 0)))
}
