// Package breached finds passwords that were in a data breach: with the range protocol of Have I Been Pwned, which sends
// only the first five digits of a hash, or in a downloaded file of its hashes.
package breached

import (
	"crypto/sha1" //nolint:gosec // see sum
	"encoding/hex"
	"strings"

	"roster/domain/credential"
)

// hashDigits is the length of a SHA-1 in hexadecimal.
const hashDigits = 2 * sha1.Size

// sum returns the upper-case hexadecimal SHA-1 of p, the key of the collections of breached passwords. It protects
// nothing here, and is never stored, sent whole, or logged.
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
