package outbound

import (
	"context"
	"time"

	"roster/domain/credential"
)

// PasswordHasher makes and verifies stored credentials. Its cost is bounded: when too many passwords
// are being hashed, it fails with credential.ErrBusy rather than queue without end.
type PasswordHasher interface {
	// Hash returns the stored form of p in the preferred scheme.
	Hash(ctx context.Context, p credential.Password) (credential.Hash, error)

	// Verify tries p on h. A hash that is unusable, broken or of an unknown scheme fits no password and
	// costs as much as one of the preferred scheme. It does not fail once it has looked at p.
	Verify(ctx context.Context, p credential.Password, h credential.Hash) (Verification, error)
}

// Verification is the outcome of trying a password on a stored credential.
type Verification struct {
	Fits     bool
	Outdated bool // it fits, and should be replaced by Hash(p)

	// Refusal is how long a refusal takes in all, from before the user is read, so that the time does not
	// show what is stored: enough for the costliest hash that may be, 2 s at most, on top of the time that
	// p waited for its turn.
	Refusal time.Duration
}
