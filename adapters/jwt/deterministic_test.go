package jwt

import (
	"testing"
	"time"

	"roster/domain/session"
)

func TestTheSameClaimsAreTheSameToken(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := session.Claims{
		Type: session.Refresh, User: "7", HasUser: true, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
		Session: "0123456789abcdef01234567", Generation: 3,
	}
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		tokens := New(pairs(t, generated(t, algorithm)), Options{})
		first, err := tokens.Sign(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := tokens.Sign(t.Context(), c)
		if err != nil || again != first {
			t.Errorf("%s: signed twice, got\n%s\n%s, %v", algorithm, first, again, err)
		}
		if got, err := tokens.Parse(t.Context(), first, now); err != nil || got.Generation != 3 {
			t.Errorf("%s: %+v, %v", algorithm, got, err)
		}
	}
}
