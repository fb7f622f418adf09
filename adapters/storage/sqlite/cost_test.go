package sqlite

import (
	"context"
	"testing"
	"time"

	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// counting is a database that counts statements, but for BEGIN, COMMIT and savepoints.
type counting struct {
	*Store
	statements int
}

func (c *counting) count(f sqltable.Work) sqltable.Work {
	return func(ctx context.Context, q sqltable.Querier) error { return f(ctx, &countingQuerier{q, c}) }
}

func (c *counting) Read(ctx context.Context, f sqltable.Work) error {
	return c.Store.Read(ctx, c.count(f))
}

func (c *counting) Write(ctx context.Context, op string, m sqltable.Mode, f sqltable.Work) error {
	return c.Store.Write(ctx, op, m, c.count(f))
}

type countingQuerier struct {
	sqltable.Querier
	c *counting
}

func (q *countingQuerier) QueryRow(ctx context.Context, query string, args ...any) sqltable.Row {
	q.c.statements++
	return q.Querier.QueryRow(ctx, query, args...)
}

func (q *countingQuerier) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	q.c.statements++
	return q.Querier.Exec(ctx, query, args...)
}

// TestCost counts the statements and the commits of operations. A commit syncs the write-ahead log once
// (synchronous=FULL); that checkpoints sync as well, now and then, is not counted.
func TestCost(t *testing.T) {
	c := &counting{Store: opened(t)}
	tables := sqltable.New(c, &dialect)
	now := time.UnixMilli(1750000000000).UTC()
	event := func(id audit.ID) outbound.Effects {
		return func() ([]audit.Event, []*mail.Mail) {
			return []audit.Event{{ID: id, At: now, Kind: audit.SignedIn, User: "1"}}, nil
		}
	}
	withMail := func() ([]audit.Event, []*mail.Mail) {
		m, err := mail.Queue(mail.New{ID: "m", Kind: mail.PasswordChanged, To: user.RestoreEmail("a@example.com", "a@example.com")}, now)
		if err != nil {
			t.Fatal(err)
		}
		return nil, []*mail.Mail{m}
	}
	for _, o := range []struct {
		name       string
		statements int
		commits    int64
		run        func(context.Context) error
	}{
		{"register", 3, 1, func(ctx context.Context) error { return tables.Users().Add(ctx, sampleUser(t, "1"), event("a")) }},
		{"begin a session", 2, 1, func(ctx context.Context) error {
			return tables.Sessions().Add(ctx, session.Start("s", "1", 0, now, session.Rules{}, session.Client{}), event("b"))
		}},
		{"authenticate and read oneself", 1, 0, func(ctx context.Context) error {
			_, _, err := tables.Users().WithSession(ctx, "1", "s")
			return err
		}},
		{"read another", 1, 0, func(ctx context.Context) error { _, err := tables.Users().Get(ctx, "1"); return err }},
		{"refresh", 3, 1, func(ctx context.Context) error {
			_, err := tables.Sessions().Update(ctx, "s", func(x *session.Session) error { x.RecordUse(now.Add(time.Hour)); return nil }, event("c"))
			return err
		}},
		{"change a name", 3, 1, func(ctx context.Context) error {
			_, err := tables.Users().Update(ctx, "1", func(u *user.User) error { u.Rename("Ann", "Lee"); return nil }, event("d"))
			return err
		}},
		{"change that causes a mail", 3, 1, func(ctx context.Context) error {
			_, err := tables.Users().Update(ctx, "1", func(u *user.User) error { u.Rename("Ann", "Li"); return nil }, withMail)
			return err
		}},
		{"delete", 3, 1, func(ctx context.Context) error {
			return tables.Users().Delete(ctx, "1", func(*user.User) error { return nil }, event("e"))
		}},
	} {
		commits, statements := c.group.commits.Load(), c.statements
		if err := o.run(t.Context()); err != nil {
			t.Fatalf("%s: %v", o.name, err)
		}
		if n := c.statements - statements; n == 0 || n > o.statements {
			t.Errorf("%s: %d statements, want %d at most", o.name, n, o.statements)
		}
		if n := int64(c.group.commits.Load() - commits); n > o.commits {
			t.Errorf("%s: %d commits, want %d at most", o.name, n, o.commits)
		}
	}
}
