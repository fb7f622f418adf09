package application_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
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
		// Flags from other actors have no effect, valid or not.
		for _, in := range []inbound.Changes{setFlags(field.Bool(false), field.Bool(true)), setFlags(field.NotText(), field.Null())} {
			got, err := s.Change(t.Context(), inbound.Actor{User: u}, u.ID(), fixture.Body(in))
			if err != nil || got.Staff() || !got.Active() {
				t.Errorf("%s: a plain user: %v, %v", policy, got, err)
			}
		}
		got, err := s.Change(t.Context(), staff, u.ID(), fixture.Body(setFlags(field.Bool(false), field.Given("true"))))
		if err != nil || !got.Staff() || got.Active() {
			t.Errorf("%s: staff: %v", policy, err)
		}
		if _, err := s.Change(t.Context(), staff, u.ID(), fixture.Body(setFlags(field.Given("maybe"), field.Null()))); fault.KindOf(err) != fault.Invalid {
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
		if _, err := s.Change(t.Context(), staff, u.ID(), fixture.Body(setFlags(field.Bool(active), field.Text{}))); err != nil {
			t.Fatal(err)
		}
	}
	s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
}

func TestLastActiveStaffUserIsKept(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	a, b := s.AddStaff(t, "a@example.com"), s.AddStaff(t, "b@example.com")
	s.Add(t, "plain@example.com")
	actor := inbound.Actor{User: a}
	if _, err := s.Change(t.Context(), actor, b.ID(), fixture.Body(setFlags(field.Bool(false), field.Text{}))); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"stops":       second(s.Change(t.Context(), actor, a.ID(), fixture.Body(setFlags(field.Text{}, field.Bool(false))))),
		"deactivates": second(s.Change(t.Context(), actor, a.ID(), fixture.Body(setFlags(field.Bool(false), field.Text{})))),
		"deletes":     s.Accounts.Delete(t.Context(), actor, a.ID(), fixture.Body(inbound.Deletion{})),
	} {
		if !errors.Is(err, user.ErrLastStaff) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Accounts.Delete(t.Context(), actor, b.ID(), fixture.Body(inbound.Deletion{})); err != nil { // an inactive user does not count
		t.Error(err)
	}
	if got, err := s.Ports.Users.Get(t.Context(), a.ID()); err != nil || !got.Active() || !got.Staff() || got.Version() != a.Version() {
		t.Errorf("%v, %v", got, err)
	}
}

func second[T any](_ T, err error) error { return err }

// When two staff users remove each other's administration at the same time, at two instances and in any two ways,
// one succeeds and stays.
func TestConcurrentRemovalKeepsOneStaffUser(t *testing.T) {
	type dismissal func(a *application.Accounts, by, of *user.User) error
	change := func(c inbound.Changes) dismissal {
		return func(a *application.Accounts, by, of *user.User) error {
			return second(a.Change(context.Background(), inbound.Actor{User: by}, of.ID(), fixture.Body(c)))
		}
	}
	ways := map[string]dismissal{
		"delete": func(a *application.Accounts, by, of *user.User) error {
			return a.Delete(context.Background(), inbound.Actor{User: by}, of.ID(), fixture.Body(inbound.Deletion{}))
		},
		"demote":     change(setFlags(field.Text{}, field.Bool(false))),
		"deactivate": change(setFlags(field.Bool(false), field.Text{})),
	}
	for name, first := range ways {
		for other, next := range ways {
			for range 20 {
				s := fixture.New(t, fixture.Standard())
				a, b := s.AddStaff(t, "a@example.com"), s.AddStaff(t, "b@example.com")
				two := application.NewAccounts(s.Ports, fixture.Standard(), application.NewGuard(s.Ports, fixture.Standard()))
				var errs [2]error
				var wg sync.WaitGroup
				start := make(chan struct{})
				wg.Go(func() { <-start; errs[0] = first(s.Accounts, a, b) })
				wg.Go(func() { <-start; errs[1] = next(two, b, a) })
				close(start)
				wg.Wait()
				n, err := s.Ports.Users.Count(t.Context(), user.Filter{Active: new(true), Staff: new(true)})
				if err != nil || n != 1 || (errs[0] == nil) == (errs[1] == nil) {
					t.Fatalf("%s against %s: %d administrators left, %v; %v", name, other, n, err, errs)
				}
			}
		}
	}
}

// The operator is refused too, unless AllowLastStaff is set.
func TestOperatorMayRemoveTheLastStaffUser(t *testing.T) {
	for name, dismiss := range map[string]func(s *fixture.Service, id user.ID, meant bool) error{
		"delete": func(s *fixture.Service, id user.ID, meant bool) error {
			return s.Administration.Delete(t.Context(), id, meant)
		},
		"demote": func(s *fixture.Service, id user.ID, meant bool) error {
			return second(s.Administration.Set(t.Context(), id, inbound.AdminChanges{Staff: new(false), AllowLastStaff: meant}))
		},
		"deactivate": func(s *fixture.Service, id user.ID, meant bool) error {
			return second(s.Administration.Set(t.Context(), id, inbound.AdminChanges{Active: new(false), AllowLastStaff: meant}))
		},
	} {
		s := fixture.New(t, fixture.Standard())
		a, b := s.AddStaff(t, "a@example.com"), s.AddStaff(t, "b@example.com")
		if err := dismiss(s, a.ID(), false); err != nil {
			t.Errorf("%s: one of two: %v", name, err)
		}
		if err := dismiss(s, b.ID(), false); !errors.Is(err, user.ErrLastStaff) {
			t.Errorf("%s: the last: %v", name, err)
		}
		if err := dismiss(s, b.ID(), true); err != nil {
			t.Errorf("%s: the last, meant: %v", name, err)
		}
	}
}

// An event lists the changed fields and the new values of flags, but not of texts.
func TestChangeEventsListFields(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	root := s.AddStaff(t, "root@example.com")
	id := mustRegister(t, s, "ann@example.com")
	set := func(in inbound.AdminChanges) {
		t.Helper()
		if _, err := s.Administration.Set(t.Context(), id, in); err != nil {
			t.Fatal(err)
		}
	}
	set(inbound.AdminChanges{Staff: new(true)})
	set(inbound.AdminChanges{Staff: new(false)})
	set(inbound.AdminChanges{Active: new(false), Email: field.Given("thief@example.net")})
	set(inbound.AdminChanges{Active: new(true), LastName: field.Given("Li"), FirstName: field.Given("Anne")})
	set(inbound.AdminChanges{Active: new(true)}) // no change
	if err := s.Administration.Delete(t.Context(), id, false); err != nil {
		t.Fatal(err)
	}
	heir := s.AddStaff(t, "heir@example.com")
	if err := s.Accounts.Delete(t.Context(), inbound.Actor{User: heir}, root.ID(), fixture.Body(inbound.Deletion{})); err != nil {
		t.Fatal(err)
	}
	events, err := s.Trail.Events(t.Context(), inbound.Actor{User: heir}, fixture.Body(audit.Query{Limit: 99}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Backward(events) {
		got = append(got, strings.TrimSpace(string(e.Kind)+" "+e.Detail))
	}
	want := []string{
		"user_registered is_staff=true", "user_registered",
		"user_changed is_staff=true", "user_changed is_staff=false", "user_changed email is_active=false",
		"user_changed first_name last_name is_active=true", "user_deleted",
		"user_registered is_staff=true", "user_deleted is_staff=false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func mustRegister(t *testing.T, s *fixture.Service, email string) user.ID {
	t.Helper()
	u, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(fixture.Input(email)))
	if err != nil {
		t.Fatal(err)
	}
	return u.ID()
}
