package application_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// An operator may create a user with an address only. Without a password no password matches.
func TestCreateNeedsAnAddressAlone(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u, err := s.Administration.Create(t.Context(), inbound.UserInput{Email: field.Given("ann@example.com")})
	if err != nil || !u.Active() || u.Staff() || u.Password().Usable() || u.Snapshot().FirstName != "" {
		t.Fatalf("created %+v, %v", u, err)
	}
	for _, password := range []string{"", "!", fixture.Password} {
		if err := try(t.Context(), s, "ann@example.com", password); err == nil {
			t.Errorf("%q signs in", password)
		}
	}
	if err := s.Administration.SetPassword(t.Context(), u.ID(), field.Given(fixture.Password)); err != nil {
		t.Fatal(err)
	}
	s.SignsIn(t, "ann@example.com", fixture.Password)

	in := fixture.Input("bob@example.com")
	in.Active, in.Staff = field.Bool(false), field.Bool(true)
	bob, err := s.Administration.Create(t.Context(), in)
	if err != nil || bob.Active() || !bob.Staff() {
		t.Fatalf("created %+v, %v", bob, err)
	}
	events, err := s.Ports.AuditTrail.List(t.Context(), audit.Query{Filter: audit.Filter{User: bob.ID()}, Limit: 9})
	if err != nil || len(events) != 1 || events[0].Kind != audit.Registered || events[0].Detail != "is_active=false is_staff=true" {
		t.Errorf("the trail has %+v, %v", events, err)
	}
	for want, in := range map[string]inbound.UserInput{
		"email required":     {Password: field.Given(fixture.Password)},
		"email invalid":      {Email: field.Given("x")},
		"email unique":       {Email: field.Given("ANN@example.com")},
		"first_name blank":   {Email: field.Given("c@example.com"), FirstName: field.Given(" ")},
		"is_staff invalid":   {Email: field.Given("c@example.com"), Staff: field.Given("perhaps")},
		"password_too_short": {Email: field.Given("c@example.com"), Password: field.Given("x")},
	} {
		if _, err := s.Administration.Create(t.Context(), in); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(codes(err), want) {
			t.Errorf("%s: got %v", want, codes(err))
		}
	}
}

// codes returns "member code" of every fault in err.
func codes(err error) string {
	var out []string
	for _, f := range fieldsOf(err) {
		out = append(out, f.Name+" "+f.Code)
	}
	return strings.Join(out, ", ")
}

// Judge reports the faults that Create or a change would report for the same members. It stores nothing.
func TestJudge(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann := s.Add(t, "ann@example.com")
	for _, c := range []struct {
		in   inbound.UserInput
		self *user.User
		want string
	}{
		{inbound.UserInput{}, nil, ""},
		{inbound.UserInput{Email: field.Given("x")}, nil, "email invalid"},
		{inbound.UserInput{Email: field.Given("Ann@Example.com")}, nil, "email unique"},
		{inbound.UserInput{Email: field.Given("Ann@Example.com")}, ann, ""},
		{inbound.UserInput{LastName: field.Given(strings.Repeat("x", user.MaxName+1))}, nil, "last_name max_length"},
		{inbound.UserInput{LastName: field.Given("Wintergarten"), Password: field.Given("wintergarten-12")}, nil, "password password_too_similar"},
		{inbound.UserInput{Password: field.Given("ann@example.com")}, ann, "password password_too_similar"},
		{inbound.UserInput{Email: field.Given("bob@example.com"), Password: field.Given(fixture.Password)}, nil, ""},
	} {
		if got := codes(s.Administration.CheckInput(t.Context(), c.in, c.self)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if n, err := s.Ports.Users.Count(t.Context(), user.Filter{}); n != 1 || err != nil {
		t.Errorf("there are %d users, %v", n, err)
	}
}

// An administrator is an active staff user.
func TestHasAdministrator(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	has := func(want bool) {
		t.Helper()
		if got, err := s.Administration.HasAdministrator(t.Context()); got != want || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	has(false)
	s.Add(t, "ann@example.com")
	has(false)
	root := s.AddStaff(t, "root@example.com")
	has(true)
	s.Set(t, root.ID(), func(u *user.User) { u.SetActive(false) })
	has(false)
}

// Each returns users in order up to the limit, even more than it reads at once.
func TestEachKeepsToItsLimit(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	const all = 1203
	for n := range all {
		in := inbound.UserInput{Email: field.Given(fmt.Sprintf("u%04d@example.com", n))}
		if _, err := s.Administration.Create(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]int{0: all, 1: 1, 499: 499, 500: 500, 501: 501, 1000: 1000, 1203: all, 5000: all} {
		n, last := 0, ""
		err := s.Administration.Each(t.Context(), user.Query{Order: user.Ordering("-email"), Limit: limit}, func(u *user.User) error {
			if last != "" && u.Snapshot().Email >= last {
				t.Errorf("%s comes after %s", u.Snapshot().Email, last)
			}
			n, last = n+1, u.Snapshot().Email
			return nil
		})
		if n != want || err != nil {
			t.Errorf("limit %d: %d users, %v, want %d", limit, n, err, want)
		}
	}
}

// Standing counts the live sessions and reports the state of the lockout.
func TestStanding(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.AddStaff(t, "ann@example.com")
	ctx := inbound.WithOrigin(t.Context(), inbound.Origin{Channel: audit.API, Client: session.Client{Address: "192.0.2.7"}})
	standing := func() inbound.SignInStatus {
		t.Helper()
		u, err := s.Administration.Find(t.Context(), "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Administration.SignInStatus(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := s.Administration.EachSession(t.Context(), u, func(*session.Session) error { n++; return nil }); err != nil || n != got.Sessions {
			t.Errorf("%d sessions listed, %d counted, %v", n, got.Sessions, err)
		}
		return got
	}
	if got := standing(); got != (inbound.SignInStatus{}) {
		t.Errorf("before anything: %+v", got)
	}
	for range 2 {
		s.SignsIn(t, "ann@example.com", fixture.Password)
	}
	for range 3 {
		_ = try(ctx, s, "ann@example.com", "wrong")
	}
	failed := s.Clock.Now()
	if got, want := standing(), (inbound.SignInStatus{Sessions: 2, LastFailure: failed, FailedFrom: "192.0.2.7", Failures: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for range 7 {
		_ = try(ctx, s, "ann@example.com", "wrong")
	}
	want := inbound.SignInStatus{Sessions: 2, LastFailure: failed, FailedFrom: "192.0.2.7", Failures: 10, LockedUntil: failed.Add(30 * time.Second)}
	if got := standing(); got != want {
		t.Errorf("locked: got %+v, want %+v", got, want)
	}
	s.Clock.Advance(31 * time.Second)
	if got := standing(); !got.LockedUntil.IsZero() || got.Failures != 10 {
		t.Errorf("after the wait: %+v", got)
	}
	u, err := s.Administration.Find(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Administration.SetPassword(t.Context(), u.ID(), field.Given(fixture.Password+"2")); err != nil {
		t.Fatal(err)
	}
	if got, want := standing(), (inbound.SignInStatus{LastFailure: failed, FailedFrom: "192.0.2.7"}); got != want {
		t.Errorf("after a new password: got %+v, want %+v", got, want)
	}
}
