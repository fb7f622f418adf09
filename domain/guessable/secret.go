package guessable

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Limits of secrets.
const (
	minSecret     = 32 // bytes; the output of SHA-256 (RFC 7518, 3.2; RFC 8725, 3.5)
	minDistinct   = 8  // distinct bytes; Django's check --deploy requires 5
	maxSecretPart = 16 // bytes of a block that is refused when repeated
)

// examples are parts of secrets from documentation, templates and project generators, in lower case without spaces
// and punctuation. A secret that contains one was never replaced.
var examples = []string{
	"changeme", "changethis", "changeit", "replaceme", "replacethis", "placeholder",
	"yoursecret", "yoursupersecret", "insertsecret", "secretgoeshere",
	"your256bit", "your384bit", "your512bit", "stringsecretthatisatleast", "stringsecretatleast", // jwt.io
	"supersecretjwttoken", // Supabase
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",                    // FastAPI
	"aym1sysppbydfgzld3umj1qzkobwvmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow", // RFC 7515, A.1
}

var errSecret = errors.New("is an example or can be guessed; make one with: openssl rand -base64 48")

// Secret returns an error when a signing secret can be guessed: when it is short, an example, has few distinct
// bytes, or repeats a short block. It checks the base64-decoded secret too. The error does not quote the secret.
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
	distinct := map[byte]bool{}
	for _, c := range []byte(secret) {
		distinct[c] = true
	}
	block := period([]byte(secret))
	if len(distinct) < minDistinct || block <= maxSecretPart && 2*block <= len(secret) {
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
