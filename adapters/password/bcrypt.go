package password

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// maxBcryptCost is the most of a stored hash: a few seconds.
const maxBcryptCost = 16

// bcryptBytes is how many bytes of its input bcrypt uses.
const bcryptBytes = 72

// readBcrypt reads "$2b$12$…", which Django writes after "bcrypt$" or "bcrypt_sha256$". input makes the input of bcrypt from
// a password, and counts is how many bytes of the password it uses, 0 for all. 2a, 2b and 2y are the same function for
// such input; 2x is a broken one of old PHP.
func readBcrypt(input func(plain string) []byte, counts int) func(string) (stored, bool) {
	return func(rest string) (stored, bool) {
		const length = len("$2b$12$") + 22 + 31 // salt and key, in bcrypt's own base64
		if len(rest) != length || rest[0] != '$' || rest[6] != '$' || strings.ContainsFunc(rest[7:], notBcrypt64) {
			return stored{}, false
		}
		switch rest[:4] {
		case "$2a$", "$2b$", "$2y$":
		default:
			return stored{}, false
		}
		exponent, ok := number(strings.TrimPrefix(rest[4:6], "0"), bcrypt.MinCost, maxBcryptCost)
		if !ok {
			return stored{}, false
		}
		return stored{
			fits:       func(plain string) bool { return bcrypt.CompareHashAndPassword([]byte(rest), input(plain)) == nil },
			work:       work{units: unitsPerRound << exponent},
			counts:     counts,
			blindToNUL: true, // "a" and "a\x00a" are one key to bcrypt, which repeats it with a NUL between
		}, true
	}
}

func notBcrypt64(r rune) bool {
	return r != '.' && r != '/' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// cutAt72 is Django's BCryptPasswordHasher: the password itself, of which bcrypt uses 72 bytes.
func cutAt72(plain string) []byte { return []byte(plain[:min(len(plain), bcryptBytes)]) }

// hexSHA256 is Django's BCryptSHA256PasswordHasher: all of the password counts.
func hexSHA256(plain string) []byte {
	sum := sha256.Sum256([]byte(plain))
	return []byte(hex.EncodeToString(sum[:]))
}
