package password

import _ "unsafe" // for go:linkname

// variant is one of argon2's (RFC 9106). The zero value is none, so parameters without a variant
// derive no key.
type variant int

const (
	argon2d variant = iota + 1
	argon2i
	argon2id
)

// variants are the names of them in a PHC string.
var variants = map[string]variant{"argon2d": argon2d, "argon2i": argon2i, "argon2id": argon2id}

// deriveKey is golang.org/x/crypto's own derivation for every variant. It exports argon2i and argon2id
// alone, since nothing new should be hashed with argon2d; but Django verifies it, and so its users have
// to be able to sign in once more, which rehashes. The module is pinned, and a known answer shows that
// this is still the function meant.
//
//go:linkname deriveKey golang.org/x/crypto/argon2.deriveKey
func deriveKey(mode int, password, salt, secret, data []byte, passes, kib uint32, threads uint8, size uint32) []byte

// mode returns golang.org/x/crypto's number of the variant, which is RFC 9106's.
func (v variant) mode() int { return int(v) - 1 }
