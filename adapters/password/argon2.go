package password

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// cost is the parameters of argon2 (RFC 9106): memory in KiB, passes over it, and lanes.
type cost struct {
	variant     int
	version     int
	kib, passes int
	threads     int
}

// preferred is OWASP's recommendation for argon2id (Password Storage Cheat Sheet).
var preferred = cost{variant: argon2id, version: version19, kib: 19 * 1024, passes: 2, threads: 1}

const (
	saltBytes = 16
	keyBytes  = 32
)

// Bounds of what a stored hash may ask for.
const (
	maxArgon2KiB     = 1 << 20 // 1 GiB
	maxArgon2Passes  = 32
	maxArgon2Threads = 64
)

// work returns what one derivation takes.
func (c cost) work() work {
	k := argon2Single
	if c.threads > 1 {
		k = argon2Lanes
	}
	return work{kind: k, amount: c.kib * c.passes, kib: c.kib, threads: c.threads}
}

// encode returns plain hashed with a fresh salt, in the PHC string format
// (github.com/P-H-C/phc-string-format).
func encode(m machine, plain string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: it ends the process instead
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", preferred.version,
		preferred.kib, preferred.passes, preferred.threads, b64(salt), b64(m.argon2(preferred, plain, salt, keyBytes)))
}

// readArgon2 reads "argon2id$v=19$m=…,t=…,p=…$salt$key": what follows the first "$" of a PHC string,
// or of Django's "argon2" before one. The latter is never the preferred form, so that it is rewritten.
// Without a version it is version 16, as argon2 wrote its hashes before it had another.
func readArgon2(bare bool) func(string) (stored, bool) {
	return func(rest string) (stored, bool) {
		part := strings.Split(rest, "$")
		if len(part) == 4 {
			part = slices.Insert(part, 1, fmt.Sprintf("v=%d", version16))
		}
		if len(part) != 5 {
			return stored{}, false
		}
		c, ok := readCost(part[0], part[1], part[2])
		salt, saltOK := decode(base64.RawStdEncoding, part[3])
		key, keyOK := decode(base64.RawStdEncoding, part[4])
		if !ok || !saltOK || !keyOK || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 128 {
			return stored{}, false
		}
		return stored{
			fits:      func(m machine, plain string) bool { return equal(m.argon2(c, plain, salt, len(key)), key) },
			work:      c.work(),
			preferred: bare && c == preferred && len(salt) == saltBytes && len(key) == keyBytes,
		}, true
	}
}

func readCost(variant, version, parameters string) (c cost, ok bool) {
	switch version {
	case fmt.Sprintf("v=%d", version16):
		c.version = version16
	case fmt.Sprintf("v=%d", version19):
		c.version = version19
	default:
		return c, false
	}
	part := strings.Split(parameters, ",")
	c.variant = slices.Index([]string{argon2d: "argon2d", argon2i: "argon2i", argon2id: "argon2id"}, variant)
	if len(part) != 3 || c.variant < 0 {
		return c, false
	}
	for i, p := range []struct {
		name string
		max  int
		to   *int
	}{{"m=", maxArgon2KiB, &c.kib}, {"t=", maxArgon2Passes, &c.passes}, {"p=", maxArgon2Threads, &c.threads}} {
		text, found := strings.CutPrefix(part[i], p.name)
		if *p.to, ok = number(text, 1, p.max); !found || !ok {
			return c, false
		}
	}
	return c, c.kib >= 8*c.threads // RFC 9106, 3.1
}
