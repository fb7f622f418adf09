package password

import (
	"crypto/sha1" //nolint:gosec // for its size
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"

	"roster/domain/credential"
)

// stored is a credential that a scheme has read and found sane.
type stored struct {
	fits       func(m machine, plain string) bool
	work       work // that fits takes
	preferred  bool // exactly as Hash writes it
	blindToNUL bool // some password with a NUL fits as well as one without
}

// decoy fits no password, and takes no work of its own.
var decoy = stored{fits: func(machine, string) bool { return false }}

// schemes reads what follows the first "$" of an encoded credential, by what precedes it. "" is the
// PHC string format, which begins with "$".
var schemes = map[string]func(rest string) (stored, bool){
	"":              readArgon2(true),
	"argon2":        readArgon2(false),
	"pbkdf2_sha256": readPBKDF2(pbkdf2SHA256, sha256.Size),
	"pbkdf2_sha1":   readPBKDF2(pbkdf2SHA1, sha1.Size),
	"bcrypt":        readBcrypt(cutAt72),
	"bcrypt_sha256": readBcrypt(hexSHA256),
	"scrypt":        readScrypt,
}

// maxEncoded is the most bytes of an encoded credential; Django's column holds 128 characters.
const maxEncoded = 512

// read reads a credential; of the digests of old, if old.
func read(c credential.Hash, old bool) (stored, bool) {
	if !c.Usable() || len(c.Encoded()) > maxEncoded {
		return stored{}, false
	}
	name, rest, found := strings.Cut(c.Encoded(), "$")
	if scheme, known := schemes[name]; found && known {
		return scheme(rest)
	}
	if old {
		return readOld(name, rest, found)
	}
	return stored{}, false
}

// number reads a plain decimal number from lo to hi: no sign, no leading zero, nothing else.
func number(s string, lo, hi int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s && n >= lo && n <= hi
}

// decode undoes base64, strictly: one spelling for each value.
func decode(e *base64.Encoding, s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, false
	}
	b, err := e.Strict().DecodeString(s)
	return b, err == nil
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
