package signingkeys

import (
	"fmt"

	"roster/domain/guessable"
)

// FromSecret returns the set of a secret that signs and verifies, for HS256, HS384 or HS512. Its bytes are the
// key, as SimpleJWT takes Django's SECRET_KEY. The fallbacks verify too, with the same algorithm, as Django's
// SECRET_KEY_FALLBACKS do. It refuses secrets as guessable.Secret does.
func FromSecret(secret, algorithm string, fallbacks ...string) (*Set, error) {
	switch algorithm {
	case HS256, HS384, HS512:
	default:
		return nil, fmt.Errorf("no algorithm with a secret: %q", algorithm)
	}
	if err := guessable.Secret(secret); err != nil {
		return nil, fmt.Errorf("the secret %w", err)
	}
	keys := []*Key{secretKey(secret, algorithm)}
	for i, f := range fallbacks {
		if err := guessable.Secret(f); err != nil {
			return nil, fmt.Errorf("fallback %d %w", i+1, err)
		}
		keys = append(keys, secretKey(f, algorithm))
	}
	return newSet(keys[0], keys[1:]...)
}

func secretKey(secret, algorithm string) *Key {
	return &Key{algorithm: algorithm, private: []byte(secret), public: []byte(secret)}
}
