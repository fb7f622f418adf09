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
	"roster/test/fixture"
)

// Instances of one database have clocks of their own, and a clock may be wrong for a while. What was done
// first and what later does not depend on them. Each case moves the clock as the next instance has it.

// A sign-in after a password change gives tokens that are good, at an instance whose clock is behind that
// of the instance that changed the password.
func TestASignInAfterAPasswordChangeIsGoodWhateverTheClocks(t *testing.T) {
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

// A session that began at an instance whose clock is ahead is over when all of the user's sessions are
// ended at another, for each way to end them.
func TestSessionsBegunByAClockAheadEnd(t *testing.T) {
	const next = "another-Secret-88"
	for name, end := range map[string]func(s *fixture.Service, actor inbound.Actor) error{
		"password change": func(s *fixture.Service, actor inbound.Actor) error {
			return s.ChangePassword(t.Context(), actor, field.Given(fixture.Password), field.Given(next))
		},
		"sign-out everywhere": func(s *fixture.Service, actor inbound.Actor) error { return s.Devices.EndAll(t.Context(), actor, "") },
		"deactivation": func(s *fixture.Service, actor inbound.Actor) error {
			for _, active := range []bool{false, true} {
				if _, err := s.Administration.Set(t.Context(), actor.ID(), inbound.Settings{Active: &active}); err != nil {
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

// The session that changes its password goes on where the settings say so, and no other.
func TestTheSessionThatChangesThePasswordGoesOn(t *testing.T) {
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

// A clock that was set back does not let a used refresh token be used for longer than the grace and the
// leeway.
func TestAClockSetBackDoesNotStretchTheGrace(t *testing.T) {
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

// Tokens that have no session are judged by their iat, in whole seconds: one that an issuer whose clock is
// ahead gave out before the sessions were ended does not pass for a later one.
func TestTokensWithoutASessionEndWithinTheLeeway(t *testing.T) {
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

// A password change with a token that does not say when it was issued ends the other sessions, and that
// token too, since nothing tells it from older ones.
func TestAPasswordChangeWithoutIatEndsTheOtherSessions(t *testing.T) {
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

// A longest lifetime that was lowered ends sessions that are older, with a refusal and no dead tokens.
func TestALoweredMaximumEndsSessions(t *testing.T) {
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
	p = s.Refreshes(t, p.Refresh) // by the longer one it would go on
}

// A refresh token of ours is good with its record only, also where tokens without a session are honoured.
func TestOurRefreshTokenNeedsItsRecord(t *testing.T) {
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
