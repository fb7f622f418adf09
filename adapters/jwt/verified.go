package jwt

import (
	"crypto/sha256"

	"github.com/maypok86/otter/v2"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

// maxVerified is how many access tokens are remembered, in some 5 MB.
const maxVerified = 10_000

// verified remembers access tokens of which the signature was verified, so that a token that comes again costs a hash
// and not a verification. The key is a hash of the whole token. The times of a token are checked each time. Refresh
// tokens are not remembered, since each comes once.
type verified struct {
	cache *otter.Cache[[sha256.Size]byte, entry]
}

// entry is a token that was verified with a set of keys. It counts as long as this set is in force.
type entry struct {
	keys   *signingkeys.Set
	claims *claims // is not changed
}

func newVerified() verified {
	return verified{otter.Must(&otter.Options[[sha256.Size]byte, entry]{MaximumSize: maxVerified})}
}

// find returns the claims of a token that was verified with keys, or nil.
func (v verified) find(token string, keys *signingkeys.Set) *claims {
	if e, ok := v.cache.GetIfPresent(sha256.Sum256([]byte(token))); ok && e.keys == keys {
		return e.claims
	}
	return nil
}

// add remembers the claims of a token that was verified with keys.
func (v verified) add(token string, keys *signingkeys.Set, c *claims) {
	if c.parsed.Type == session.Access {
		v.cache.Set(sha256.Sum256([]byte(token)), entry{keys, c})
	}
}
