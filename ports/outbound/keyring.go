package outbound

import (
	"context"

	"roster/domain/signing"
)

// Keyring lists and changes the signing keys. A change is in force on all instances within seconds. Where the settings
// contain the key, each change fails with signing.ErrConfigured.
type Keyring interface {
	// List returns the keys, the oldest first where their age is known.
	List(ctx context.Context) ([]signing.Key, error)

	// Add makes a key that verifies and is published, and does not sign yet; the first one of all signs. algorithm is one of
	// signing.Algorithms, or "" for the configured one. It fails with signing.ErrAlgorithm.
	Add(ctx context.Context, algorithm string) (signing.Key, error)

	// Rotate makes another key sign: that of the id or, for "", the one added last or, where no added key is left, a new
	// one. The former one still verifies. It fails with signing.ErrUnknownKey.
	Rotate(ctx context.Context, id string) (signing.Key, error)

	// Retire removes a key, so that what it signed is refused. It fails with signing.ErrUnknownKey, with signing.ErrSigns
	// and, unless forced, with signing.ErrInUse; after the last it returns the key too.
	Retire(ctx context.Context, id string, force bool) (signing.Key, error)
}
