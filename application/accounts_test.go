package application_test

import (
	"errors"
	"slices"
	"testing"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// faults returns "member: message" of every fault in err.
func faults(err error) []string {
	var out []string
	if e, ok := errors.AsType[*fault.Error](err); ok {
		for _, f := range e.Fields {
			out = append(out, f.Name+": "+f.Message)
		}
	}
	return out
}

func expectFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	if got := faults(err); !slices.Equal(got, want) {
		t.Errorf("got  %q (%v)\nwant %q", got, err, want)
	}
}

func TestRegistrationReportsAllFaults(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "taken@example.com")
	for name, c := range map[string]struct {
		in   inbound.UserInput
		want []string
	}{
		"nothing given": {inbound.UserInput{}, []string{
			"email: This field is required.", "password: This field is required.",
			"first_name: This field is required.", "last_name: This field is required.",
		}},
		"taken, and others": {
			inbound.UserInput{Email: field.Given("TAKEN@Example.com"), Password: field.Given("123"), FirstName: field.Given(" "), LastName: field.Null()},
			[]string{"email: user with this email address already exists.", "first_name: This field may not be blank.", "last_name: This field may not be null."},
		},
		"weak only once the rest is right": {
			inbound.UserInput{Email: field.Given("b@example.com"), Password: field.Given("ann"), FirstName: field.Given("Ann"), LastName: field.Given("Lee")},
			[]string{
				"password: The password is too similar to the first name.",
				"password: This password is too short. It must contain at least 8 characters.",
			},
		},
		"too long and malformed": {
			inbound.UserInput{Email: field.Given(string(make([]byte, 300)) + "x"), Password: field.NotText(), FirstName: field.Given("A"), LastName: field.Given("B")},
			[]string{
				"email: Ensure this field has no more than 254 characters.", "email: Null characters are not allowed.",
				"email: Enter a valid email address.", "password: Not a valid string.",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(c.in))
			expectFaults(t, err, c.want...)
			if u != nil || fault.KindOf(err) != fault.Invalid {
				t.Errorf("got %v, %v", u, err)
			}
		})
	}
	if n, _ := s.Users.Count(t.Context(), user.Filter{}); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
}

func TestRegisterStoresTheInput(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(inbound.UserInput{
		Email: field.Given(" Ann.Lee@EXAMPLE.com "), Password: field.Given(" " + fixture.Password), FirstName: field.Given(" Ann "), LastName: field.Given("Lee"),
	}))

	if err != nil {
		t.Fatal(err)
	}
	got := u.Snapshot()
	if got.Email != "Ann.Lee@example.com" || got.EmailKey != "ann.lee@example.com" || got.FirstName != "Ann" || !got.Active || got.Staff || !got.Joined.Equal(fixture.Epoch) || !got.LastLogin.IsZero() {
		t.Errorf("got %+v", got)
	}
	s.SignsIn(t, "ANN.lee@example.com", " "+fixture.Password)
	s.Refused(t, "ann.lee@example.com", fixture.Password)
}

func TestDjangoTrimsPasswords(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	in := fixture.Input("a@example.com")
	in.Password = field.Given("  " + fixture.Password + "\u2003\x1f")
	if _, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(in)); err != nil {
		t.Fatal(err)
	}
	s.SignsIn(t, "a@example.com", fixture.Password)
	s.SignsIn(t, "a@example.com", "\t"+fixture.Password)
}

func TestChangeIsAllOrNothing(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	s.Add(t, "b@example.com")
	me := inbound.Actor{User: u}
	_, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("New"), Email: field.Given("B@example.com")}}))
	expectFaults(t, err, "email: user with this email address already exists.")
	_, err = s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{Full: true, UserInput: inbound.UserInput{FirstName: field.Given("New")}}))
	expectFaults(t, err, "email: This field is required.", "password: This field is required.", "last_name: This field is required.")
	if now, _ := s.Users.Get(t.Context(), u.ID()); now.Snapshot() != u.Snapshot() {
		t.Errorf("a refused change left %+v", now.Snapshot())
	}
	after, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("New"), Email: field.Given("A@Example.com")}}))
	if err != nil {
		t.Fatal(err)
	}
	if g := after.Snapshot(); g.FirstName != "New" || g.LastName != "Lee" || g.Email != "A@example.com" || g.Version != u.Version()+1 {
		t.Errorf("got %+v", g)
	}
}

func TestPasswordIsComparedWithTheChangedUser(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	me := inbound.Actor{User: u}
	rename := inbound.UserInput{LastName: field.Given("Featherstone")}
	if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: rename})); err != nil {
		t.Fatal(err)
	}
	me.User, _ = s.Users.Get(t.Context(), u.ID())
	_, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("featherstone7")}}))
	expectFaults(t, err, "password: The password is too similar to the last name.")
	if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("featherstone7"), LastName: field.Given("Moss")}})); err != nil {
		t.Error(err)
	}
}

func TestStaleVersionChangesNothing(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	me := inbound.Actor{User: u}
	for want, versions := range map[error][]int64{user.ErrNoVersion: {}, user.ErrStale: {u.Version() + 1}} {
		if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{Versions: versions, UserInput: inbound.UserInput{FirstName: field.Given("X")}})); !errors.Is(err, want) {
			t.Errorf("change: got %v", err)
		}
		if err := s.Accounts.Delete(t.Context(), me, u.ID(), fixture.Body(inbound.Deletion{Versions: versions})); !errors.Is(err, want) {
			t.Errorf("delete: got %v", err)
		}
	}
	if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{Versions: []int64{9, u.Version()}, UserInput: inbound.UserInput{FirstName: field.Given("X")}})); err != nil {
		t.Error(err)
	}
	// The actor's record was read earlier; the stored version is compared.
	if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{Versions: []int64{u.Version()}, UserInput: inbound.UserInput{FirstName: field.Given("Y")}})); !errors.Is(err, user.ErrStale) {
		t.Errorf("got %v", err)
	}
}

func TestCurrentPasswordIsRequired(t *testing.T) {
	set := fixture.Standard()
	set.Passwords.RequireCurrent = true
	s := fixture.New(t, set)
	u, staff := s.Add(t, "a@example.com"), s.AddStaff(t, "s@example.com")
	me := inbound.Actor{User: u}
	fresh := field.Given("wqzxvkjpm-2")
	for _, in := range []inbound.UserInput{{Password: fresh}, {Email: field.Given("new@example.com")}} {
		_, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: in}))
		expectFaults(t, err, "current_password: This field is required.")
		in.CurrentPassword = field.Given("wrong")
		if _, err = s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: in})); !errors.Is(err, credential.ErrWrongPassword) && len(faults(err)) != 1 {
			t.Errorf("got %v", err)
		}
	}
	if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("X")}})); err != nil {
		t.Errorf("a name needs no password: %v", err)
	}
	if _, err := s.Change(t.Context(), me, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: fresh, CurrentPassword: field.Given(fixture.Password)}})); err != nil {
		t.Error(err)
	}
	if _, err := s.Change(t.Context(), inbound.Actor{User: staff}, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("Another-1-fine")}})); err != nil {
		t.Errorf("staff do not know it: %v", err)
	}
}

func TestDeletionDeletesTheSessions(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	pair := s.SignsIn(t, "a@example.com", fixture.Password)
	actor, err := s.Authenticate(t.Context(), pair.Access)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Accounts.Delete(t.Context(), actor, u.ID(), fixture.Body(inbound.Deletion{})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), pair.Access); !errors.Is(err, inbound.ErrUserNotFound) {
		t.Errorf("access: got %v", err)
	}
	if _, err := s.Refresh(t.Context(), field.Given(pair.Refresh)); !errors.Is(err, inbound.ErrTokenOrphaned) {
		t.Errorf("refresh: got %v", err)
	}
	if _, err := s.Ports.Sessions.Get(t.Context(), actor.Session); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("session: got %v", err)
	}
	if _, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(fixture.Input("a@example.com"))); err != nil {
		t.Errorf("the email should be free: %v", err)
	}
}
