package jwt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// minSecret is the fewest bytes of a secret: the output of SHA-256 (RFC 7518, 3.2).
const minSecret = 32

// wellKnown are secrets, in lower case, that documentation shows and installations then run with.
var wellKnown = []string{
	"a-string-secret-at-least-256-bits-long",                                                 // jwt.io
	"a-valid-string-secret-that-is-at-least-384-bits-long",                                   // jwt.io
	"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",                // jwt.io
	"super-secret-jwt-token-with-at-least-32-characters-long",                                // Supabase
	"your-super-secret-jwt-token-with-at-least-32-characters-long",                           // Supabase
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",                       // FastAPI
	"aym1sysppbydfgzld3umj1qzkobwvmkoqq-estjqlr_t-1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow", // RFC 7515, A.1
}

// placeholders are what a secret, in lower case, must not hold: it was meant to be replaced.
var placeholders = []string{"your-256-bit-secret", "your-384-bit-secret", "your-512-bit-secret", "changeme", "change-me", "change_me", "replace-me"}

var methods = map[string]*jwt.SigningMethodHMAC{HS256: jwt.SigningMethodHS256, HS384: jwt.SigningMethodHS384, HS512: jwt.SigningMethodHS512}

// FromSecret returns the key set of a secret that signs and verifies: HS256, HS384 or HS512. Its bytes
// are the key, as SimpleJWT takes Django's SECRET_KEY. The fallbacks verify too, with the same
// algorithm: they are what the secret was before, as Django's SECRET_KEY_FALLBACKS. It refuses what can
// be guessed: less than 32 bytes, a text from documentation, a short text over and over. Warnings tell
// of what is unwise but may have to stay as it is, so that tokens stay valid.
func FromSecret(secret, algorithm string, fallbacks ...string) (keys *KeySet, warnings []string, err error) {
	method, ok := methods[algorithm]
	if !ok {
		return nil, nil, fmt.Errorf("jwt: there is no secret for the algorithm %q", algorithm)
	}
	if err := checkSecret(secret); err != nil {
		return nil, nil, fmt.Errorf("jwt: the secret %w", err)
	}
	all := jwt.VerificationKeySet{Keys: []jwt.VerificationKey{[]byte(secret)}}
	for i, f := range fallbacks {
		if err := checkSecret(f); err != nil {
			return nil, nil, fmt.Errorf("jwt: fallback %d %w", i+1, err)
		}
		all.Keys = append(all.Keys, []byte(f))
	}
	if strings.HasPrefix(secret, "django-insecure-") {
		warnings = append(warnings, "the signing key is one that Django's startproject made for development (django-insecure-…)")
	}
	if size := method.Hash.Size(); len(secret) < size {
		warnings = append(warnings, fmt.Sprintf("the signing key has %d bytes, and %s asks for %d (RFC 7518, 3.2)", len(secret), algorithm, size))
	}
	keys, err = newKeySet(&key{
		alg: algorithm, method: method, private: []byte(secret), public: all,
		headers: encodedHeaders(fmt.Sprintf(`{"alg":%q`, algorithm)),
	})
	return keys, warnings, err
}

// checkSecret refuses a secret that can be guessed. The error says nothing of what is in it.
func checkSecret(secret string) error {
	lower := strings.ToLower(secret)
	switch {
	case len(secret) < minSecret:
		return fmt.Errorf("has %d bytes, and must have %d at least", len(secret), minSecret)
	case slices.Contains(wellKnown, lower), slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(lower, p) }):
		return errors.New("is one that everybody knows")
	case monotonous(lower):
		return errors.New("repeats itself")
	}
	return nil
}

// monotonous reports whether s has few different bytes, or is one short text over and over.
func monotonous(s string) bool {
	different := map[byte]bool{}
	for _, c := range []byte(s) {
		different[c] = true
	}
	if len(different) < 8 {
		return true
	}
	for period := 1; period <= 16; period++ {
		if 2*period <= len(s) && s[period:] == s[:len(s)-period] {
			return true
		}
	}
	return false
}
