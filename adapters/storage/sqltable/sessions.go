package sqltable

import (
	"context"
	"time"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

var sessionTable = SessionTable{
	Name: "sessions",
	fields: []field[session.Snapshot]{
		text("id", func(s *session.Snapshot) *string { return (*string)(&s.ID) }),
		userKey("owner", func(s *session.Snapshot) *user.ID { return &s.User }),
		number("epoch", func(s *session.Snapshot) *int64 { return &s.Epoch }),
		millis("created", func(s *session.Snapshot) *time.Time { return &s.Created }),
		millis("expires", func(s *session.Snapshot) *time.Time { return &s.Expires }),
		number("generation", func(s *session.Snapshot) *int { return &s.Generation }),
		millis("rotated_at", func(s *session.Snapshot) *time.Time { return &s.RotatedAt }),
		millis("used_at", func(s *session.Snapshot) *time.Time { return &s.UsedAt }),
		millis("revoked_at", func(s *session.Snapshot) *time.Time { return &s.RevokedAt }),
		text("reason", func(s *session.Snapshot) *string { return (*string)(&s.Reason) }),
		clientText("user_agent", func(s *session.Snapshot) *string { return &s.UserAgent }),
		clientText("address", func(s *session.Snapshot) *string { return &s.Address }),
		text("browser", func(s *session.Snapshot) *string { return &s.Browser }),
		number("version", func(s *session.Snapshot) *int64 { return &s.Version }),
	},
	snapshot: (*session.Session).Snapshot,
	restore:  session.Restore,
	version:  func(s *session.Snapshot) *int64 { return &s.Version },
	missing:  session.ErrNotFound,
	taken:    Conflicts{ID: session.ErrExists},
}

type sessions struct{ *Tables }

var _ outbound.Sessions = sessions{}

func (t sessions) Add(ctx context.Context, x *session.Session, events ...outbound.Effects) error {
	const op = "add session"
	return t.db.Write(ctx, op, Durable, func(ctx context.Context, q Querier) error {
		if err := t.SessionTable.add(ctx, q, op, x.Snapshot()); err != nil {
			return err
		}
		return t.record(events)(ctx, q, op)
	})
}

func (t sessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	return t.SessionTable.find(ctx, "get session", t.SessionTable.SelectByID, string(id))
}

func (t sessions) Update(
	ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects,
) (*session.Session, error) {
	return t.SessionTable.update(ctx, "update session", Durable, string(id), change, nil, t.record(events))
}

// List omits sessions of the owner that have expired, were revoked or are of an older epoch.
func (t sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	owner, ok := t.d.Key(q.Owner)
	if !ok {
		return nil, ctx.Err() // no user has this id
	}
	query, args := t.SessionList(q, owner)
	return t.SessionTable.List(ctx, "list sessions", query, args)
}

// SessionList returns the statement for a query about the user with a stored id.
func (t *Tables) SessionList(q session.Query, owner string) (string, []any) {
	l := t.d.ListByTime("created", q.Back)
	l.And("owner = " + l.Bind(owner))
	l.And("revoked_at IS NULL")
	l.And("expires > " + l.Bind(q.LiveAt.UnixMilli()))
	if q.Epoch > 0 {
		l.And("epoch >= " + l.Bind(q.Epoch))
	}
	switch {
	case q.From == nil:
	case q.Back:
		l.Newer(q.From.Created, string(q.From.ID))
	default:
		l.Older(q.From.Created, string(q.From.ID))
	}
	statement := t.SessionTable.Select + l.String() + l.OrderAndLimit(q.Limit)
	if q.Skip > 0 {
		statement += " OFFSET " + l.Bind(int64(q.Skip))
	}
	return statement, l.Args
}

func (t sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	key, ok := t.d.Key(owner)
	if !ok {
		return nil // no user has this id
	}
	_, err := t.SessionTable.delete(ctx, "delete sessions of a user", t.DeleteSessionsOf, key)
	return err
}

// Sweep removes first what expired first.
func (t sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return t.SessionTable.delete(ctx, "sweep sessions", t.SweepSessions, now.UnixMilli(), int64(max(limit, 0)))
}
