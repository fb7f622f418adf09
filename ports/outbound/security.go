package outbound

import (
	"context"
	"time"

	"roster/domain/credential"
	"roster/domain/session"
)

// PasswordHasher makes and verifies stored credentials. Its cost is bounded: when too many passwords
// are being hashed, it fails with credential.ErrBusy rather than queue without end.
type PasswordHasher interface {
	// Hash returns the stored form of p in the preferred scheme.
	Hash(ctx context.Context, p credential.Password) (credential.Hash, error)

	// Verify reports whether p fits h, and whether h should be replaced by Hash(p) since its scheme
	// or parameters are not the preferred ones. A hash that is unusable, broken or of an unknown
	// scheme fits no password and costs as much as one of the preferred scheme.
	Verify(ctx context.Context, p credential.Password, h credential.Hash) (fits, outdated bool, err error)
}

// Tokens signs tokens and checks signatures.
type Tokens interface {
	// Sign returns the token that says c.
	Sign(ctx context.Context, c session.Claims) (string, error)

	// Parse checks the form, signature and times of a token at now and returns what it says. It
	// fails with session.ErrTokenInvalid. What must be said is not its business: see
	// session.Claims.CheckShape.
	Parse(ctx context.Context, token string, now time.Time) (session.Claims, error)
}

// Clock tells the time: UTC, in whole milliseconds, the finest that every backend keeps.
type Clock interface {
	Now() time.Time
}

// Domains knows internationalised domain names.
type Domains interface {
	// ToASCII returns the ASCII form of domain (RFC 5891, UTS 46), or an error when it has none.
	ToASCII(domain string) (string, error)
}
