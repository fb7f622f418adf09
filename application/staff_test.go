package application_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"roster/application"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/fixture"
)

func setFlags(active, staff field.Text) inbound.Changes {
	return inbound.Changes{UserInput: inbound.UserInput{Active: active, Staff: staff}}
}

func TestOnlyStaffChangeFlags(t *testing.T) {
	for _, policy := range []application.AccessPolicy{application.Open, application.Directory, application.Private} {
		set := fixture.Standard()
		set.Access = policy
		s := fixture.New(t, set)
		u := s.Add(t, "a@example.com")
		staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
		// Of others the flags have no effect, whatever they hold.
		for _, in := range []inbound.Changes{setFlags(field.Truth(false), field.Truth(true)), setFlags(field.NotText(), field.Null())} {
			got, err := s.Change(t.Context(), inbound.Actor{User: u}, u.ID(), in)
			if err != nil || got.Staff() || !got.Active() {
				t.Errorf("%s: a plain user: %v, %v", policy, got, err)
			}
		}
		got, err := s.Change(t.Context(), staff, u.ID(), setFlags(field.Truth(false), field.Given("true")))
		if err != nil || !got.Staff() || got.Active() {
			t.Errorf("%s: staff: %v", policy, err)
		}
		if _, err := s.Change(t.Context(), staff, u.ID(), setFlags(field.Given("maybe"), field.Null())); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: no truth value: %v", policy, err)
		}
	}
}

func TestDeactivationByStaffEndsSessionsForGood(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(1e9)
	for _, active := range []bool{false, true} {
		if _, err := s.Change(t.Context(), staff, u.ID(), setFlags(field.Truth(active), field.Text{})); err != nil {
			t.Fatal(err)
		}
	}
	s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
}

func TestTheLastActiveStaffUserStays(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	a, b := s.AddStaff(t, "a@example.com"), s.AddStaff(t, "b@example.com")
	s.Add(t, "plain@example.com")
	actor := inbound.Actor{User: a}
	if _, err := s.Change(t.Context(), actor, b.ID(), setFlags(field.Truth(false), field.Text{})); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"stops":       second(s.Change(t.Context(), actor, a.ID(), setFlags(field.Text{}, field.Truth(false)))),
		"deactivates": second(s.Change(t.Context(), actor, a.ID(), setFlags(field.Truth(false), field.Text{}))),
		"deletes":     s.Accounts.Delete(t.Context(), actor, a.ID(), nil),
	} {
		if !errors.Is(err, user.ErrLastStaff) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Accounts.Delete(t.Context(), actor, b.ID(), nil); err != nil { // who is not active does not count
		t.Error(err)
	}
	if got, err := s.Ports.Users.Get(t.Context(), a.ID()); err != nil || !got.Active() || !got.Staff() || got.Version() != a.Version() {
		t.Errorf("%v, %v", got, err)
	}
}

func second[T any](_ T, err error) error { return err }

// Two administrators who dismiss each other at the same moment: one at most succeeds, within one
// process and across two.
func TestAdministratorsWhoDismissEachOther(t *testing.T) {
	for _, processes := range []int{1, 2} {
		for range 50 {
			s := fixture.New(t, fixture.Standard())
			a, b := s.AddStaff(t, "a@example.com"), s.AddStaff(t, "b@example.com")
			one := s.Accounts
			two := one
			if processes == 2 {
				two = application.NewAccounts(s.Ports, fixture.Standard(), application.NewGuard(s.Ports, fixture.Standard()))
			}
			var errs [2]error
			var wg sync.WaitGroup
			wg.Go(func() {
				_, errs[0] = one.Change(context.Background(), inbound.Actor{User: a}, b.ID(), setFlags(field.Text{}, field.Truth(false)))
			})
			wg.Go(func() {
				_, errs[1] = two.Change(context.Background(), inbound.Actor{User: b}, a.ID(), setFlags(field.Text{}, field.Truth(false)))
			})
			wg.Wait()
			n, err := s.Ports.Users.Count(t.Context(), user.Filter{Active: new(true), Staff: new(true)})
			if err != nil || n < 1 {
				t.Fatalf("%d processes: %d administrators left, %v; %v", processes, n, err, errs)
			}
		}
	}
}
