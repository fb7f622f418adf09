package signingkeys

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Set is the keys in force: one signs, all verify. It does not change and never prints a key.
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

// Source gives the keys in force at the time of the call. A Set is a Source that never changes, a File one
// that does.
type Source interface {
	// Current returns the keys in force. It first looks for a key of the id, unless that is "" or among them.
	Current(id string) *Set
}

var (
	_ Source = (*Set)(nil)
	_ Source = (*File)(nil)
)

// Current returns s.
func (s *Set) Current(string) *Set { return s }
