package guessable

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// What a secret must have to be judged at all, and how it repeats itself.
const (
	minSecret     = 32 // bytes: the output of SHA-256 (RFC 7518, 3.2; RFC 8725, 3.5)
	minDifferent  = 8  // bytes; Django's check --deploy asks for 5
	maxSecretPart = 16 // bytes of a text whose repetition is refused
)

// examples are parts of secrets that documentation, templates and generators of projects show, in lower case
// and without blanks and punctuation. A secret with one of them was never replaced.
var examples = []string{
	"changeme", "changethis", "changeit", "replaceme", "replacethis", "placeholder",
	"yoursecret", "yoursupersecret", "insertsecret", "secretgoeshere",
	"your256bit", "your384bit", "your512bit", "stringsecretthatisatleast", "stringsecretatleast", // jwt.io
	"supersecretjwttoken", // Supabase
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",                    // FastAPI
	"aym1sysppbydfgzld3umj1qzkobwvmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow", // RFC 7515, A.1
}

var errSecret = errors.New("is an example or can be guessed; make one with: openssl rand -base64 48")

// Secret returns why a signing secret could be found without a search, or nil: it is short, an example, of few
// characters, or a short text over and over; also in base64. The error quotes nothing of it.
func Secret(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("must be at least %d bytes long", minSecret)
	}
	if trivial(secret) {
		return errSecret
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if plain, err := encoding.DecodeString(secret); err == nil && trivial(string(plain)) {
			return errSecret
		}
	}
	return nil
}

func trivial(secret string) bool {
	different := map[byte]bool{}
	for _, c := range []byte(secret) {
		different[c] = true
	}
	block := period([]byte(secret))
	if len(different) < minDifferent || block <= maxSecretPart && 2*block <= len(secret) {
		return true
	}
	plain := strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(secret))
	for _, e := range examples {
		if strings.Contains(plain, e) {
			return true
		}
	}
	return false
}
