package application_test

import (
	"errors"
	"testing"
	"time"

	"context"
	"slices"

	"roster/application"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// sessionlessRefresh returns a refresh token of the user id as SimpleJWT issues it, with the lifetime life.
func sessionlessRefresh(t *testing.T, s *fixture.Service, id user.ID, life time.Duration) string {
	t.Helper()
	now := s.Clock.Now()
	return s.Mint(t, session.Claims{
		Type: session.Refresh, ID: "5f1ed002ab5595859014ebf0951522d9", User: string(id), HasUser: true, IssuedAt: now, ExpiresAt: now.Add(life),
	})
}

// A token of another issuer stays revoked or used until its own expiry, even where sessions are shorter, expired
// records are swept, and the maximum is raised later.
func TestSessionlessTokenStaysRevoked(t *testing.T) {
	const life = 14 * 24 * time.Hour
	for name, rotates := range map[string]bool{"signed out": false, "rotated": true} {
		t.Run(name, func(t *testing.T) {
			settings := fixture.Django()
			settings.Rules.MaxLifetime, settings.Rules.Rotate = 24*time.Hour, rotates
			s := fixture.New(t, settings)
			u := s.Add(t, "a@example.com")
			token := sessionlessRefresh(t, s, u.ID(), life)
			if rotates {
				s.Refreshes(t, token)
			} else if err := s.SignOut(t.Context(), field.Given(token)); err != nil {
				t.Fatal(err)
			}
			raised := settings
			raised.Rules.MaxLifetime = 0
			s.Authentication = application.NewAuthentication(s.Ports, raised, application.NewGuard(s.Ports, raised))
			for range 13 {
				s.Clock.Advance(24 * time.Hour)
				if swept, err := s.Sessions.Sweep(t.Context(), s.Clock.Now(), 10); err != nil || swept != 0 {
					t.Errorf("removed %d records, %v", swept, err)
				}
				s.RefreshFails(t, token, session.ErrBlacklisted)
			}
			s.Clock.Advance(24 * time.Hour)
			if swept, err := s.Sessions.Sweep(t.Context(), s.Clock.Now(), 10); err != nil || swept != 1 {
				t.Errorf("the record of an expired token stays: %d, %v", swept, err)
			}
		})
	}
}

// MaxLifetime applies to tokens without a session too.
func TestMaxLifetimeAppliesToSessionlessTokens(t *testing.T) {
	settings := fixture.Django()
	settings.Rules.MaxLifetime = 48 * time.Hour
	for _, rotate := range []bool{false, true} {
		settings.Rules.Rotate = rotate
		s := fixture.New(t, settings)
		u := s.Add(t, "a@example.com")
		now := s.Clock.Now()
		token := sessionlessRefresh(t, s, u.ID(), 14*24*time.Hour)
		access := s.Mint(t, session.Claims{Type: session.Access, ID: "6f1ed002ab5595859014ebf0951522d9", User: string(u.ID()), HasUser: true, IssuedAt: now, ExpiresAt: now.Add(14 * 24 * time.Hour)})
		s.Clock.Advance(47 * time.Hour)
		if _, err := s.Authenticate(t.Context(), access); err != nil {
			t.Errorf("within: %v", err)
		}
		if rotate { // tokens issued from it expire with it
			if got := s.Claims(t, s.Refreshes(t, token).Refresh).ExpiresAt; !got.Equal(now.Add(48 * time.Hour).Truncate(time.Second)) {
				t.Errorf("its successor ends at %v", got)
			}
		}
		s.Clock.Advance(time.Hour)
		s.RefreshFails(t, token, session.ErrTokenInvalid)
		if _, err := s.Authenticate(t.Context(), access); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("access: %v", err)
		}
		if err := s.Verify(t.Context(), field.Given(token)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("verify: %v", err)
		}
	}
}

// A token without a session stays valid after it changes its user's password, as in SimpleJWT. Tokens issued before
// it do not.
func TestSessionlessTokenSurvivesItsPasswordChange(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	u := s.Add(t, "a@example.com")
	s.Clock.Advance(time.Hour)
	mint := func(jti string, age time.Duration) string {
		return s.Mint(t, session.Claims{
			Type: session.Access, ID: jti, User: string(u.ID()), HasUser: true,
			IssuedAt: s.Clock.Now().Add(-age), ExpiresAt: s.Clock.Now().Add(time.Hour),
		})
	}
	older, asking := mint("6f1ed002ab5595859014ebf0951522d9", 2*time.Minute), mint("7f1ed002ab5595859014ebf0951522d9", time.Minute)
	actor, err := s.Authenticate(t.Context(), asking)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("wqzxvkjpm-2")}})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), asking); err != nil {
		t.Errorf("the one that asked: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), older); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("an older one: got %v", err)
	}
}

// A change of another user's password by staff ends all tokens of that user, also when the staff token has no
// session. A token survives a change of its own user's password only.
func TestStaffPasswordChangeEndsAllTokens(t *testing.T) {
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

// A request with a token without a session changes nothing when all sessions of its user ended during it.
func TestSessionlessRequestFailsAfterSessionsEnd(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error{
		"change of another user": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error {
			_, err := s.Change(ctx, actor, other, fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("Eve")}}))
			return err
		},
		"deletion of another user": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error {
			return s.Accounts.Delete(ctx, actor, other, fixture.Body(inbound.Deletion{}))
		},
		"deletion of oneself": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, _ user.ID) error {
			return s.Accounts.Delete(ctx, actor, actor.ID(), fixture.Body(inbound.Deletion{}))
		},
		"end of another user's sessions": func(ctx context.Context, s *fixture.Service, actor inbound.Actor, other user.ID) error {
			return s.Devices.EndAll(ctx, actor, other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Django())
			other := s.Add(t, "o@example.com")
			staff := s.AddStaff(t, "s@example.com")
			s.AddStaff(t, "s2@example.com") // so that the first can lose administration
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
