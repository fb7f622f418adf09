package password

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// parameters are those of argon2 (RFC 9106): memory in KiB, passes over it, and lanes.
type parameters struct {
	variant     variant
	version     int
	kib, passes int
	threads     int
}

// preferred is OWASP's recommendation for argon2id (Password Storage Cheat Sheet).
var preferred = parameters{variant: argon2id, version: version19, kib: 19 * 1024, passes: 2, threads: 1}

const (
	saltBytes = 16
	keyBytes  = 32
)

// Bounds of a stored hash.
const (
	maxArgon2KiB     = 1 << 20 // 1 GiB
	maxArgon2Passes  = 32
	maxArgon2Threads = 64
)

// work returns the work of one derivation.
func (p parameters) work() work {
	return work{units: p.kib * p.passes, kib: p.kib}
}

// encode returns plain hashed with a fresh salt, in the PHC string format
// (github.com/P-H-C/phc-string-format).
func encode(plain string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: it ends the process instead
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", preferred.version,
		preferred.kib, preferred.passes, preferred.threads, b64(salt), b64(preferred.key(plain, salt, keyBytes)))
}

// readArgon2 reads "argon2id$v=19$m=…,t=…,p=…$salt$key": the rest of a PHC string after its first "$", if bare, or after
// Django's "argon2$". The latter is never the preferred form, so that it is rewritten. Without a version it is version
// 16, as in hashes from before argon2 had another.
func readArgon2(bare bool) func(string) (stored, bool) {
	return func(rest string) (stored, bool) {
		part := strings.Split(rest, "$")
		if len(part) == 4 {
			part = slices.Insert(part, 1, fmt.Sprintf("v=%d", version16))
		}
		if len(part) != 5 {
			return stored{}, false
		}
		p, ok := readParameters(part[0], part[1], part[2])
		salt, saltOK := decode(base64.RawStdEncoding, part[3])
		key, keyOK := decode(base64.RawStdEncoding, part[4])
		if !ok || !saltOK || !keyOK || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 128 {
			return stored{}, false
		}
		return stored{
			fits:      func(plain string) bool { return equal(p.key(plain, salt, len(key)), key) },
			work:      p.work(),
			preferred: bare && p == preferred && len(salt) == saltBytes && len(key) == keyBytes,
		}, true
	}
}

func readParameters(name, version, text string) (p parameters, ok bool) {
	switch version {
	case fmt.Sprintf("v=%d", version16):
		p.version = version16
	case fmt.Sprintf("v=%d", version19):
		p.version = version19
	default:
		return p, false
	}
	part := strings.Split(text, ",")
	if p.variant, ok = variants[name]; !ok || len(part) != 3 {
		return p, false
	}
	for i, item := range []struct {
		name string
		max  int
		to   *int
	}{{"m=", maxArgon2KiB, &p.kib}, {"t=", maxArgon2Passes, &p.passes}, {"p=", maxArgon2Threads, &p.threads}} {
		text, found := strings.CutPrefix(part[i], item.name)
		if *item.to, ok = number(text, 1, item.max); !found || !ok {
			return p, false
		}
	}
	return p, p.kib >= 8*p.threads // RFC 9106, 3.1
}
