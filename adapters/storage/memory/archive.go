package memory

import (
	"context"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type archive struct{ *Store }

var _ outbound.Archive = archive{}

func (a archive) Users() outbound.Collection[user.Snapshot]       { return a.users }
func (a archive) Sessions() outbound.Collection[session.Snapshot] { return a.sessions }
func (a archive) Attempts() outbound.Collection[lockout.Snapshot] { return a.attempts }
func (a archive) Events() outbound.Collection[audit.Event]        { return a.events }
func (a archive) Mails() outbound.Collection[mail.Snapshot]       { return a.mails }

func (a archive) LastUserID(ctx context.Context) (n int64, err error) {
	err = a.users.read(ctx, func() error { n = a.lastID; return nil })
	return n, err
}

func (archive) BuildIndexes(ctx context.Context) error { return ctx.Err() }

func (a archive) SkipUserIDs(ctx context.Context, n int64) error {
	return a.users.write(ctx, func() error { a.lastID = max(a.lastID, n); return nil })
}
