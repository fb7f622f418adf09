package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// The algorithms (RFC 7518 and 8037) that tokens can be signed with.
const (
	ES256 = "ES256"
	RS256 = "RS256"
	EdDSA = "EdDSA"
	HS256 = "HS256"
	HS384 = "HS384"
	HS512 = "HS512"
)

// Algorithms returns every algorithm: those with a key pair, which a Folder and FromPEM have, and
// those with a secret, which FromSecret takes.
func Algorithms() (pair, secret []string) {
	return []string{ES256, RS256, EdDSA}, []string{HS256, HS384, HS512}
}

// key is one key, with the only algorithm that it is used with.
type key struct {
	kid             string // its thumbprint (RFC 7638); "" for a secret, of which nothing is told
	alg             string
	method          jwt.SigningMethod
	private, public any               // as golang-jwt wants them; private is nil where the key only verifies
	headers         map[string]string // of the tokens it signs, encoded, by their typ
}

// KeySet is the keys of an installation: one that signs, and those that verify, which the signing
// key is one of. It does not change and never prints a key.
type KeySet struct {
	signing *key
	byID    map[string]*key // all but a secret
	jwks    *[]byte         // a pointer, since fmt prints unexported fields past their Format
}

// newKeySet makes the set of a key that signs and those that verify beside it.
func newKeySet(signing *key, others ...*key) (*KeySet, error) {
	s := &KeySet{signing: signing, byID: map[string]*key{}}
	for _, k := range append(others, signing) {
		if k.kid != "" {
			s.byID[k.kid] = k
		}
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}} // not nil, which would be null
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		k := s.byID[id]
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.kid, Algorithm: k.alg, Use: "sig"})
	}
	jwks, err := json.Marshal(set)
	s.jwks = &jwks
	return s, err
}

// Source gives Tokens the keys in force. A KeySet is one that never changes, a Folder one that does.
type Source interface {
	// Keys returns the keys in force.
	Keys() *KeySet
	// KeysWith returns the keys in force, after a look whether a key of that id has come meanwhile.
	KeysWith(kid string) *KeySet
}

// Keys implements Source.
func (s *KeySet) Keys() *KeySet { return s }

// KeysWith implements Source.
func (s *KeySet) KeysWith(string) *KeySet { return s }

// Format implements fmt.Formatter.
func (KeySet) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[keys]") }

// MarshalText implements encoding.TextMarshaler, for the same reason.
func (KeySet) MarshalText() ([]byte, error) { return []byte("[keys]"), nil }

// Algorithm returns the algorithm that tokens are signed with.
func (s *KeySet) Algorithm() string { return s.signing.alg }

// KeyID returns the kid of the signing key, "" for a secret.
func (s *KeySet) KeyID() string { return s.signing.kid }

// find returns the key that a token with header h must be signed with. Without a kid that is the
// secret, or the only key. lenient ignores a kid where there is a secret, which SimpleJWT does. The
// key picks the algorithm, never the token (RFC 8725, 3.1).
func (s *KeySet) find(h header, lenient bool) (*key, error) {
	var k *key
	switch {
	case s.signing.kid == "":
		if h.hasKid && !lenient {
			return nil, errKey
		}
		k = s.signing
	case h.hasKid:
		k = s.byID[h.kid]
	case len(s.byID) == 1:
		k = s.signing
	}
	if k == nil {
		return nil, errKey
	}
	if k.alg != h.alg {
		return nil, errAlgorithm
	}
	return k, nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517), by id. It is empty where
// tokens are signed with a secret.
func (s *KeySet) JWKS() []byte { return *s.jwks }

var errUnsuitable = errors.New("neither an elliptic P-256, nor an Ed25519, nor an RSA key of 2048 to 8192 bits")

// newKey wraps a private key of the standard library.
func newKey(private any) (*key, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errUnsuitable
	}
	k, err := newPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	k.private = private
	k.headers = encodedHeaders(fmt.Sprintf(`{"alg":%q,"kid":%q`, k.alg, k.kid))
	return k, nil
}

// newPublicKey wraps a public key of the standard library.
func newPublicKey(public any) (*key, error) {
	k := &key{public: public}
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, errUnsuitable
		}
		k.alg, k.method = ES256, deterministicES256{jwt.SigningMethodES256}
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < 2048 || bits > 8192 {
			return nil, errUnsuitable
		}
		k.alg, k.method = RS256, jwt.SigningMethodRS256
	case ed25519.PublicKey:
		k.alg, k.method = EdDSA, jwt.SigningMethodEdDSA
	default:
		return nil, errUnsuitable
	}
	thumbprint, err := (&jose.JSONWebKey{Key: k.public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	k.kid = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// The typ of a token tells other services what it is for: access tokens are RFC 9068's, and one that is made
// for a refresh must not pass as one at a service that looks at typ. SimpleJWT's are all alike.
const (
	typSimpleJWT = "JWT"
	typAccess    = "at+jwt"
	typRefresh   = "rt+jwt"
)

// encodedHeaders completes the beginning of a header for each typ.
func encodedHeaders(begin string) map[string]string {
	out := map[string]string{}
	for _, typ := range []string{typSimpleJWT, typAccess, typRefresh} {
		out[typ] = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `%s,"typ":%q}`, begin, typ))
	}
	return out
}

// generate makes a private key for an algorithm with a key pair.
func generate(algorithm string) (any, error) {
	switch algorithm {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		return rsa.GenerateKey(rand.Reader, 3072)
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return nil, fmt.Errorf("jwt: there are no key files for the algorithm %q", algorithm)
}
