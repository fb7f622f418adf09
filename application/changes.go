package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/user"
)

// update changes a user on behalf of the user by, "" for the operator, and records it.
func (a *Accounts) update(ctx context.Context, by, id user.ID, change func(*user.User) error) (*user.User, error) {
	var before user.Snapshot
	after, err := a.ports.Users.Update(ctx, id, func(u *user.User) error {
		before = u.Snapshot()
		return change(u)
	})
	if err != nil {
		return nil, err
	}
	a.recordChange(ctx, by, before, after.Snapshot())
	return after, nil
}

// delete removes the user first: from then on no token of theirs is good, and sessions without a
// user are dead. That their records may be left behind by a failure is therefore no failure of the
// deletion; they are swept when they expire.
func (a *Accounts) delete(ctx context.Context, by, id user.ID, check func(*user.User) error) error {
	e := audit.Event{Kind: audit.Deleted, Actor: by, User: id}
	err := a.ports.Users.Delete(ctx, id, func(u *user.User) error {
		e.Detail = ""
		if u.Staff() {
			e.Detail = flagDetail(user.FieldStaff, false)
		}
		return check(u)
	})
	if err != nil {
		return err
	}
	a.record(ctx, e)
	_ = a.ports.Sessions.DeleteOf(ctx, id)
	return nil
}
