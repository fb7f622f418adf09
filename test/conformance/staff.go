package conformance

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"roster/adapters/storage"
	"roster/domain/user"
)

// resignations are the ways to stop being an active staff user. within runs during each.
var resignations = []struct {
	name string
	do   func(t *testing.T, b storage.Backend, id user.ID, within func(*user.User) error) error
}{
	{"delete", func(t *testing.T, b storage.Backend, id user.ID, within func(*user.User) error) error {
		return b.Users().Delete(t.Context(), id, within)
	}},
	{"demote", resignBy(func(u *user.User) { u.SetStaff(false) })},
	{"deactivate", resignBy(func(u *user.User) { u.SetActive(false) })},
	{"demote and deactivate", resignBy(func(u *user.User) {
		u.SetStaff(false)
		u.SetActive(false)
	})},
}

func resignBy(change func(*user.User)) func(*testing.T, storage.Backend, user.ID, func(*user.User) error) error {
	return func(t *testing.T, b storage.Backend, id user.ID, within func(*user.User) error) error {
		u, err := b.Users().Update(t.Context(), id, func(u *user.User) error {
			change(u)
			u.Rename("Formerly", "Staff")
			return within(u)
		})
		if err != nil && u != nil {
			t.Error("Update returned a user beside its error")
		}
		return err
	}
}

func unasked(*user.User) error { return nil }

// flagged returns a user with these flags.
func flagged(t *testing.T, id user.ID, active, staff bool) *user.User {
	t.Helper()
	s := person(t, id).Snapshot()
	s.Active, s.Staff = active, staff
	return restored(t, s)
}

// mustHaveStaff fails unless a number of active staff users is left.
func mustHaveStaff(t *testing.T, b storage.Backend, what string, want int) {
	t.Helper()
	n, err := b.Users().Count(t.Context(), user.Filter{Active: new(true), Staff: new(true)})
	if wantErr(t, "Count", err, nil); n != want {
		t.Errorf("%s: %d active staff users are left, want %d", what, n, want)
	}
}

func usersLastStaff(t *testing.T, b storage.Backend) {
	others := []*user.User{flagged(t, "2", true, false), flagged(t, "3", false, true), flagged(t, "4", false, false)}
	mustAdd(t, b, append(others, person(t, "1"))...)
	for _, r := range resignations {
		wantErr(t, r.name, r.do(t, b, "1", unasked), user.ErrLastStaff)
		sameUser(t, r.name, mustGet(t, b, "1"), person(t, "1").Snapshot())
		_, err := b.Users().ByEmail(t.Context(), person(t, "1").Snapshot().EmailKey)
		wantErr(t, r.name+": ByEmail", err, nil)
	}
	for _, u := range others {
		sameUser(t, "another user", mustGet(t, b, u.ID()), u.Snapshot())
	}
}

// usersLastStaffMoves refuses a resignation that also changes the email: the new email stays free, and the former one
// taken.
func usersLastStaffMoves(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
		*u = *as(t, u, "other@example.com")
		u.SetStaff(false)
		return nil
	})
	wantErr(t, "Update", err, user.ErrLastStaff)
	sameUser(t, "Get", mustGet(t, b, "1"), person(t, "1").Snapshot())
	mustAdd(t, b, as(t, person(t, "2"), "other@example.com"))
	wantErr(t, "Add", b.Users().Add(t.Context(), as(t, person(t, "3"), "user.1@example.com")), user.ErrEmailTaken)
}

func usersResign(t *testing.T, b storage.Backend) {
	stays := person(t, "100")
	mustAdd(t, b, stays)
	for i, r := range resignations {
		u := person(t, user.IntegerID(int64(i+1)))
		mustAdd(t, b, u)
		wantErr(t, r.name, r.do(t, b, u.ID(), unasked), nil)
		mustHaveStaff(t, b, r.name, 1)
		sameUser(t, "a user that stays staff", mustGet(t, b, stays.ID()), stays.Snapshot())
		if r.name == "delete" {
			continue
		}
		if v := mustGet(t, b, u.ID()).Version(); v != u.Version()+1 {
			t.Errorf("%s: version %d, want %d", r.name, v, u.Version()+1)
		}
		// The refused user can change the email afterwards.
		got, err := b.Users().Update(t.Context(), u.ID(), func(v *user.User) error {
			*v = *u
			return nil
		})
		if wantErr(t, r.name+": back", err, nil); err == nil && got.Version() != u.Version()+2 {
			t.Errorf("%s: back: version %d, want %d", r.name, got.Version(), u.Version()+2)
		}
		wantErr(t, r.name+": Delete", b.Users().Delete(t.Context(), u.ID(), unasked), nil)
	}
}

// usersWithoutStaff changes and deletes users when none is active staff: no user must stay.
func usersWithoutStaff(t *testing.T, b storage.Backend) {
	for i, flags := range [][2]bool{{true, false}, {false, true}, {false, false}} {
		for _, r := range resignations {
			id := user.IntegerID(int64(i + 1))
			mustAdd(t, b, flagged(t, id, flags[0], flags[1]))
			wantErr(t, r.name, r.do(t, b, id, unasked), nil)
			if r.name != "delete" {
				wantErr(t, "Delete", b.Users().Delete(t.Context(), id, unasked), nil)
			}
		}
	}
}

// usersLastStaffChanges changes the last active staff user, which stays one.
func usersLastStaffChanges(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
		u.SetStaff(false)
		u.SetActive(false)
		u.Rename("Still", "Staff")
		u.SetActive(true)
		u.SetStaff(true)
		return nil
	})
	wantErr(t, "Update", err, nil)
	mustHaveStaff(t, b, "Update", 1)
}

func usersLastStaffAllowed(t *testing.T, b storage.Backend) {
	for _, r := range resignations {
		mustAdd(t, b, person(t, "1"))
		wantErr(t, r.name, r.do(t, b, "1", agree), nil)
		mustHaveStaff(t, b, r.name, 0)
		if r.name != "delete" {
			wantErr(t, "Delete", b.Users().Delete(t.Context(), "1", unasked), nil)
		}
	}
	// The permission holds for one change only.
	mustAdd(t, b, person(t, "1"), person(t, "2"))
	_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
		u.Rename("Still", "Staff")
		return agree(u)
	})
	wantErr(t, "Update", err, nil)
	wantErr(t, "Delete 2", b.Users().Delete(t.Context(), "2", unasked), nil)
	wantErr(t, "Delete 1", b.Users().Delete(t.Context(), "1", unasked), user.ErrLastStaff)
}

func usersStaffRace(t *testing.T, b storage.Backend) { staffRace(t, b, b, 3) }

// staffRace has the last two active staff users resign concurrently, on an instance each, in every pair of ways, a
// number of times: one succeeds, and the other is refused.
func staffRace(t *testing.T, one, other storage.Backend, rounds int) {
	n, patience := int64(0), 1<<20
	ways := resignations[:3]
	for i, first := range ways {
		for _, second := range ways[i:] {
			for range rounds {
				a, b := user.IntegerID(n+1), user.IntegerID(n+2)
				n += 2
				mustAdd(t, one, person(t, a), person(t, b))
				m := meeting{patience: patience}
				errs := together(
					func() error { return first.do(t, one, a, m.wait) },
					func() error { return second.do(t, other, b, m.wait) },
				)
				if m.missed.Load() {
					patience = max(patience/4, 1<<10) // changes that can overlap meet soon, others never
				}
				what := first.name + " against " + second.name
				oneWins(t, errs, user.ErrLastStaff)
				mustHaveStaff(t, other, what, 1)
				for _, id := range []user.ID{a, b} {
					_ = one.Users().Delete(t.Context(), id, agree) // one is deleted already
				}
				if t.Failed() {
					t.Fatal(what)
				}
			}
		}
	}
}

// usersStaffCrowd has many active staff users resign concurrently, and no others are left: one of them stays.
func usersStaffCrowd(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, crowd)...)
	stayed := 0
	for i, err := range atOnce(func(i int) error {
		return resignations[i%len(resignations)].do(t, b, user.IntegerID(int64(i+1)), unasked)
	}) {
		if err != nil {
			stayed++
			wantErr(t, fmt.Sprint("user ", i+1), err, user.ErrLastStaff)
		}
	}
	if stayed != 1 {
		t.Errorf("%d of %d stayed, want 1", stayed, crowd)
	}
	mustHaveStaff(t, b, "all at once", 1)
}

// meeting brings two changes to the same point.
type meeting struct {
	patience int // how often to check for the other: a backend may start it only when this one has ended
	arrived  atomic.Int32
	missed   atomic.Bool
}

func (m *meeting) wait(*user.User) error {
	m.arrived.Add(1)
	for n := 0; m.arrived.Load() < 2; n++ {
		if n == m.patience {
			m.missed.Store(true)
			break
		}
		runtime.Gosched()
	}
	return nil
}
