package application_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// actorOf returns the actor of an access token.
func actorOf(t *testing.T, s *fixture.Service, access string) inbound.Actor {
	t.Helper()
	a, err := s.Authenticate(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func list(t *testing.T, s *fixture.Service, a inbound.Actor, owner user.ID) []*session.Session {
	t.Helper()
	xs, err := s.Devices.List(t.Context(), a, session.Query{Owner: owner, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return xs
}

func TestUsersListAndEndTheirSessions(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	s.Add(t, "b@example.com")
	old := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(time.Minute)
	now := s.SignsIn(t, "a@example.com", fixture.Password)
	other := s.SignsIn(t, "b@example.com", fixture.Password)
	a := actorOf(t, s, now.Access)

	xs := list(t, s, a, "")
	if len(xs) != 2 || xs[0].ID() != a.Session || xs[1].ID() == a.Session {
		t.Fatalf("lists %d sessions, the newest first being the present one is not true", len(xs))
	}
	s.Clock.Advance(time.Minute)
	old = s.Refreshes(t, old.Refresh)
	if used := list(t, s, a, "")[1].LastUsed(); !used.Equal(s.Clock.Now()) {
		t.Errorf("last used %s, want %s", used, s.Clock.Now())
	}
	if err := s.Devices.End(t.Context(), a, xs[1].ID()); err != nil {
		t.Fatal(err)
	}
	s.RefreshFails(t, old.Refresh, session.ErrBlacklisted)
	if _, err := s.Authenticate(t.Context(), old.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("the access token of an ended session: %v", err)
	}
	if xs = list(t, s, a, ""); len(xs) != 1 {
		t.Errorf("%d sessions left", len(xs))
	}
	theirs := actorOf(t, s, other.Access)
	for _, id := range []session.ID{theirs.Session, "ffffffffffffffffffffffff", ""} {
		if err := s.Devices.End(t.Context(), a, id); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("end %q: %v", id, err)
		}
	}
	s.Refreshes(t, other.Refresh)
}

func TestEndAll(t *testing.T) {
	for name, set := range map[string]func() (*fixture.Service, inbound.TokenPair, inbound.TokenPair){
		"standard": func() (*fixture.Service, inbound.TokenPair, inbound.TokenPair) {
			s := fixture.New(t, fixture.Standard())
			s.Add(t, "a@example.com")
			return s, s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
		},
		"django": func() (*fixture.Service, inbound.TokenPair, inbound.TokenPair) {
			s := fixture.New(t, fixture.Django())
			s.Add(t, "a@example.com")
			return s, s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, one, two := set()
			s.Clock.Advance(time.Second)
			a := actorOf(t, s, one.Access)
			if err := s.Devices.EndAll(t.Context(), a, ""); err != nil {
				t.Fatal(err)
			}
			for _, p := range []inbound.TokenPair{one, two} {
				s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
				if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
					t.Errorf("access: %v", err)
				}
			}
			s.SignsIn(t, "a@example.com", fixture.Password)
		})
	}
}

func TestStaffManageSessionsOfOthers(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	other, staff := inbound.Actor{User: s.Add(t, "b@example.com")}, inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	s.SignsIn(t, "a@example.com", fixture.Password)
	p := s.SignsIn(t, "a@example.com", fixture.Password)

	for role, c := range map[string]struct {
		actor inbound.Actor
		want  error
	}{"anonymous": {inbound.Actor{}, inbound.ErrNoCredentials}, "other": {other, inbound.ErrForbidden}} {
		if _, err := s.Devices.List(t.Context(), c.actor, session.Query{Owner: u.ID(), Limit: 1}); !errors.Is(err, c.want) {
			t.Errorf("%s lists: %v", role, err)
		}
		if err := s.Devices.EndAll(t.Context(), c.actor, u.ID()); !errors.Is(err, c.want) {
			t.Errorf("%s ends all: %v", role, err)
		}
	}
	if err := s.Devices.End(t.Context(), inbound.Actor{}, "x"); !errors.Is(err, inbound.ErrNoCredentials) {
		t.Errorf("anonymous ends one: %v", err)
	}
	xs := list(t, s, staff, u.ID())
	if len(xs) != 2 {
		t.Fatalf("staff sees %d sessions", len(xs))
	}
	if err := s.Devices.End(t.Context(), staff, xs[1].ID()); err != nil {
		t.Error(err)
	}
	s.Refreshes(t, p.Refresh)
	s.Clock.Advance(time.Second)
	if err := s.Devices.EndAll(t.Context(), staff, u.ID()); err != nil {
		t.Error(err)
	}
	if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("access: %v", err)
	}
	if _, err := s.Devices.List(t.Context(), staff, session.Query{Owner: "00000000-0000-7000-8000-ffffffffffff", Limit: 1}); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("of an unknown user: %v", err)
	}
}

func TestChangePasswordEndsOtherSessions(t *testing.T) {
	for name, set := range map[string]*fixture.Service{"standard": fixture.New(t, fixture.Standard()), "django": fixture.New(t, fixture.Django())} {
		t.Run(name, func(t *testing.T) {
			s := set
			s.Add(t, "a@example.com")
			other, own := s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
			s.Clock.Advance(time.Second)
			a := actorOf(t, s, own.Access)
			const fresh = "Another-one 4 me!"
			if err := s.ChangePassword(t.Context(), a, fixture.PasswordChange(field.Given(fixture.Password), field.Given(fresh))); err != nil {
				t.Fatal(err)
			}
			s.RefreshFails(t, other.Refresh, session.ErrTokenInvalid)
			actorOf(t, s, own.Access)
			s.Refreshes(t, own.Refresh)
			s.Refused(t, "a@example.com", fixture.Password)
			s.SignsIn(t, "a@example.com", fresh)
		})
	}
}

func TestChangePasswordReportsAllFaults(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	a := inbound.Actor{User: s.Add(t, "a@example.com")}
	for name, c := range map[string]struct {
		current, password field.Text
		want              string
	}{
		"nothing":       {field.Text{}, field.Text{}, "current_password new_password"},
		"null":          {field.Null(), field.NotText(), "current_password new_password"},
		"weak":          {field.Given(fixture.Password), field.Given("short"), "new_password"},
		"wrong":         {field.Given("wrong"), field.Given(fixture.Password + "2"), "current_password"},
		"wrong and bad": {field.Text{}, field.Given("short"), "current_password new_password"},
	} {
		err := s.ChangePassword(t.Context(), a, fixture.PasswordChange(c.current, c.password))
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := ""
		for _, x := range f.Fields {
			if got != "" {
				got += " "
			}
			got += x.Name
		}
		if got != c.want {
			t.Errorf("%s: faults of %q, want %q", name, got, c.want)
		}
	}
	if err := s.ChangePassword(t.Context(), inbound.Actor{}, fixture.PasswordChange(field.Given("x"), field.Given("y"))); !errors.Is(err, inbound.ErrNoCredentials) {
		t.Errorf("anonymous: %v", err)
	}
	s.SignsIn(t, "a@example.com", fixture.Password)
}

// Every security event is recorded with actor, user, time, origin and request id.
func TestTrail(t *testing.T) {
	set := fixture.Standard()
	set.Mail = fixture.Mailing(application.VerificationRequired)
	s := fixture.New(t, set)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	ctx := from(t, "192.0.2.7")
	u, err := s.Register(ctx, inbound.Actor{}, fixture.Body(fixture.Input("a@example.com")))
	if err != nil {
		t.Fatal(err)
	}
	id := u.ID()
	s.Clock.Advance(time.Second)
	activation := s.Received(t, "activation a@example.com")
	if events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Limit: 1})); err != nil ||
		events[0].Kind != audit.LinkSent || events[0].User != id || events[0].Detail != "activation" || events[0].Address != "" {
		t.Errorf("link: %+v, %v", events, err)
	}
	if err := s.Links.Activate(ctx, fixture.LinkOf(activation[0])); err != nil {
		t.Fatal(err)
	}
	pair := func() inbound.TokenPair {
		p, err := s.SignIn(ctx, inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given(fixture.Password)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := pair()
	sid := string(s.Claims(t, p.Refresh).Session)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	last := func(what string, want audit.Event) {
		t.Helper()
		events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Limit: 1}))
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %d events, %v", what, len(events), err)
		}
		want.ID, want.At = events[0].ID, s.Clock.Now()
		want.Channel, want.Address, want.UserAgent, want.RequestID = audit.API, "192.0.2.7", "test", "r1"
		if events[0] != want {
			t.Errorf("%s:\n got %+v\nwant %+v", what, events[0], want)
		}
		s.Clock.Advance(time.Second)
	}
	last("sign-in", audit.Event{Kind: audit.SignedIn, Actor: id, User: id, Session: sid})
	_ = try(ctx, s, "a@example.com", "wrong")
	last("wrong password", audit.Event{Kind: audit.SignInFailed, User: id, Detail: "wrong password"})
	_ = try(ctx, s, "unknown@example.com", "wrong")
	last("no user", audit.Event{Kind: audit.SignInFailed, Detail: "no such user"})
	for range 9 {
		_ = try(ctx, s, "a@example.com", "wrong")
	}
	last("the tenth", audit.Event{Kind: audit.Locked, User: id, Detail: "account"})
	s.Clock.Advance(time.Hour)
	next, err := s.Refresh(ctx, field.Given(p.Refresh))
	must("refresh", err)
	last("refresh", audit.Event{Kind: audit.Refreshed, Actor: id, User: id, Session: sid})
	s.Clock.Advance(time.Minute)
	_, _ = s.Refresh(ctx, field.Given(p.Refresh))
	last("reuse", audit.Event{Kind: audit.Reused, User: id, Session: sid, Detail: "session ended"})
	s.RefreshFails(t, next.Refresh, session.ErrBlacklisted)
	p = pair()
	sid = string(s.Claims(t, p.Refresh).Session)
	must("sign out", s.SignOut(ctx, field.Given(p.Refresh)))
	last("sign-out", audit.Event{Kind: audit.SignedOut, Actor: id, User: id, Session: sid})
	p = pair()
	self := actorOf(t, s, p.Access)
	_, err = s.Change(ctx, staff, id, fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("Eve"), Email: field.Given("e@example.com"), Staff: field.Bool(true)}}))
	must("change", err)
	last("change", audit.Event{Kind: audit.Changed, Actor: staff.ID(), User: id, Detail: "email first_name is_staff=true"})
	must("password", s.ChangePassword(ctx, self, fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))))
	last("password", audit.Event{Kind: audit.PasswordChanged, Actor: id, User: id})
	_ = try(ctx, s, "e@example.com", "wrong")
	_, err = s.Administration.Unlock(ctx, id)
	must("unlock", err)
	last("unlock", audit.Event{Kind: audit.Unlocked, User: id})
	s.Sent(t)
	s.Clock.Advance(time.Hour)
	must("reset", s.Links.StartPasswordReset(ctx, staff, id))
	last("reset by staff", audit.Event{Kind: audit.LinkRequested, Actor: staff.ID(), User: id, Detail: "password_reset"})
	must("reset", s.Links.ResetPassword(ctx, fixture.LinkOf(s.Received(t, "password_reset e@example.com")[0]),
		inbound.NewPassword{Password: field.Given(fixture.Password)}))
	last("reset", audit.Event{Kind: audit.PasswordChanged, User: id})
	s.Received(t, "password_changed e@example.com")
	next = s.SignsIn(t, "e@example.com", fixture.Password)
	self = actorOf(t, s, next.Access)
	must("new address", s.Links.RequestEmailChange(ctx, self, inbound.NewEmail{
		Email: field.Given("n@example.com"), CurrentPassword: field.Given(fixture.Password),
	}))
	last("new address", audit.Event{Kind: audit.EmailRequested, Actor: id, User: id})
	must("undo", s.Links.UndoEmailChange(ctx, fixture.LinkOf(s.Received(t, "email_change n@example.com", "email_change_notice e@example.com",
		"email_change_notice a@example.com")[2])))
	last("undo", audit.Event{Kind: audit.PasswordChanged, User: id})
	s.Clock.Advance(time.Hour)
	must("reset", s.Links.ResetPassword(ctx, fixture.LinkOf(s.Received(t, "password_reset a@example.com")[0]),
		inbound.NewPassword{Password: field.Given(fixture.Password)}))
	next = s.SignsIn(t, "a@example.com", fixture.Password)
	self = actorOf(t, s, next.Access)
	must("end one", s.Devices.End(ctx, staff, self.Session))
	last("end one", audit.Event{Kind: audit.SessionRevoked, Actor: staff.ID(), User: id, Session: string(self.Session)})
	must("end all", s.Devices.EndAll(ctx, staff, id))
	last("end all", audit.Event{Kind: audit.SessionsRevoked, Actor: staff.ID(), User: id})
	must("delete", s.Accounts.Delete(ctx, staff, id, fixture.Body(inbound.Deletion{})))
	last("delete", audit.Event{Kind: audit.Deleted, Actor: staff.ID(), User: id, Detail: "is_staff=false"})
	keys := application.NewSigningKeys(s.Ports, set, fixture.Keyring(t))
	former, err := keys.Add(ctx, staff, "")
	must("add a key", err)
	last("add a key", audit.Event{Kind: audit.KeyAdded, Actor: staff.ID(), Detail: "EdDSA " + former.ID})
	k, err := keys.Rotate(ctx, staff, "")
	must("rotate", err)
	last("rotate", audit.Event{Kind: audit.KeyRotated, Actor: staff.ID(), Detail: "EdDSA " + k.ID})
	must("retire", second(keys.Retire(ctx, staff, former.ID, true)))
	last("retire", audit.Event{Kind: audit.KeyRetired, Actor: staff.ID(), Detail: "EdDSA " + former.ID})

	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.Registered}, User: id}, Limit: 9}))
	if err != nil || len(events) != 1 || events[0].Actor != "" || events[0].Address != "192.0.2.7" {
		t.Errorf("registration: %+v, %v", events, err)
	}
	everything, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Limit: 1000}))
	must("everything", err)
	for _, kind := range audit.Kinds() { // every kind must be recorded
		if kind == audit.Imported || kind == audit.Exported {
			continue // recorded by the operator's commands, tested there
		}
		if !slices.ContainsFunc(everything, func(e audit.Event) bool { return e.Kind == kind }) {
			t.Errorf("nothing above is %s", kind)
		}
	}
	for role, c := range map[string]struct {
		actor inbound.Actor
		want  error
	}{"anonymous": {inbound.Actor{}, inbound.ErrNoCredentials}, "other": {inbound.Actor{User: s.Add(t, "o@example.com")}, inbound.ErrForbidden}} {
		if _, err := s.Trail.Events(t.Context(), c.actor, func() (audit.Query, error) {
			t.Errorf("%s: the query was read", role)
			return audit.Query{}, nil
		}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", role, err)
		}
	}
	s.Clock.Advance(91 * 24 * time.Hour)
	s.Add(t, "later@example.com") // adds an event, since sweeps advance to the newest event
	swept, err := s.Housekeeping.Sweep(t.Context())
	if err != nil || swept.Events == 0 || swept.Attempts == 0 {
		t.Errorf("swept %+v, %v", swept, err)
	}
	if events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Limit: 9})); len(events) != 1 || err != nil {
		t.Errorf("events outlive their age: %v, %v", events, err)
	}
}
