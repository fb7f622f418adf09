package signingkeys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms (RFC 7518 and 8037) that tokens can be signed with. The first three have a key pair, the
// others a secret.
const (
	ES256 = "ES256"
	RS256 = "RS256"
	EdDSA = "EdDSA"
	HS256 = "HS256"
	HS384 = "HS384"
	HS512 = "HS512"
)

// Key is one key with the only algorithm that it is used with. It never prints.
type Key struct {
	id              string
	algorithm       string
	private, public any
}

// ID returns the thumbprint of the key (RFC 7638), or "" for a secret, which is not published.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's algorithm.
func (k *Key) Algorithm() string { return k.algorithm }

// Private returns what signs, as golang-jwt takes it, or nil where the key only verifies.
func (k *Key) Private() any { return k.private }

// Public returns what verifies, as golang-jwt takes it: of a secret the secret.
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

// isID reports whether text has the form of a key's id.
func isID(text string) bool {
	thumbprint, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(thumbprint) == crypto.SHA256.Size() && len(text) == base64.RawURLEncoding.EncodedLen(len(thumbprint))
}

// generate makes a key whose id does not begin with a dash: a command line would take it for a flag.
func generate(algorithm string) (*Key, error) {
	for {
		private, err := generatePrivate(algorithm)
		if err != nil {
			return nil, err
		}
		if k, err := newKey(private); err != nil || k.id[0] != '-' {
			return k, err
		}
	}
}

func generatePrivate(algorithm string) (any, error) {
	switch algorithm {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		return rsa.GenerateKey(rand.Reader, 3072)
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return nil, checkPair(algorithm)
}

var errNoPair = errors.New("signing keys are made for ES256, RS256 and EdDSA")

// checkPair refuses algorithms without a key pair.
func checkPair(algorithm string) error {
	switch algorithm {
	case ES256, RS256, EdDSA:
		return nil
	}
	return fmt.Errorf("%w, not for %q", errNoPair, algorithm)
}
