package password

import _ "unsafe" // for go:linkname

// The variants of argon2 (RFC 9106), as golang.org/x/crypto/argon2 numbers them.
const (
	argon2d = iota
	argon2i
	argon2id
)

// deriveKey is golang.org/x/crypto's own derivation for every variant. It exports argon2i and argon2id
// alone, since nothing new should be hashed with argon2d; but Django verifies it, and so its users have
// to be able to sign in once more, which rehashes. The module is pinned, and a known answer shows that
// this is still the function meant.
//
//go:linkname deriveKey golang.org/x/crypto/argon2.deriveKey
func deriveKey(mode int, password, salt, secret, data []byte, passes, kib uint32, threads uint8, size uint32) []byte
