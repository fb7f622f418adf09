package application_test

import (
	"errors"
	"testing"

	"roster/domain/field"
	"roster/domain/session"
	"roster/test/support/fixture"
)

// A token with the session of another user is refused, and the session stays valid. Only another holder of the
// signing key can make such a token.
func TestTokenWithAnotherUsersSessionIsRefused(t *testing.T) {
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
