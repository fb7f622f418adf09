package sqltable

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"roster/domain/credential"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

var userTable = UserTable{
	Name: "users",
	fields: []field[user.Snapshot]{
		userKey("id", func(s *user.Snapshot) *user.ID { return &s.ID }),
		text("email", func(s *user.Snapshot) *string { return &s.Email }),
		text("email_key", func(s *user.Snapshot) *string { return &s.EmailKey }),
		text("first_name", func(s *user.Snapshot) *string { return &s.FirstName }),
		text("last_name", func(s *user.Snapshot) *string { return &s.LastName }),
		flag("active", func(s *user.Snapshot) *bool { return &s.Active }),
		flag("staff", func(s *user.Snapshot) *bool { return &s.Staff }),
		encoded("password", func(s *user.Snapshot) *credential.Hash { return &s.Password }, credential.Hash.Encoded, credential.RestoreHash),
		micros("joined_us", func(s *user.Snapshot) *time.Time { return &s.Joined }),
		micros("last_login_us", func(s *user.Snapshot) *time.Time { return &s.LastLogin }),
		number("session_epoch", func(s *user.Snapshot) *int64 { return &s.SessionEpoch }),
		micros("sessions_valid_after_us", func(s *user.Snapshot) *time.Time { return &s.SessionsValidAfter }),
		encoded("networks", func(s *user.Snapshot) *user.Networks { return &s.Networks }, user.Networks.Encoded, user.RestoreNetworks),
		text("email_state", func(s *user.Snapshot) *string { return (*string)(&s.EmailState) }),
		encoded("contact", func(s *user.Snapshot) *user.Contact { return &s.Contact }, encodeContact, decodeContact),
		number("version", func(s *user.Snapshot) *int64 { return &s.Version }),
		derived("search", searchText),
	},
	snapshot: (*user.User).Snapshot,
	restore:  user.Restore,
	version:  func(s *user.Snapshot) *int64 { return &s.Version },
	missing:  user.ErrNotFound,
	unique:   "email_key",
	taken:    Conflicts{ID: user.ErrIDTaken, Unique: user.ErrEmailTaken},
}

// searchText is the text that a search examines. It replaces NUL, which ends a text for SQLite's index.
func searchText(s user.Snapshot) string { return strings.ReplaceAll(s.SearchText(), "\x00", "\uFFFD") }

type users struct{ *Tables }

func (t users) Add(ctx context.Context, u *user.User, events ...outbound.Effects) error {
	const op = "add user"
	return t.db.Write(ctx, op, Durable, func(ctx context.Context, q Querier) error {
		if err := t.UserTable.add(ctx, q, op, u.Snapshot()); err != nil {
			return err
		}
		if n, counted := u.ID().Integer(); counted {
			if err := t.raiseCounter(ctx, q, op, n); err != nil {
				return err
			}
		}
		return t.record(events)(ctx, q, op)
	})
}

func (t users) Get(ctx context.Context, id user.ID) (*user.User, error) {
	const op = "get user"
	key, ok := t.d.Key(id)
	if !ok {
		return nil, t.d.refused(op, user.ErrNotFound)
	}
	return t.UserTable.find(ctx, op, t.UserTable.SelectByID, key)
}

// WithSession reads both rows with one statement. Only when one of them is missing does it read the user alone.
func (t users) WithSession(ctx context.Context, id user.ID, s session.ID) (u *user.User, x *session.Session, err error) {
	const op = "get user and session"
	key, ok := t.d.Key(id)
	if !ok {
		return nil, nil, t.d.refused(op, user.ErrNotFound)
	}
	if s == "" || !t.d.storable(string(s)) {
		u, err = t.Get(ctx, id)
		return u, nil, err
	}
	err = t.db.Read(ctx, func(ctx context.Context, q Querier) error {
		var first scanner[user.User, user.Snapshot]
		var second scanner[session.Session, session.Snapshot]
		into := first.into(t.UserTable, make([]any, 0, t.UserTable.read+t.SessionTable.read))
		err := q.QueryRow(ctx, t.SelectWithSession, key, string(s)).Scan(second.into(t.SessionTable, into)...)
		if errors.Is(err, sql.ErrNoRows) {
			u, err = t.UserTable.get(ctx, q, op, t.UserTable.SelectByID, key)
			return err
		}
		if err == nil {
			u, err = first.restore()
		}
		if err == nil {
			x, err = second.restore()
		}
		return t.failure(ctx, op, err)
	})
	return u, x, err
}

func (t users) ByEmail(ctx context.Context, key string) (*user.User, error) {
	return t.UserTable.find(ctx, "get user by email", t.UserTable.SelectUnique, key)
}

func (t users) Update(
	ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects,
) (*user.User, error) {
	const op = "update user"
	key, ok := t.d.Key(id)
	if !ok {
		return nil, t.d.refused(op, user.ErrNotFound)
	}
	guard := func(ctx context.Context, q Querier, before user.Snapshot, after *user.User) error {
		return t.keepStaff(ctx, q, op, key, after.LosesAdministration(before, false))
	}
	return t.UserTable.update(ctx, op, Durable, key, change, guard, t.record(events))
}

func (t users) Delete(ctx context.Context, id user.ID, check func(*user.User) error, events ...outbound.Effects) error {
	const op = "delete user"
	key, ok := t.d.Key(id)
	if !ok {
		return t.d.refused(op, user.ErrNotFound)
	}
	return t.db.Write(ctx, op, Durable, func(ctx context.Context, q Querier) error {
		u, err := t.UserTable.get(ctx, q, op, t.UserTable.SelectToSet, key)
		if err != nil {
			return err
		}
		before := u.Snapshot()
		if err := check(u); err != nil {
			return err
		}
		if err := t.keepStaff(ctx, q, op, key, u.LosesAdministration(before, true)); err != nil {
			return err
		}
		failed := func(err error) error { return t.failure(ctx, op, err) }
		if err := later(ctx, q, t.UserTable.Delete, []any{key}, failed); err != nil {
			return err
		}
		return t.record(events)(ctx, q, op)
	})
}

// keepStaff fails with user.ErrLastStaff when the user with the stored id key resigns as the last active
// administrator. Resignations run one after the other. Each has locked the row of its user before and locks no other
// row afterwards, so there are no deadlocks.
func (t users) keepStaff(ctx context.Context, q Querier, op, key string, resigns bool) error {
	if !resigns {
		return nil
	}
	if err := t.db.Serialize(ctx, q, "resign"); err != nil {
		return t.failure(ctx, op, err)
	}
	var other bool
	if err := q.QueryRow(ctx, t.d.OtherStaff, key).Scan(&other); err != nil {
		return t.failure(ctx, op, err)
	}
	if !other {
		return t.d.refused(op, user.ErrLastStaff)
	}
	return nil
}

func (t users) Invited(ctx context.Context, after user.ID, limit int) ([]*user.User, error) {
	return t.UserTable.List(ctx, "list invited users", t.SelectInvited, []any{t.d.sanitize(after.SortKey()), int64(max(limit, 0))})
}

func (t users) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	return t.db.ListUsers(ctx, t.UserTable, q)
}

func (t users) Count(ctx context.Context, f user.Filter) (int, error) {
	return t.db.CountUsers(ctx, t.UserTable, f)
}

// raiseCounter makes the next counted id greater than n.
func (t *Tables) raiseCounter(ctx context.Context, q Querier, op string, n int64) error {
	return later(ctx, q, t.RaiseCounter, []any{n}, func(err error) error { return t.failure(ctx, op, err) })
}

type userIDs struct{ *Tables }

var errUsedUp = errors.New("counted ids are used up")

// NewUserID takes the next id. An id is lost when the answer of the database is.
func (t userIDs) NewUserID(ctx context.Context) (id user.ID, err error) {
	const op = "count up the user id"
	err = t.db.Write(ctx, op, Statement, func(ctx context.Context, q Querier) error {
		var n int64
		err := q.QueryRow(ctx, t.CountUp).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			return t.d.refused(op, errUsedUp)
		}
		id = user.IntegerID(n)
		return t.failure(ctx, op, err)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

var (
	_ outbound.Users   = users{}
	_ outbound.UserIDs = userIDs{}
)
