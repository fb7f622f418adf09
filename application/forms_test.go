package application_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roster/application"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// codesOf returns the faults of err as field:code.
func codesOf(err error) string {
	var out []string
	for _, f := range fieldsOf(err) {
		out = append(out, f.Name+":"+f.Code)
	}
	return strings.Join(out, " ")
}

// With CurrentFirst, faults of fields and a wrong current password are reported together, then the strength, then the
// repetition. A refused change changes nothing.
func TestChangePasswordChecksCurrentFirst(t *testing.T) {
	const fresh = fixture.Password + "2"
	s := fixture.New(t, fixture.Standard())
	a := inbound.Actor{User: s.Add(t, "ann@example.com")}
	given, none := field.Given, field.Text{}
	for name, c := range map[string]struct {
		current, password, retyped field.Text
		want                       string
	}{
		"nothing":         {none, none, none, "new_password:required re_new_password:required current_password:required"},
		"wrong, missing":  {given("wrong"), none, given(fresh), "new_password:required current_password:password_incorrect"},
		"wrong, weak":     {given("wrong"), given("short"), given("short"), "current_password:password_incorrect"},
		"weak, different": {given(fixture.Password), given("short"), given(fresh), "new_password:password_too_short"},
		"different":       {given(fixture.Password), given(fresh), given(fresh + "x"), ":password_mismatch"},
	} {
		in := inbound.PasswordChange{
			Current: c.current, CurrentFirst: true,
			NewPassword: inbound.NewPassword{Password: c.password, Retyped: c.retyped, Retype: true},
		}
		err := s.ChangePassword(t.Context(), a, in)
		if got := codesOf(err); !errors.Is(err, fault.ErrInvalid) || got != c.want {
			t.Errorf("%s: %v: %q, want %q", name, err, got, c.want)
		}
	}
	s.SignsIn(t, "ann@example.com", fixture.Password)
	in := fixture.PasswordChange(given(fixture.Password), given(fresh))
	in.Retype, in.Retyped, in.CurrentFirst = true, given(fresh), true
	if err := s.ChangePassword(t.Context(), a, in); err != nil {
		t.Fatal(err)
	}
	s.SignsIn(t, "ann@example.com", fresh)
}

// A registration with a repetition adds no user unless both are equal, which is said of a strong password only.
func TestRegisterWithRepetition(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	for name, c := range map[string]struct {
		password string
		retyped  field.Text
		want     string
	}{
		"absent":    {fixture.Password, field.Text{}, "re_password:required"},
		"different": {fixture.Password, field.Given("other"), ":password_mismatch"},
		"weak":      {"short", field.Given("other"), "password:password_too_short"},
	} {
		in := fixture.Input("ann@example.com")
		in.Password, in.Retyped, in.Retype = field.Given(c.password), c.retyped, true
		_, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(in))
		if got := codesOf(err); got != c.want {
			t.Errorf("%s: %v: %q, want %q", name, err, got, c.want)
		}
	}
	in := fixture.Input("ann@example.com")
	in.Retyped, in.Retype, in.Locale = in.Password, true, field.Given("pt-BR")
	u, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(in))
	if err != nil || u.Snapshot().Contact.Locale != "pt-BR" {
		t.Fatal(u, err)
	}
}

// A confirmed deletion needs the password of the actor, also where it deletes another user.
func TestDeletionIsConfirmed(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	staff, ann := s.AddStaff(t, "root@example.com"), s.Add(t, "ann@example.com")
	confirm := func(by *user.User, current field.Text) error {
		return s.Accounts.Delete(t.Context(), inbound.Actor{User: by}, ann.ID(), fixture.Body(inbound.Deletion{Confirm: true, Current: current}))
	}
	for want, current := range map[string]field.Text{
		"current_password:required": {}, "current_password:password_incorrect": field.Given("wrong"), "current_password:null": field.Null(),
	} {
		for _, by := range []*user.User{staff, ann} {
			if err := confirm(by, current); codesOf(err) != want {
				t.Errorf("%s: %v", want, err)
			}
		}
	}
	if err := confirm(staff, field.Given(fixture.Password)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ports.Users.Get(t.Context(), ann.ID()); !errors.Is(err, user.ErrNotFound) {
		t.Error(err)
	}
}

// A change of the names only does not require the rest, nor change it.
func TestFullChangeOfNames(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "ann@example.com")
	in := inbound.Changes{Full: true, NamesOnly: true}
	_, err := s.Change(t.Context(), inbound.Actor{User: u}, u.ID(), fixture.Body(in))
	if got := codesOf(err); got != "first_name:required last_name:required" {
		t.Errorf("%v: %q", err, got)
	}
	in.FirstName, in.LastName = field.Given("Bea"), field.Given("Fern")
	after, err := s.Change(t.Context(), inbound.Actor{User: u}, u.ID(), fixture.Body(in))
	if err != nil || after.Snapshot().FirstName != "Bea" || after.Snapshot().Password != u.Snapshot().Password {
		t.Error(after, err)
	}
}

// With policy Listed, users list all, but read and change themselves only. The policy of the accounts it is made of stays.
func TestListed(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann, ben := s.Add(t, "ann@example.com"), s.Add(t, "ben@example.com")
	a, listed := inbound.Actor{User: ann}, s.Accounts.With(application.Listed)
	users, err := listed.List(t.Context(), a, inbound.UserQuery{Query: user.Query{Limit: 10}})
	var got []user.ID
	for _, u := range users {
		got = append(got, u.ID())
	}
	if err != nil || !cmp.Equal(got, []user.ID{ann.ID(), ben.ID()}) {
		t.Error(got, err)
	}
	if _, err := listed.Get(t.Context(), a, ben.ID()); !errors.Is(err, inbound.ErrForbidden) {
		t.Error(err)
	}
	if _, err := listed.Get(t.Context(), a, ann.ID()); err != nil {
		t.Error(err)
	}
	if _, err := listed.Get(t.Context(), a, "00000000-0000-7000-8000-ffffffffffff"); !errors.Is(err, user.ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), a, ben.ID()); err != nil {
		t.Errorf("policy directory: %v", err)
	}
}
