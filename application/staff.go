package application

import (
	"context"

	"roster/domain/user"
)

// administers reports whether a user can see to the others.
func administers(s user.Snapshot) bool { return s.Active && s.Staff }

// update changes a user on behalf of the user by, and records it. Whoever administers may be made to
// stop only while somebody else still does: in one process that is looked at under a lock, and what
// two processes do at the same time is looked at again afterwards and taken back.
func (a *Accounts) update(ctx context.Context, by, id user.ID, who person, change func(*user.User) error) (*user.User, error) {
	if who.resigns() {
		a.staffing.Lock()
		defer a.staffing.Unlock()
		u, err := a.ports.Users.Get(ctx, id)
		if err == nil && administers(u.Snapshot()) {
			err = a.others(ctx, 1)
		}
		if err != nil {
			return nil, err
		}
	}
	var before user.Snapshot
	after, err := a.ports.Users.Update(ctx, id, func(u *user.User) error {
		before = u.Snapshot()
		return change(u)
	})
	if err != nil {
		return nil, err
	}
	if administers(before) && !administers(after.Snapshot()) {
		if err := a.reinstate(context.WithoutCancel(ctx), id, before); err != nil {
			return nil, err
		}
	}
	a.recordChange(ctx, by, before, after.Snapshot())
	return after, nil
}

// others fails with user.ErrLastStaff when no more than so many users administer.
func (a *Accounts) others(ctx context.Context, than int) error {
	n, err := a.ports.Users.Count(ctx, user.Filter{Active: new(true), Staff: new(true)})
	if err == nil && n <= than {
		err = user.ErrLastStaff
	}
	return err
}

// reinstate gives an administrator back what was just taken, if nobody is left who administers.
func (a *Accounts) reinstate(ctx context.Context, id user.ID, before user.Snapshot) error {
	left := a.others(ctx, 0)
	if left == nil {
		return nil
	}
	_, err := a.ports.Users.Update(ctx, id, func(u *user.User) error {
		u.SetActive(before.Active)
		u.SetStaff(before.Staff)
		return nil
	})
	if err != nil {
		return err
	}
	return left
}
