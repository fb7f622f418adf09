package session_test

import (
	"errors"
	"testing"

	"roster/domain/fault"
	"roster/domain/session"
)

func TestCheckRequired(t *testing.T) {
	full := session.Claims{Type: session.Refresh, ID: "x", ExpiresAt: t0}
	for name, c := range map[string]struct {
		change func(*session.Claims)
		want   session.TokenType
		err    error
	}{
		"right":                {func(*session.Claims) {}, session.Refresh, nil},
		"any":                  {func(*session.Claims) {}, "", nil},
		"wrong":                {func(*session.Claims) {}, session.Access, session.ErrWrongType},
		"other case":           {func(c *session.Claims) { c.Type = "Refresh" }, session.Refresh, session.ErrWrongType},
		"sliding":              {func(c *session.Claims) { c.Type = "sliding" }, session.Access, session.ErrWrongType},
		"no type":              {func(c *session.Claims) { c.Type = "" }, session.Refresh, session.ErrNoType},
		"no type, any":         {func(c *session.Claims) { c.Type = "" }, "", nil},
		"no id":                {func(c *session.Claims) { c.ID, c.Type = "", "" }, session.Refresh, session.ErrNoTokenID},
		"no id, any":           {func(c *session.Claims) { c.ID = "" }, "", session.ErrNoTokenID},
		"nothing":              {func(c *session.Claims) { *c = session.Claims{} }, session.Refresh, session.ErrNoExpiry},
		"nothing, any":         {func(c *session.Claims) { *c = session.Claims{} }, "", session.ErrNoExpiry},
		"no expiry, all other": {func(c *session.Claims) { c.ExpiresAt = session.Claims{}.ExpiresAt }, session.Access, session.ErrNoExpiry},
	} {
		claims := full
		c.change(&claims)
		if err := claims.CheckRequired(c.want); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The errors share a kind and a code, but do not match each other.
func TestTokenErrorsAreDistinct(t *testing.T) {
	all := []error{
		session.ErrTokenInvalid, session.ErrWrongType, session.ErrNoExpiry, session.ErrNoTokenID, session.ErrNoType, session.ErrBlacklisted, session.ErrNoUserClaim,
	}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v is %v", a, b)
			}
		}
		if fault.KindOf(a) != fault.Unauthenticated {
			t.Errorf("%v: kind %d", a, fault.KindOf(a))
		}
	}
}

// Later versions must find stored records, so the id must not change.
func TestSessionlessIDIsStable(t *testing.T) {
	if got := session.SessionlessID("d5b1c8f4bce94fe1b0cff264899d928b"); got != "33f235a6696cfa9a29ce3f13" {
		t.Errorf("got %s", got)
	}
}
