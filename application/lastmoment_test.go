package application_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/fixture"
)

// Where administrators register users, a request registers none once its actor has stopped being an administrator or
// has signed out, however long the request takes.
func TestFormerStaffRegisterNoOne(t *testing.T) {
	settings := fixture.Standard()
	settings.Registration = application.RegistrationStaff
	for name, c := range map[string]struct {
		first func(s *fixture.Service, u *user.User)
		want  error
	}{
		"still staff":           {func(*fixture.Service, *user.User) {}, nil},
		"demoted":               {func(_ *fixture.Service, u *user.User) { u.SetStaff(false) }, inbound.ErrForbidden},
		"deactivated":           {func(_ *fixture.Service, u *user.User) { u.SetActive(false) }, inbound.ErrUserInactive},
		"signed out everywhere": {func(s *fixture.Service, u *user.User) { u.EndSessions(s.Clock.Now()) }, session.ErrTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, settings)
			staff := s.AddStaff(t, "s@example.com")
			actor := actorOf(t, s, s.SignsIn(t, "s@example.com", fixture.Password).Access)
			s.Set(t, staff.ID(), func(u *user.User) { c.first(s, u) })
			if _, err := s.Register(t.Context(), actor, fixture.Body(fixture.Input("new@example.com"))); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := s.Users.ByEmail(t.Context(), "new@example.com"); (err == nil) != (c.want == nil) {
				t.Errorf("the new user: %v", err)
			}
		})
	}
}

// A sign-in during which its user is deactivated or deleted is refused as one with a wrong password is.
func TestDeactivationDuringASignInRefusesIt(t *testing.T) {
	for name, happens := range map[string]func(t *testing.T, s *fixture.Service, id user.ID){
		"deactivated": func(t *testing.T, s *fixture.Service, id user.ID) {
			s.Set(t, id, func(u *user.User) { u.SetActive(false) })
		},
		"deleted": func(t *testing.T, s *fixture.Service, id user.ID) {
			if err := s.Ports.Users.Delete(t.Context(), id, func(*user.User) error { return nil }); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			u := s.Add(t, "a@example.com")
			s.Hasher.During = func() {
				s.Hasher.During = nil
				happens(t, s, u.ID())
			}
			s.Refused(t, "a@example.com", fixture.Password)
			if after, err := s.Users.Get(t.Context(), u.ID()); err == nil && !after.Snapshot().LastLogin.IsZero() {
				t.Error("a sign-in is noted")
			}
			if xs, err := s.Ports.Sessions.List(t.Context(), session.Query{Owner: u.ID(), LiveAt: s.Clock.Now(), Limit: 9}); err != nil || len(xs) > 0 {
				t.Errorf("%d sessions, %v", len(xs), err)
			}
			wantTrail(t, s, audit.SignedIn)
			wantTrail(t, s, audit.SignInFailed, "changed meanwhile")
		})
	}
}

// A change of another user's password by an administrator ends all tokens of that user, also when the administrator's
// token has no session, as Django's: a token may only outlive a change of its own user's password.
func TestStaffWithASessionlessTokenEndAllTokensOfTheUser(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	u, staff := s.Add(t, "a@example.com"), s.AddStaff(t, "s@example.com")
	s.Clock.Advance(time.Hour)
	mint := func(owner user.ID, jti string, age time.Duration) string {
		return s.Mint(t, session.Claims{
			Type: session.Access, ID: jti, User: string(owner), HasUser: true,
			IssuedAt: s.Clock.Now().Add(-age), ExpiresAt: s.Clock.Now().Add(time.Hour),
		})
	}
	thief := mint(u.ID(), "6f1ed002ab5595859014ebf0951522d9", time.Minute)
	actor := actorOf(t, s, mint(staff.ID(), "7f1ed002ab5595859014ebf0951522d9", 30*time.Minute))
	actorOf(t, s, thief)
	if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("wqzxvkjpm-2")}})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), thief); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("a token of the user: got %v", err)
	}
}

// A request with a token without a session, begun before all sessions of its user were ended, changes nothing any more.
func TestARequestWithASessionlessTokenDoesNotOutliveTheEndOfSessions(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error{
		"change of another user": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error {
			_, err := s.Change(ctx, actor, other, fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("Eve")}}))
			return err
		},
		"deletion of another user": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error {
			return s.Accounts.Delete(ctx, actor, other, nil)
		},
		"deletion of oneself": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, _ user.ID) error {
			return s.Accounts.Delete(ctx, actor, actor.ID(), nil)
		},
		"end of another user's sessions": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error {
			return s.Devices.EndAll(ctx, actor, other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Django())
			other := s.Add(t, "o@example.com")
			staff := s.AddStaff(t, "s@example.com")
			s.AddStaff(t, "s2@example.com") // so that the first may go
			actor := actorOf(t, s, s.Mint(t, session.Claims{
				Type: session.Access, ID: "7f1ed002ab5595859014ebf0951522d9", User: string(staff.ID()), HasUser: true,
				IssuedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(time.Hour),
			}))
			s.Set(t, staff.ID(), func(u *user.User) { u.EndSessions(s.Clock.Now()) })
			users := func() (out []any) {
				for _, id := range []user.ID{other.ID(), staff.ID()} {
					u, err := s.Users.Get(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, u.Snapshot())
				}
				return out
			}
			before := users()
			if err := ask(t.Context(), s, actor, other.ID()); !errors.Is(err, session.ErrTokenInvalid) {
				t.Errorf("got %v", err)
			}
			if !slices.Equal(before, users()) {
				t.Error("refused, yet changed")
			}
		})
	}
}

// A token that names a session of another user is good for nothing, and the session goes on. Only another holder of the
// key, such as a Django project that keeps it, can sign one.
func TestATokenThatNamesTheSessionOfAnotherUserIsRefused(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	b := s.Add(t, "b@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	forged := func(token string) field.Text {
		c := s.Claims(t, token)
		c.User = string(b.ID())
		return field.Given(s.Mint(t, c))
	}
	for name, ask := range map[string]func(field.Text) error{
		"refresh":      func(token field.Text) error { _, err := s.Refresh(t.Context(), token); return err },
		"verification": func(token field.Text) error { return s.Verify(t.Context(), token) },
		"sign-out":     func(token field.Text) error { return s.SignOut(t.Context(), token) },
	} {
		if err := ask(forged(p.Refresh)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := s.Authenticate(t.Context(), forged(p.Access).Value()); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("access: got %v", err)
	}
	actorOf(t, s, p.Access)
	s.Refreshes(t, p.Refresh)
}

// Wrong passwords of a whole crowd at once: as many are looked at as may fail, all at the same time, and none of the
// others before they are done.
func TestOfACrowdOfGuessesAsManyAreLookedAtAsMayFail(t *testing.T) {
	const crowd = 100
	synctest.Test(t, func(t *testing.T) {
		s := fixture.New(t, fixture.Standard())
		s.Add(t, "a@example.com")
		end := make(chan struct{})
		s.Hasher.During = func() { <-end }
		errs := make(chan error, crowd)
		for range crowd {
			go func() { errs <- try(from(t, "192.0.2.1"), s, "a@example.com", "wrong") }()
		}
		synctest.Wait() // until each attempt looks at its password or waits for others
		if n := s.Hasher.Verified.Load(); n != 10 {
			t.Errorf("%d passwords are looked at, want 10", n)
		}
		close(end)
		refused, locked := 0, 0
		for range crowd {
			switch err := <-errs; {
			case errors.Is(err, inbound.ErrNoAccount):
				refused++
			case errors.Is(err, lockout.ErrLocked):
				locked++
			default:
				t.Error(err)
			}
		}
		if n := s.Hasher.Verified.Load(); n != 10 || refused != 10 || locked != crowd-10 {
			t.Errorf("%d passwords looked at, %d refused, %d locked", n, refused, locked)
		}
	})
}

// What a client says of itself goes into the trail as text of one line without control characters, whatever it is.
func TestAClientCannotForgeEvents(t *testing.T) {
	const forged = "x\n{\"msg\":\"signed_in\"}\r\n\x1b[2J\u2028\u0085\x00\xff"
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	ctx := inbound.WithOrigin(t.Context(), inbound.Origin{Channel: audit.API, Client: session.Client{Address: forged, UserAgent: forged}})
	_ = try(ctx, s, "a@example.com", "wrong")
	_ = try(ctx, s, "who@example.com", "wrong")
	if _, err := s.SignIn(ctx, credentials("a@example.com")); err != nil {
		t.Fatal(err)
	}
	events, err := s.Ports.AuditTrail.List(t.Context(), audit.Query{Limit: 9})
	if err != nil || len(events) < 4 || events[0].User != u.ID() {
		t.Fatalf("%+v, %v", events, err)
	}
	const want = "x\uFFFD{\"msg\":\"signed_in\"}\uFFFD\uFFFD\uFFFD[2J\uFFFD\uFFFD\uFFFD\uFFFD"
	for _, e := range events[:3] {
		if e.UserAgent != want || e.Address != want {
			t.Errorf("%s: user agent %q, address %q; want %q", e.Kind, e.UserAgent, e.Address, want)
		}
	}
}
