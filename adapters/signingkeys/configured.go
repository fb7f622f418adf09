package signingkeys

import (
	"context"

	"roster/domain/signing"
	"roster/ports/outbound"
)

// Configured is the keys that the settings contain. They can be listed, not changed.
type Configured struct{ *Set }

var _ outbound.Keyring = Configured{}

// List implements outbound.Keyring. The age of the keys is unknown, and until when tokens of those are valid that only verify.
func (c Configured) List(ctx context.Context) ([]signing.Key, error) {
	keys := make([]signing.Key, len(c.Keys()))
	for i, k := range c.Keys() {
		keys[i] = signing.Key{ID: k.ID(), Algorithm: k.Algorithm(), State: signing.Verifying}
		if k == c.Signing() {
			keys[i].State = signing.Signing
		}
	}
	return keys, ctx.Err()
}

// Add fails with signing.ErrConfigured.
func (Configured) Add(context.Context, string) (signing.Key, error) {
	return signing.Key{}, signing.ErrConfigured
}

// Rotate fails with signing.ErrConfigured.
func (Configured) Rotate(context.Context, string) (signing.Key, error) {
	return signing.Key{}, signing.ErrConfigured
}

// Retire fails with signing.ErrConfigured.
func (Configured) Retire(context.Context, string, bool) (signing.Key, error) {
	return signing.Key{}, signing.ErrConfigured
}
