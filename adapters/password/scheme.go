package password

import (
	"crypto/sha1" //nolint:gosec // PBKDF2 with SHA-1 is not broken, and Django writes it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"

	"roster/domain/credential"
)

// stored is a credential that a scheme has read and found sane.
type stored struct {
	fits       func(plain string) bool
	kib        int  // memory that fits takes, in KiB
	threads    int  // processors that fits keeps busy
	preferred  bool // exactly as Hash writes it
	light      bool // fits is clearly less work than for the preferred scheme
	blindToNUL bool // some password with a NUL fits as well as one without
}

// places returns how many of the pool's places s takes while it is verified.
func (s stored) places() int64 {
	return int64(max(1, (s.kib+preferred.kib-1)/preferred.kib, s.threads))
}

// decoy fits no password and costs as much as a hash of the preferred scheme.
var decoy = stored{
	fits: func(plain string) bool {
		preferred.key(plain, []byte("no salt at all.."), keyBytes)
		return false
	},
	kib: preferred.kib, threads: preferred.threads,
}

// schemes reads what follows the first "$" of an encoded credential, by what precedes it. "" is the
// PHC string format, which begins with "$". Django's unsalted and plainly salted MD5 and SHA-1 are
// left out: their holders need a new password.
var schemes = map[string]func(rest string) (stored, bool){
	"":              readArgon2(true),
	"argon2":        readArgon2(false),
	"pbkdf2_sha256": readPBKDF2(sha256.New, sha256.Size),
	"pbkdf2_sha1":   readPBKDF2(sha1.New, sha1.Size),
	"bcrypt":        readBcrypt(cutAt72),
	"bcrypt_sha256": readBcrypt(hexSHA256),
	"scrypt":        readScrypt,
}

// maxEncoded is the most bytes of an encoded credential; Django's column holds 128 characters.
const maxEncoded = 512

func read(c credential.Hash) (stored, bool) {
	if !c.Usable() || len(c.Encoded()) > maxEncoded {
		return stored{}, false
	}
	name, rest, found := strings.Cut(c.Encoded(), "$")
	scheme, known := schemes[name]
	if !found || !known {
		return stored{}, false
	}
	return scheme(rest)
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
