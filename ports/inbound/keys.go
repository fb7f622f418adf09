package inbound

import (
	"context"

	"roster/domain/signing"
)

// SigningKeys is the group of use cases of staff about the signing keys. Each method fails with fault.Unauthenticated when
// the actor is anonymous, and with fault.Forbidden when the actor is not staff. The others than List change the keys as those
// of outbound.Keyring do and fail as these; they also fail with ErrSignInAgain, and are recorded in the audit trail.
type SigningKeys interface {
	// List returns the keys, the oldest first where their age is known.
	List(ctx context.Context, actor Actor) ([]signing.Key, error)

	// Add makes a key that verifies, and does not sign yet.
	Add(ctx context.Context, actor Actor, algorithm string) (signing.Key, error)

	// Rotate makes another key sign; id is "" for the one added last, or a new one.
	Rotate(ctx context.Context, actor Actor, id string) (signing.Key, error)

	// Retire removes a key. force also removes one whose tokens may be valid; their users must sign in again.
	Retire(ctx context.Context, actor Actor, id string, force bool) (signing.Key, error)
}
