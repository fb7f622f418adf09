package password

import (
	"crypto/sha1" //nolint:gosec // PBKDF2 with SHA-1 is not broken, and Django writes it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"roster/domain/credential"
)

// stored is a valid credential of a scheme.
type stored struct {
	fits       func(plain string) bool
	work       work // of fits
	preferred  bool // exactly as Hash writes it
	blindToNUL bool // some password with a NUL fits as well as one without
	counts     int  // bytes of a password that count; 0 for all
}

// decoy is a hash in the preferred scheme that no known password fits. It replaces hashes that cannot be verified, so that
// they cost as much as a wrong password.
var decoy, _ = readArgon2(true)(fmt.Sprintf("argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", version19,
	preferred.kib, preferred.passes, preferred.threads, strings.Repeat("A", 22), strings.Repeat("A", 43)))

// schemes read the part of an encoded credential after its first "$"; the keys are the part before. "" is the PHC string
// format, which begins with "$".
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

// read reads a credential, also one of digests if old.
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

// number reads a decimal number from lo to hi without sign and leading zeros.
func number(s string, lo, hi int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s && n >= lo && n <= hi
}

// decode decodes base64 strictly: there is one spelling for each value.
func decode(e *base64.Encoding, s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, false
	}
	b, err := e.Strict().DecodeString(s)
	return b, err == nil
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
