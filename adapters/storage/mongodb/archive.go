package mongodb

import (
	"context"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type archive struct{ s *Store }

var _ outbound.Archive = archive{}

func (a archive) Users() outbound.Collection[user.Snapshot] {
	return collection[user.User, user.Snapshot, userDocument]{&userTable, a.s, putUsers, nil}
}

func (a archive) Sessions() outbound.Collection[session.Snapshot] {
	return collection[session.Session, session.Snapshot, sessionDocument]{&sessionTable, a.s, sessionTable.putByID, nil}
}

func (a archive) Attempts() outbound.Collection[lockout.Snapshot] {
	return collection[lockout.Record, lockout.Snapshot, attemptDocument]{&attemptTable, a.s, attemptTable.putByID, nil}
}

func (a archive) Events() outbound.Collection[audit.Event] {
	return collection[audit.Event, audit.Event, eventDocument]{
		&eventTable, a.s, eventTable.putByID, func(e effects) []eventDocument { return e.Events },
	}
}

func (a archive) Mails() outbound.Collection[mail.Snapshot] {
	return collection[mail.Mail, mail.Snapshot, mailDocument]{
		&mailTable, a.s, mailTable.putByID, func(e effects) []mailDocument { return e.Mails },
	}
}

func (a archive) LastUserID(ctx context.Context) (int64, error) {
	return userIDs(a).last(ctx, "read the last user id")
}

func (archive) BuildIndexes(ctx context.Context) error { return ctx.Err() }

func (a archive) SkipUserIDs(ctx context.Context, n int64) error {
	return userIDs(a).raise(ctx, "skip user ids", n)
}
