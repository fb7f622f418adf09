package outbound

import (
	"context"

	"roster/domain/credential"
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
