package password

import (
	"crypto/pbkdf2"
	"encoding/base64"
	"hash"
	"strings"
)

// maxIterations is the most of a stored hash: a few seconds.
const maxIterations = 10_000_000

// maxSalt is the most bytes of a salt that is plain text.
const maxSalt = 128

// readPBKDF2 reads Django's "iterations$salt$key": the salt is its own text, the key base64.
func readPBKDF2[H hash.Hash](digest func() H, size int) func(string) (stored, bool) {
	return func(rest string) (stored, bool) {
		part := strings.Split(rest, "$")
		if len(part) != 3 || part[1] == "" || len(part[1]) > maxSalt {
			return stored{}, false
		}
		iterations, ok := number(part[0], 1, maxIterations)
		key, keyOK := decode(base64.StdEncoding, part[2])
		if !ok || !keyOK || len(key) != size {
			return stored{}, false
		}
		return stored{
			fits: func(plain string) bool {
				got, err := pbkdf2.Key(digest, plain, []byte(part[1]), iterations, size)
				return err == nil && equal(got, key)
			},
			work:       work{units: iterations / iterationsPerUnit},
			blindToNUL: true, // HMAC pads its key with NULs
		}, true
	}
}
