package signingkeys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"roster/domain/guessable"
)

// Set is the keys in force: one signs, all verify. It is immutable, and never printed.
type Set struct {
	signing *Key
	keys    []*Key  // by id, without duplicates
	jwks    *[]byte // a pointer, since fmt prints unexported fields past their Format
}

// newSet makes the set of a key that signs and others that verify beside it.
func newSet(signing *Key, others ...*Key) (*Set, error) {
	keys := append([]*Key{signing}, others...)
	slices.SortStableFunc(keys, func(a, b *Key) int { return strings.Compare(a.id, b.id) })
	keys = slices.CompactFunc(keys, func(a, b *Key) bool { return a.id == b.id && a.id != "" })
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}} // not nil, which would be null
	for _, k := range keys {
		if k.id != "" {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.id, Algorithm: k.algorithm, Use: "sig"})
		}
	}
	jwks, err := json.Marshal(set)
	return &Set{signing, keys, &jwks}, err
}

// FromPEM returns the set of a private key (PKCS #8), which signs, and of fallbacks, which verify too: any number of
// private or public keys, one after the other. Errors quote nothing of a key.
func FromPEM(signing, fallbacks string) (*Set, error) {
	k, err := parsePrivate([]byte(signing))
	if err != nil {
		return nil, fmt.Errorf("the signing key: %w", err)
	}
	var others []*Key
	for text := bytes.TrimSpace([]byte(fallbacks)); len(text) > 0; {
		var other *Key
		if other, text, err = parseKey(text); err != nil {
			return nil, fmt.Errorf("fallback %d: %w", len(others)+1, err)
		}
		others = append(others, other)
	}
	return newSet(k, others...)
}

// FromSecret returns the set of a secret that signs and verifies, for HS256, HS384 or HS512. Its bytes are the key, as
// SimpleJWT takes Django's SECRET_KEY. The fallbacks verify too, as Django's SECRET_KEY_FALLBACKS do. It fails on
// secrets on which guessable.Secret fails.
func FromSecret(secret, algorithm string, fallbacks ...string) (*Set, error) {
	if algorithm != HS256 && algorithm != HS384 && algorithm != HS512 {
		return nil, fmt.Errorf("no algorithm with a secret: %q", algorithm)
	}
	var keys []*Key
	for i, text := range append([]string{secret}, fallbacks...) {
		what := "the secret"
		if i > 0 {
			what = fmt.Sprintf("fallback %d", i)
		}
		if err := guessable.Secret(text); err != nil {
			return nil, fmt.Errorf("%s %w", what, err)
		}
		keys = append(keys, &Key{algorithm: algorithm, private: []byte(text), public: []byte(text)})
	}
	return newSet(keys[0], keys[1:]...)
}

// Signing returns the key that signs.
func (s *Set) Signing() *Key { return s.signing }

// Keys returns the keys that verify, the signing key included: key pairs by id, or the secrets that
// share an algorithm.
func (s *Set) Keys() []*Key { return s.keys }

// Find returns the key pair of an id, or nil.
func (s *Set) Find(id string) *Key {
	i, found := slices.BinarySearchFunc(s.keys, id, func(k *Key, id string) int { return strings.Compare(k.id, id) })
	if !found || id == "" {
		return nil
	}
	return s.keys[i]
}

// JWKS returns the public keys as a JWK set (RFC 7517), by id. It is empty where a secret signs.
func (s *Set) JWKS() []byte { return *s.jwks }

// Format hides the keys.
func (Set) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[keys]") }

// MarshalText hides the keys.
func (Set) MarshalText() ([]byte, error) { return []byte("[keys]"), nil }

// Source returns the keys in force: a Set, which never changes, or a File.
type Source interface {
	// Current returns the keys in force. It first looks for a key of the id, unless that is "" or among them.
	Current(id string) *Set
}

// Current returns s.
func (s *Set) Current(string) *Set { return s }
