package sqlite

import (
	"context"
	"errors"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type archive struct{ s *Store }

var _ outbound.Archive = archive{}

// Users implements outbound.Archive.
func (a archive) Users() outbound.Collection[user.Snapshot] {
	return collection[user.User, user.Snapshot]{
		s: a.s, table: &userTable, record: "user",
		key: func(s user.Snapshot) string { return s.ID.SortKey() },
		restore: func(s user.Snapshot) (*user.User, error) {
			if _, ok := keyOf(s.ID); !ok {
				return nil, errNoID
			}
			return user.Restore(s)
		},
		snapshot: (*user.User).Snapshot,
		stored: func(ctx context.Context, q querier, op string, us []user.Snapshot) error {
			var last int64
			for _, u := range us {
				if n, counted := u.ID.Integer(); counted {
					last = max(last, n)
				}
			}
			_, err := q.ExecContext(ctx, raiseCounter, last)
			return translate(ctx, op, err)
		},
	}
}

var errNoID = errors.New("no user can have this id")

// Sessions implements outbound.Archive.
func (a archive) Sessions() outbound.Collection[session.Snapshot] {
	return collection[session.Session, session.Snapshot]{
		s: a.s, table: &sessionTable, record: "session",
		key: func(s session.Snapshot) string { return string(s.ID) },
		restore: func(s session.Snapshot) (*session.Session, error) {
			if _, ok := keyOf(s.User); !ok {
				return nil, errNoID
			}
			return session.Restore(s)
		},
		snapshot: (*session.Session).Snapshot,
	}
}

// Attempts implements outbound.Archive.
func (a archive) Attempts() outbound.Collection[lockout.Snapshot] {
	return collection[lockout.Record, lockout.Snapshot]{
		s: a.s, table: &attemptTable, record: "failed sign-ins of",
		key:      func(s lockout.Snapshot) string { return string(s.Subject) },
		restore:  lockout.Restore,
		snapshot: (*lockout.Record).Snapshot,
	}
}

// Events implements outbound.Archive.
func (a archive) Events() outbound.Collection[audit.Event] {
	return collection[audit.Event, audit.Event]{
		s: a.s, table: &eventTable, record: "event",
		key:      func(e audit.Event) string { return string(e.ID) },
		restore:  func(e audit.Event) (*audit.Event, error) { return &e, e.Check() },
		snapshot: func(e *audit.Event) audit.Event { return *e },
	}
}

// LastUserID implements outbound.Archive.
func (a archive) LastUserID(ctx context.Context) (n int64, err error) {
	err = a.s.read(ctx, func(q querier) error {
		return translate(ctx, "read the last user id", q.QueryRowContext(ctx, selectCounter).Scan(&n))
	})
	return n, err
}

// SkipUserIDs implements outbound.Archive.
func (a archive) SkipUserIDs(ctx context.Context, n int64) error {
	const op = "skip user ids"
	return a.s.write(ctx, op, func(q querier) error {
		_, err := q.ExecContext(ctx, raiseCounter, n)
		return translate(ctx, op, err)
	})
}
