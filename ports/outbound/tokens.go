package outbound

import (
	"context"
	"time"

	"roster/domain/session"
)

// Tokens signs and parses tokens.
type Tokens interface {
	// Sign returns a signed token with the claims c.
	Sign(ctx context.Context, c session.Claims) (string, error)

	// Parse checks the form, signature and times of a token at now, and returns its claims. It fails with
	// session.ErrTokenInvalid. It does not check required claims, see session.Claims.CheckRequired.
	Parse(ctx context.Context, token string, now time.Time) (session.Claims, error)
}
