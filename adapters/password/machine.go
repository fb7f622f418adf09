package password

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // PBKDF2 with SHA-1 is not broken, and Django writes it
	"crypto/sha256"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// machine is what takes the time: the key derivations themselves. Tests put one in its place that
// adds up what it is asked for.
type machine interface {
	argon2(c cost, plain string, salt []byte, size int) []byte
	pbkdf2(k kind, plain string, salt []byte, iterations int) []byte
	bcrypt(encoded string, cost int, plain []byte) bool // whether plain fits
	scrypt(plain string, salt []byte, n, r, p int) []byte
}

// processor is the real machine.
type processor struct{}

func (processor) argon2(c cost, plain string, salt []byte, size int) []byte {
	passes, kib, threads, n := uint32(c.passes), uint32(c.kib), uint8(c.threads), uint32(size) //nolint:gosec // bounded
	if c.version == version16 {
		return deriveKey16(c.variant, []byte(plain), salt, passes, kib, threads, n)
	}
	switch c.variant {
	case argon2d:
		return deriveKey(argon2d, []byte(plain), salt, nil, nil, passes, kib, threads, n)
	case argon2i:
		return argon2.Key([]byte(plain), salt, passes, kib, threads, n)
	}
	return argon2.IDKey([]byte(plain), salt, passes, kib, threads, n)
}

func (processor) pbkdf2(k kind, plain string, salt []byte, iterations int) []byte {
	var (
		key []byte
		err error
	)
	if k == pbkdf2SHA1 {
		key, err = pbkdf2.Key(sha1.New, plain, salt, iterations, sha1.Size)
	} else {
		key, err = pbkdf2.Key(sha256.New, plain, salt, iterations, sha256.Size)
	}
	if err != nil {
		return nil // no key equals it
	}
	return key
}

func (processor) bcrypt(encoded string, _ int, plain []byte) bool {
	return bcrypt.CompareHashAndPassword([]byte(encoded), plain) == nil
}

func (processor) scrypt(plain string, salt []byte, n, r, p int) []byte {
	key, err := scrypt.Key([]byte(plain), salt, n, r, p, scryptKeyBytes)
	if err != nil {
		return nil
	}
	return key
}
