package config

import (
	"encoding/base64"
	"strings"
)

// examples are parts of the keys that manuals, templates and generators of projects print. A key with
// one of them was never replaced.
var examples = []string{
	"changeme", "changethis", "changeit", "replaceme", "replacethis", "placeholder",
	"yoursecret", "yoursupersecret", "your256bit", "insertsecret", "secretgoeshere",
}

// guessable reports whether a signing key can be found without a search: an example, a few characters,
// a short text over and over; also in base64.
func guessable(key string) bool {
	if trivial(key) {
		return true
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if plain, err := enc.DecodeString(key); err == nil && trivial(string(plain)) {
			return true
		}
	}
	return false
}

func trivial(key string) bool {
	const fewest = 5   // different characters, as Django's check --deploy asks for
	const longest = 10 // bytes of a text that is repeated
	different := map[byte]bool{}
	for i := range len(key) {
		different[key[i]] = true
	}
	if len(different) < fewest {
		return true
	}
	for period := 1; period <= longest && 2*period <= len(key); period++ {
		if key[period:] == key[:len(key)-period] {
			return true
		}
	}
	plain := strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(key))
	for _, e := range examples {
		if strings.Contains(plain, e) {
			return true
		}
	}
	return false
}
