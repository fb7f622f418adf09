package application_test

import (
	"errors"
	"testing"
	"time"

	"roster/application"
	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// Instances that share a database have different clocks, which may be wrong. The order of actions must not depend on
// them. Each test sets the clock to that of the next instance.

// A sign-in after a password change gives valid tokens, even from an instance whose clock is behind.
func TestSignInAfterPasswordChangeWithClockBehind(t *testing.T) {
	for _, ahead := range []time.Duration{60 * time.Millisecond, time.Hour, 365 * 24 * time.Hour} {
		s := fixture.New(t, fixture.Standard())
		u := s.Add(t, "a@example.com")
		s.Clock.Advance(ahead)
		s.Set(t, u.ID(), func(u *user.User) { u.ChangePassword(credential.RestoreHash("new$"+fixture.Password), s.Clock.Now()) })
		s.Clock.Advance(-ahead + 20*time.Millisecond)
		p := s.SignsIn(t, "a@example.com", fixture.Password)
		for range 2 {
			if _, err := s.Authenticate(t.Context(), p.Access); err != nil {
				t.Errorf("%s ahead: access: %v", ahead, err)
			}
			p = s.Refreshes(t, p.Refresh)
			s.Clock.Advance(time.Minute)
		}
	}
}

// Ending all sessions of a user, in any way, ends a session started by an instance whose clock is ahead.
func TestEndOfSessionsIgnoresClocks(t *testing.T) {
	const next = "another-Secret-88"
	for name, end := range map[string]func(s *fixture.Service, actor inbound.Actor) error{
		"password change": func(s *fixture.Service, actor inbound.Actor) error {
			return s.ChangePassword(t.Context(), actor, fixture.PasswordChange(field.Given(fixture.Password), field.Given(next)))
		},
		"sign-out everywhere": func(s *fixture.Service, actor inbound.Actor) error { return s.Devices.EndAll(t.Context(), actor, "") },
		"deactivation": func(s *fixture.Service, actor inbound.Actor) error {
			for _, active := range []bool{false, true} {
				if _, err := s.Administration.Set(t.Context(), actor.ID(), inbound.AdminChanges{Active: &active}); err != nil {
					return err
				}
			}
			return nil
		},
		"operator": func(s *fixture.Service, actor inbound.Actor) error {
			return s.Administration.SetPassword(t.Context(), actor.ID(), field.Given(next))
		},
	} {
		s := fixture.New(t, fixture.Standard())
		s.Add(t, "a@example.com")
		s.Clock.Advance(time.Hour)
		other := s.SignsIn(t, "a@example.com", fixture.Password)
		s.Clock.Advance(-59 * time.Minute)
		actor := actorOf(t, s, s.SignsIn(t, "a@example.com", fixture.Password).Access)
		if err := end(s, actor); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s.Clock.Advance(2 * time.Hour)
		if _, err := s.Refresh(t.Context(), field.Given(other.Refresh)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("%s: the other session refreshes: %v", name, err)
		}
		if xs, err := s.Devices.List(t.Context(), inbound.Actor{User: mustGet(t, s, actor.ID())}, session.Query{Limit: 9}); err != nil || len(xs) > 1 {
			t.Errorf("%s: %d sessions are listed, %v", name, len(xs), err)
		}
	}
}

func mustGet(t *testing.T, s *fixture.Service, id user.ID) *user.User {
	t.Helper()
	u, err := s.Users.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// With KeepCurrent, a password change keeps the session of its request and no other.
func TestPasswordChangeKeepsItsSession(t *testing.T) {
	set := fixture.Standard()
	set.Rules.KeepCurrent = true
	s := fixture.New(t, set)
	u := s.Add(t, "a@example.com")
	s.Clock.Advance(time.Hour)
	asking, other := s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
	actor := actorOf(t, s, asking.Access)
	s.Clock.Advance(-time.Hour)
	change := inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("another-Secret-88")}}
	if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(change)); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Hour)
	s.RefreshFails(t, other.Refresh, session.ErrTokenInvalid)
	s.Refreshes(t, asking.Refresh)
}

// A clock that is set back does not extend the grace of a used refresh token beyond the leeway.
func TestClockSetBackDoesNotExtendTheGrace(t *testing.T) {
	set := fixture.Standard()
	set.Rules.Leeway = 30 * time.Second
	s := fixture.New(t, set)
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(time.Hour)
	s.Refreshes(t, p.Refresh)
	s.Clock.Advance(-20 * time.Second) // an instance that is behind
	s.Refreshes(t, p.Refresh)
	s.Clock.Advance(-59 * time.Minute)
	s.RefreshFails(t, p.Refresh, session.ErrBlacklisted)
}

// A token without a session is compared by its iat, in whole seconds. When the issuer's clock is ahead within the
// leeway, a token from before the end of sessions is still refused.
func TestSessionlessTokensEndWithinTheLeeway(t *testing.T) {
	set := fixture.Django()
	set.Rules.Leeway = 30 * time.Second
	s := fixture.New(t, set)
	u := s.Add(t, "a@example.com")
	s.Clock.Advance(time.Hour + 300*time.Millisecond)
	ended := s.Clock.Now()
	s.Set(t, u.ID(), func(u *user.User) { u.EndSessions(ended) })
	s.Clock.Advance(time.Hour)
	for seconds, good := range map[int]bool{
		-3600: false, 0: false, 29: false, 30: true, 60: true,
	} {
		after := time.Duration(seconds) * time.Second
		token := s.Mint(t, session.Claims{
			Type: session.Access, ID: "7f1ed002ab5545958014ebf0951522d9", User: string(u.ID()), HasUser: true,
			IssuedAt: ended.Truncate(time.Second).Add(after), ExpiresAt: s.Clock.Now().Add(time.Hour),
		})
		if _, err := s.Authenticate(t.Context(), token); (err == nil) != good {
			t.Errorf("issued %s after the end: %v", after, err)
		}
	}
}

// A password change by a token without iat ends all sessions and that token too, since it cannot be distinguished
// from older ones.
func TestPasswordChangeWithoutIatEndsAllTokens(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	u := s.Add(t, "a@example.com")
	other := s.SignsIn(t, "a@example.com", fixture.Password)
	asking := s.Mint(t, session.Claims{
		Type: session.Access, ID: "7f1ed002ab5545958014ebf0951522d9", User: string(u.ID()), HasUser: true, ExpiresAt: s.Clock.Now().Add(time.Hour),
	})
	change := inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("another-Secret-88")}}
	if _, err := s.Change(t.Context(), actorOf(t, s, asking), u.ID(), fixture.Body(change)); err != nil {
		t.Fatal(err)
	}
	s.RefreshFails(t, other.Refresh, session.ErrTokenInvalid)
	if _, err := s.Authenticate(t.Context(), other.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("the other's access token: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), asking); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("the asking token: %v", err)
	}
}

// A lowered MaxLifetime ends older sessions: the refresh is refused, and no expired tokens are issued.
func TestLoweredMaxLifetimeEndsSessions(t *testing.T) {
	set := fixture.Standard()
	s := fixture.New(t, set)
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	for range 5 {
		s.Clock.Advance(20 * time.Hour)
		p = s.Refreshes(t, p.Refresh)
	}
	set.Rules.MaxLifetime = 48 * time.Hour
	for _, rotate := range []bool{true, false} {
		set.Rules.Rotate = rotate
		later := application.NewAuthentication(s.Ports, set, application.NewGuard(s.Ports, set))
		if _, err := later.Refresh(t.Context(), field.Given(p.Refresh)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("rotate %t: refresh: %v", rotate, err)
		}
		if err := later.Verify(t.Context(), field.Given(p.Refresh)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("rotate %t: verify: %v", rotate, err)
		}
		if _, err := later.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("rotate %t: access: %v", rotate, err)
		}
	}
	p = s.Refreshes(t, p.Refresh) // valid under the longer MaxLifetime
}

// A refresh token of this service needs its session record, even where tokens without a session are accepted.
func TestRefreshTokenNeedsItsSession(t *testing.T) {
	for _, rotate := range []bool{false, true} {
		set := fixture.Django()
		set.Rules.Rotate = rotate
		s := fixture.New(t, set)
		u := s.Add(t, "a@example.com")
		p := s.SignsIn(t, "a@example.com", fixture.Password)
		if err := s.Sessions.DeleteOf(t.Context(), u.ID()); err != nil {
			t.Fatal(err)
		}
		s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
		if err := s.SignOut(t.Context(), field.Given(p.Refresh)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("sign-out: %v", err)
		}
	}
}
