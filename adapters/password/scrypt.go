package password

import (
	"encoding/base64"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Bounds of a stored hash. The memory is 128·N·r bytes; p multiplies the time.
const (
	maxScryptN     = 1 << 20
	maxScryptKiB   = 1 << 20 // 1 GiB
	maxScryptP     = 16
	scryptKeyBytes = 64
)

// readScrypt reads Django's "N$salt$r$p$key" (RFC 7914): the salt is its own text, the key base64.
func readScrypt(rest string) (stored, bool) {
	part := strings.Split(rest, "$")
	if len(part) != 5 || part[1] == "" || len(part[1]) > maxSalt {
		return stored{}, false
	}
	n, nOK := number(part[0], 2, maxScryptN)
	r, rOK := number(part[2], 1, maxScryptKiB)
	p, pOK := number(part[3], 1, maxScryptP)
	key, keyOK := decode(base64.StdEncoding, part[4])
	if !nOK || !rOK || !pOK || !keyOK || n&(n-1) != 0 || n*r/8 > maxScryptKiB || len(key) != scryptKeyBytes {
		return stored{}, false
	}
	return stored{
		fits: func(plain string) bool {
			got, err := scrypt.Key([]byte(plain), []byte(part[1]), n, r, p, scryptKeyBytes)
			return err == nil && equal(got, key)
		},
		work:       work{units: n * r * p / 5 * blocksPerFive, kib: n * r / 8},
		blindToNUL: true, // it begins with PBKDF2
	}, true
}
