package signingkeys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"roster/domain/signing"
)

// The algorithms (RFC 7518 and 8037) that tokens can be signed with. The first three have a key pair, the
// others a secret.
const (
	ES256 = signing.ES256
	RS256 = signing.RS256
	EdDSA = signing.EdDSA
	HS256 = "HS256"
	HS384 = "HS384"
	HS512 = "HS512"
)

// Key is one key with the only algorithm that it is used with. It is never printed.
type Key struct {
	id              string
	algorithm       string
	private, public any
}

// ID returns the thumbprint of the key (RFC 7638), or "" for a secret, which is not published.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's algorithm.
func (k *Key) Algorithm() string { return k.algorithm }

// Private returns the key for golang-jwt to sign with, or nil if the key only verifies.
func (k *Key) Private() any { return k.private }

// Public returns the key for golang-jwt to verify with: the public key, or the secret.
func (k *Key) Public() any { return k.public }

// Format hides the key.
func (Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[key]") }

// MarshalText hides the key.
func (Key) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

const minRSABits, maxRSABits = 2048, 8192 // more bits would make a verification costly

var errUnsuitable = fmt.Errorf("neither an elliptic P-256, nor an Ed25519, nor an RSA key of %d to %d bits", minRSABits, maxRSABits)

// newKey wraps a private key of the standard library.
func newKey(private any) (*Key, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errUnsuitable
	}
	k, err := newPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	k.private = private
	return k, nil
}

// newPublicKey wraps a public key of the standard library.
func newPublicKey(public any) (*Key, error) {
	k := &Key{public: public}
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, errUnsuitable
		}
		k.algorithm = ES256
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, errUnsuitable
		}
		k.algorithm = RS256
	case ed25519.PublicKey:
		k.algorithm = EdDSA
	default:
		return nil, errUnsuitable
	}
	thumbprint, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// generators make private keys.
var generators = map[string]func() (any, error){
	ES256: func() (any, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	RS256: func() (any, error) { return rsa.GenerateKey(rand.Reader, 3072) },
	EdDSA: func() (any, error) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	},
}

// checkAlgorithm refuses algorithms without a key pair.
func checkAlgorithm(algorithm string) error {
	if generators[algorithm] == nil {
		return fmt.Errorf("%w, not for %q", signing.ErrAlgorithm, algorithm)
	}
	return nil
}

// generate makes a key for an algorithm of generators. Its id does not begin with a dash, as a flag does.
func generate(algorithm string) (*Key, error) {
	for {
		private, err := generators[algorithm]()
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		if k, err := newKey(private); err != nil || k.id[0] != '-' {
			return k, err
		}
	}
}

// Errors of keys in PEM (RFC 7468). The errors of the parsers are left out, since they may quote the key.
var (
	errNoPrivateKey = errors.New("not one private key as PKCS #8 in PEM (BEGIN PRIVATE KEY)")
	errNoKey        = errors.New("not a key in PEM (BEGIN PRIVATE KEY or BEGIN PUBLIC KEY)")
)

// parsePrivate parses a single private key.
func parsePrivate(text []byte) (*Key, error) {
	k, rest, err := parseKey(text)
	if errors.Is(err, errNoKey) || err == nil && (k.private == nil || len(rest) > 0) {
		return nil, errNoPrivateKey
	}
	return k, err
}

// parseKey parses the private key (PKCS #8) or public key (PKIX) at the beginning of text, and returns the rest of text.
func parseKey(text []byte) (k *Key, rest []byte, err error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, nil, errNoKey
	}
	parse, wrap := x509.ParsePKIXPublicKey, newPublicKey
	switch block.Type {
	case "PRIVATE KEY":
		parse, wrap = x509.ParsePKCS8PrivateKey, newKey
	case "PUBLIC KEY":
	default:
		return nil, nil, errNoKey
	}
	key, err := parse(block.Bytes)
	if err != nil {
		return nil, nil, errNoKey
	}
	k, err = wrap(key)
	return k, bytes.TrimSpace(rest), err
}
