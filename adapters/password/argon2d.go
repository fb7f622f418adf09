package password

import _ "unsafe" // for go:linkname

// variant is a variant of argon2 (RFC 9106). The zero value is none.
type variant int

const (
	argon2d variant = iota + 1
	argon2i
	argon2id
)

// variants are their names in a PHC string.
var variants = map[string]variant{"argon2d": argon2d, "argon2i": argon2i, "argon2id": argon2id}

// deriveKey is golang.org/x/crypto's derivation for every variant. That package exports only argon2i and argon2id, since no
// new password should be hashed with argon2d; but Django verifies it, so its users must be able to sign in once, which
// rehashes. The module is pinned, and a test with a known answer shows that this is still the right function.
//
//go:linkname deriveKey golang.org/x/crypto/argon2.deriveKey
func deriveKey(mode int, password, salt, secret, data []byte, passes, kib uint32, threads uint8, size uint32) []byte

// mode returns golang.org/x/crypto's number of the variant, which is RFC 9106's.
func (v variant) mode() int { return int(v) - 1 }
