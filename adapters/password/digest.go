package password

import (
	"crypto/md5"  //nolint:gosec // Django's old hashers
	"crypto/sha1" //nolint:gosec // Django's old hashers
	"encoding/hex"
	"strings"
)

// digests reads the hashes of Django's hashers of one digest (SHA1PasswordHasher, MD5PasswordHasher and their unsalted
// forms), like schemes. With the database, billions of such passwords can be tried in a second, so these are read only
// with Options.Digests.
var digests = map[string]func(rest string) (stored, bool){
	"sha1": readDigest(sha1.Size, func(text string) []byte { d := sha1.Sum([]byte(text)); return d[:] }), //nolint:gosec // as above
	"md5":  readDigest(md5.Size, func(text string) []byte { d := md5.Sum([]byte(text)); return d[:] }),   //nolint:gosec // as above
}

// readDigest reads "salt$digest": the digest of the salt followed by the password, in lower-case hexadecimal. The salt may
// be empty.
func readDigest(size int, digest func(string) []byte) func(string) (stored, bool) {
	return func(rest string) (stored, bool) {
		salt, text, found := strings.Cut(rest, "$")
		key, err := hex.DecodeString(text)
		if !found || len(salt) > maxSalt || err != nil || len(key) != size || strings.ToLower(text) != text {
			return stored{}, false
		}
		return stored{fits: func(plain string) bool { return equal(digest(salt+plain), key) }}, true
	}
}

// readOld reads a hash of digests from the parts before and after its first "$", if there is one.
func readOld(name, rest string, found bool) (stored, bool) {
	if !found {
		return digests["md5"]("$" + name) // unsalted MD5, bare
	}
	if scheme, known := digests[name]; known {
		return scheme(rest)
	}
	return stored{}, false
}
