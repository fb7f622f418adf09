package sqltable

import (
	"context"
	"time"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

var attemptTable = AttemptTable{
	Name: "attempts",
	fields: []field[lockout.Snapshot]{
		text("id", func(s *lockout.Snapshot) *string { return (*string)(&s.Subject) }),
		number("failures", func(s *lockout.Snapshot) *int { return &s.Failures }),
		millis("last", func(s *lockout.Snapshot) *time.Time { return &s.Last }),
		millis("expires", func(s *lockout.Snapshot) *time.Time { return &s.Expires }),
		number("version", func(s *lockout.Snapshot) *int64 { return &s.Version }),
	},
	snapshot: (*lockout.Record).Snapshot,
	restore:  lockout.Restore,
	version:  func(s *lockout.Snapshot) *int64 { return &s.Version },
	fresh:    func(id string) *lockout.Record { return lockout.New(lockout.Subject(id)) },
}

type attempts struct{ *Tables }

var _ outbound.Attempts = attempts{}

func (t attempts) Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error) {
	return t.AttemptTable.find(ctx, "get failed sign-ins", t.AttemptTable.SelectByID, string(s))
}

// Update does not wait for the disk, since failed sign-ins may be many.
func (t attempts) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	return t.AttemptTable.update(ctx, "update failed sign-ins", Soon, string(s), change, nil, nil)
}

func (t attempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	first, end := a.Range()
	return t.AttemptTable.delete(ctx, "delete failed sign-ins of an account", t.DeleteAttemptsOf, string(first), string(end))
}

// Sweep removes first what expired first.
func (t attempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return t.AttemptTable.delete(ctx, "sweep failed sign-ins", t.SweepAttempts, now.UnixMilli(), int64(max(limit, 0)))
}
