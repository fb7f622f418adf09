package sqltable

import (
	"context"
	"fmt"
	"slices"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type archive struct{ *Tables }

var _ outbound.Archive = archive{}

func (t archive) Users() outbound.Collection[user.Snapshot] {
	return collection[user.User, user.Snapshot]{t.UserTable, "user",
		func(ctx context.Context, q Querier, op string, us []user.Snapshot) error {
			var last int64
			for _, u := range us {
				if n, counted := u.ID.Integer(); counted {
					last = max(last, n)
				}
			}
			return t.raiseCounter(ctx, q, op, last)
		}}
}

func (t archive) Sessions() outbound.Collection[session.Snapshot] {
	return collection[session.Session, session.Snapshot]{t.SessionTable, "session", nil}
}

func (t archive) Attempts() outbound.Collection[lockout.Snapshot] {
	return collection[lockout.Record, lockout.Snapshot]{t.AttemptTable, "failed sign-ins of", nil}
}

func (t archive) Events() outbound.Collection[audit.Event] {
	return collection[audit.Event, audit.Event]{t.EventTable, "event", nil}
}

func (t archive) Mails() outbound.Collection[mail.Snapshot] {
	return collection[mail.Mail, mail.Snapshot]{t.MailTable, "mail", nil}
}

func (t archive) LastUserID(ctx context.Context) (n int64, err error) {
	err = t.db.Read(ctx, func(ctx context.Context, q Querier) error {
		return t.failure(ctx, "read the last user id", q.QueryRow(ctx, t.SelectCounter).Scan(&n))
	})
	return n, err
}

func (t archive) SkipUserIDs(ctx context.Context, n int64) error {
	const op = "skip user ids"
	return t.db.Write(ctx, op, Statement, func(ctx context.Context, q Querier) error { return t.raiseCounter(ctx, q, op, n) })
}

func (archive) BuildIndexes(ctx context.Context) error { return ctx.Err() }

// collection is a table as a collection of snapshots S.
type collection[T, S any] struct {
	*Table[T, S]
	record string                                                             // the name of a record in errors
	stored func(ctx context.Context, q Querier, op string, records []S) error // runs after records were stored; may be nil
}

func (c collection[T, S]) Key(record S) string { return c.key(&record) }

func (c collection[T, S]) Page(ctx context.Context, after string, limit int) ([]S, error) {
	found, err := c.List(ctx, "read a page of "+c.Name, c.SelectPage, []any{c.d.sanitize(after), int64(max(limit, 0))})
	if err != nil {
		return nil, err
	}
	out := make([]S, len(found))
	for i, v := range found {
		out[i] = c.snapshot(v)
	}
	return out, nil
}

// Put stores all records of a transaction, or none of them. Puts into one table run one after the other: concurrent
// ones with the same rows in another order would deadlock.
func (c collection[T, S]) Put(ctx context.Context, records []S) ([]error, error) {
	op := "put " + c.Name
	rows := make([][]any, len(records))
	for i, x := range records {
		_, err := c.restore(x)
		if err == nil {
			rows[i], err = c.check(&x)
		}
		if err != nil {
			return nil, c.d.refused(op, fmt.Errorf("%s %q: %w", c.record, c.Key(x), err))
		}
	}
	refused := make([]error, 0, len(records))
	for {
		first := len(refused)
		end := first + min(c.d.RowsPerTransaction, len(rows)-first)
		var of []error
		err := c.db.Write(ctx, op, Bulk, func(ctx context.Context, q Querier) (err error) {
			of, err = c.putAll(ctx, q, op, records[first:end], rows[first:end])
			return err
		})
		if err != nil {
			return nil, err
		}
		if refused = append(refused, of...); len(refused) == len(rows) {
			return refused, nil
		}
	}
}

// putAll stores records by their rows in the transaction of q.
func (c collection[T, S]) putAll(ctx context.Context, q Querier, op string, records []S, rows [][]any) ([]error, error) {
	if err := c.db.Serialize(ctx, q, op); err != nil {
		return nil, c.failure(ctx, op, err)
	}
	refused := make([]error, 0, len(rows))
	for some := range slices.Chunk(rows, c.d.RowsPerStatement) {
		of, err := c.addNew(ctx, q, op, some)
		if err != nil {
			return nil, err
		}
		refused = append(refused, of...)
	}
	if c.stored == nil {
		return refused, nil
	}
	var stored []S
	for i, x := range records {
		if refused[i] == nil {
			stored = append(stored, x)
		}
	}
	return refused, c.stored(ctx, q, op, stored)
}
