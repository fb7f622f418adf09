package mongodb

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

var errNoID = errors.New("no user can have this id")

// Users implements outbound.Archive.
func (a archive) Users() outbound.Collection[user.Snapshot] {
	return collection[user.Snapshot, userDocument]{
		s: a.s, name: userTable.name, record: "user",
		key: func(s user.Snapshot) string { return s.ID.SortKey() },
		document: func(s user.Snapshot) (d userDocument, err error) {
			if _, ok := keyOf(s.ID); !ok {
				return d, errNoID
			}
			u, err := user.Restore(s)
			if err != nil {
				return d, err
			}
			return userTable.document(u), nil
		},
		id:       userTable.id,
		snapshot: restored(userTable.restore, (*user.User).Snapshot),
		put:      users(a).put,
	}
}

// Sessions implements outbound.Archive.
func (a archive) Sessions() outbound.Collection[session.Snapshot] {
	c := collection[session.Snapshot, sessionDocument]{
		s: a.s, name: sessionTable.name, record: "session",
		key: func(s session.Snapshot) string { return string(s.ID) },
		document: func(s session.Snapshot) (d sessionDocument, err error) {
			if _, ok := keyOf(s.User); !ok {
				return d, errNoID
			}
			x, err := session.Restore(s)
			if err != nil {
				return d, err
			}
			return sessionTable.document(x), nil
		},
		id:       sessionTable.id,
		snapshot: restored(sessionTable.restore, (*session.Session).Snapshot),
	}
	c.put = c.putByID
	return c
}

// Attempts implements outbound.Archive.
func (a archive) Attempts() outbound.Collection[lockout.Snapshot] {
	c := collection[lockout.Snapshot, attemptDocument]{
		s: a.s, name: attemptTable.name, record: "failed sign-ins of",
		key: func(s lockout.Snapshot) string { return string(s.Subject) },
		document: func(s lockout.Snapshot) (d attemptDocument, err error) {
			r, err := lockout.Restore(s)
			if err != nil {
				return d, err
			}
			return attemptTable.document(r), nil
		},
		id:       attemptTable.id,
		snapshot: restored(attemptTable.restore, (*lockout.Record).Snapshot),
	}
	c.put = c.putByID
	return c
}

// Events implements outbound.Archive.
func (a archive) Events() outbound.Collection[audit.Event] {
	c := collection[audit.Event, eventDocument]{
		s: a.s, name: eventCollection, record: "event",
		key:      func(e audit.Event) string { return string(e.ID) },
		document: func(e audit.Event) (eventDocument, error) { return documentOf(e), e.Check() },
		id:       func(d eventDocument) string { return d.ID },
		snapshot: eventDocument.event,
	}
	c.put = c.putByID
	return c
}

// LastUserID implements outbound.Archive.
func (a archive) LastUserID(ctx context.Context) (int64, error) {
	return userIDs(a).last(ctx, "read the last user id")
}

// SkipUserIDs implements outbound.Archive.
func (a archive) SkipUserIDs(ctx context.Context, n int64) error {
	return userIDs(a).raise(ctx, "skip user ids", n)
}
