package outbound

import (
	"context"
	"time"

	"roster/domain/session"
)

// Tokens signs tokens and checks signatures.
type Tokens interface {
	// Sign returns the token that says c.
	Sign(ctx context.Context, c session.Claims) (string, error)

	// Parse checks the form, signature and times of a token at now and returns what it says. It
	// fails with session.ErrTokenInvalid. What must be said is not its business: see
	// session.Claims.CheckShape.
	Parse(ctx context.Context, token string, now time.Time) (session.Claims, error)
}
