package conformance_test

import (
	"context"
	"runtime"

	"roster/domain/user"
)

// resigning returns the closure of a change or deletion with the defects of keeping the last active staff user, or the
// error of a refusal.
func (r flawedUsers) resigning(ctx context.Context, id user.ID, inner func(*user.User) error, deleted bool) (func(*user.User) error, error) {
	staff, active := user.Filter{Staff: new(true)}, user.Filter{Active: new(true)}
	both := user.Filter{Staff: new(true), Active: new(true)}
	count := func(f user.Filter) int {
		n, _ := r.Users.Count(ctx, f) // fails when ctx has ended, as the next calls do
		return n
	}
	letGo := func(u *user.User) error {
		u.AllowLastStaff()
		return inner(u)
	}
	refuse := func(u *user.User) error {
		before := u.Snapshot()
		if err := inner(u); err != nil || !u.LosesAdministration(before, deleted) {
			return err
		}
		return user.ErrLastStaff
	}
	switch d := r.f.defect; {
	case d == "changes the last staff" && !deleted, d == "deletes the last staff" && deleted,
		d == "takes inactive staff for staff" && count(staff) > 1, d == "takes active users for staff" && count(active) > 1:
		return letGo, nil
	case d == "never lets staff resign":
		return refuse, nil
	case d == "keeps the last user" && deleted && count(user.Filter{}) == 1 && count(both) == 0:
		return nil, user.ErrLastStaff
	case d == "keeps staff from changing" && !deleted && count(both) == 1:
		return func(u *user.User) error {
			if err := inner(u); err != nil || u.Snapshot().FirstName != "Still" { // the name that some cases give a user that stays staff
				return err
			}
			return user.ErrLastStaff
		}, nil
	case d == "changes a user that stays staff" && count(both) == 2:
		us, _ := r.Users.List(ctx, user.Query{Filter: both, Limit: 2})
		for _, u := range us {
			if u.ID() != id {
				_, _ = r.Users.Update(ctx, u.ID(), func(u *user.User) error { u.Rename("", ""); return nil })
			}
		}
	case d == "ignores the override":
		return func(u *user.User) error {
			err := inner(u)
			*u = *altered(u, func(*user.Snapshot) {})
			return err
		}, nil
	case d == "keeps the override":
		return func(u *user.User) error {
			err := inner(u)
			r.f.mu.Lock()
			defer r.f.mu.Unlock()
			if r.f.allowed[id] {
				u.AllowLastStaff()
			}
			r.f.allowed[id] = !u.LosesAdministration(user.Snapshot{Active: true, Staff: true}, true)
			return err
		}, nil
	case d == "counts staff before the change", d == "counts many staff before the change" && count(both) > 2:
		if n := count(both); n > 1 {
			r.f.meet(n)
			return letGo, nil
		}
	case d == "refuses two at once" && count(both) == 2:
		if r.f.meet(2) {
			return refuse, nil
		}
	}
	return inner, nil
}

// meet waits a short time for n callers, and reports whether they came.
func (f *flawed) meet(want int) bool {
	here := func(more int) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.looking += more
		return f.looking >= want
	}
	met := here(1)
	for n := 0; n < 10_000 && !met; n++ {
		runtime.Gosched()
		met = here(0)
	}
	if met {
		for range 100 {
			runtime.Gosched() // lets the other callers see it
		}
	}
	here(-1)
	return met
}
