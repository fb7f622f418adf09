package application_test

import (
	"errors"
	"testing"
	"time"

	"roster/application"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/fixture"
)

// sessionlessRefresh is a refresh token of user id as SimpleJWT issues it, which ends after life.
func sessionlessRefresh(t *testing.T, s *fixture.Service, id user.ID, life time.Duration) string {
	t.Helper()
	now := s.Clock.Now()
	return s.Mint(t, session.Claims{
		Type: session.Refresh, ID: "5f1ed002ab5595859014ebf0951522d9", User: string(id), HasUser: true, IssuedAt: now, ExpiresAt: now.Add(life),
	})
}

// A token that another issuer gave out stays signed out, or used, as long as it would have lasted: also
// where sessions here are shorter, expired records are removed, and the maximum is raised afterwards.
func TestSessionlessTokenStaysEnded(t *testing.T) {
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

// The longest life of a session is also that of tokens that name none.
func TestSessionlessTokenEndsWithTheLongestSession(t *testing.T) {
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
		if rotate { // what is given out in its place ends with it
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
