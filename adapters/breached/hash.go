// Package breached asks whether a password was in a data breach: over the range protocol of Have I Been
// Pwned, which is told only the first five digits of a hash, or in a downloaded file of its hashes.
package breached

import (
	"crypto/sha1" //nolint:gosec // see sum
	"encoding/hex"
	"strings"

	"roster/domain/credential"
)

// hashDigits is the length of a SHA-1 in hexadecimal.
const hashDigits = 2 * sha1.Size

// sum returns the upper-case hexadecimal SHA-1 of p. The collections of breached passwords are keyed by
// it, so the protocol and the files leave no choice; it protects nothing here, and is never kept, sent
// whole, or logged. Stored credentials have nothing to do with it.
func sum(p credential.Password) string {
	s := sha1.Sum([]byte(p.Reveal())) //nolint:gosec // see above
	return strings.ToUpper(hex.EncodeToString(s[:]))
}

// isHex reports whether s is n hexadecimal digits, of either case.
func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
