package password

import (
	"crypto/sha1" //nolint:gosec // PBKDF2 with SHA-1 is not broken, and Django writes it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"roster/domain/credential"
)

// stored is a credential that a scheme has read and found sane.
type stored struct {
	fits       func(plain string) bool
	work       work // that fits takes
	preferred  bool // exactly as Hash writes it
	blindToNUL bool // some password with a NUL fits as well as one without
	counts     int  // bytes of a password that count; 0 for all
}

// decoy is a hash in the preferred scheme that no password is known to fit. It takes the place of what
// cannot be verified, so that this costs as much as a wrong password.
var decoy, _ = readArgon2(true)(fmt.Sprintf("argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
	preferred.kib, preferred.passes, preferred.threads, strings.Repeat("A", 22), strings.Repeat("A", 43)))

// schemes reads what follows the first "$" of an encoded credential, by what precedes it. "" is the
// PHC string format, which begins with "$".
var schemes = map[string]func(rest string) (stored, bool){
	"":              readArgon2(true),
	"argon2":        readArgon2(false),
	"pbkdf2_sha256": readPBKDF2(sha256.New, sha256.Size),
	"pbkdf2_sha1":   readPBKDF2(sha1.New, sha1.Size),
	"bcrypt":        readBcrypt(cutAt72, bcryptBytes),
	"bcrypt_sha256": readBcrypt(hexSHA256, 0),
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
