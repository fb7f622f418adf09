package outbound

import (
	"context"
	"time"

	"roster/domain/credential"
)

// PasswordHasher makes and verifies stored credentials. Its use of CPU and memory is bounded: each method fails with
// credential.ErrBusy when too many passwords are being hashed.
type PasswordHasher interface {
	// Hash returns the stored form of p in the preferred scheme.
	Hash(ctx context.Context, p credential.Password) (credential.Hash, error)

	// Verify checks p against h. A hash that is unusable, malformed or of an unknown scheme matches no password and
	// costs as much as one of the preferred scheme. Verify does not fail after it has started to hash p.
	Verify(ctx context.Context, p credential.Password, h credential.Hash) (Verification, error)
}

// Verification is the result of checking a password against a stored credential.
type Verification struct {
	Matches     bool
	NeedsRehash bool // the password matches, and Hash(p) should replace the credential

	// Refusal is how long a refusal must take, measured from before the user is read, so that its duration does not
	// depend on what is stored. It covers the costliest hash that may be stored, 2 s at most, and the time that p
	// waited for its turn.
	Refusal time.Duration
}
