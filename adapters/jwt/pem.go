package jwt

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// What PEM (RFC 7468) calls the keys that are taken.
const (
	pemPrivate = "PRIVATE KEY" // PKCS #8
	pemPublic  = "PUBLIC KEY"  // PKIX
)

// Why a text is no key. What the parsers say is left out, lest it quote the key.
var (
	errNoPrivateKey = errors.New("not one private key as PKCS #8 in PEM (BEGIN PRIVATE KEY)")
	errNoKey        = errors.New("not a key in PEM (BEGIN PRIVATE KEY or BEGIN PUBLIC KEY)")
)

// FromPEM returns the key set of one private key, which signs, and of those that verify beside it: any
// number of private or public keys, one after the other.
func FromPEM(signing, fallbacks string) (*KeySet, error) {
	k, rest, err := parsePrivate([]byte(signing))
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		err = errNoPrivateKey
	}
	if err != nil {
		return nil, fmt.Errorf("jwt: the signing key: %w", err)
	}
	var others []*key
	for text := bytes.TrimSpace([]byte(fallbacks)); len(text) > 0; text = bytes.TrimSpace(text) {
		var other *key
		if other, text, err = parsePublic(text); err != nil {
			return nil, fmt.Errorf("jwt: fallback %d: %w", len(others)+1, err)
		}
		others = append(others, other)
	}
	return newKeySet(k, others...)
}

// parsePrivate reads a private key at the beginning of text and returns what follows it.
func parsePrivate(text []byte) (k *key, rest []byte, err error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemPrivate {
		return nil, nil, errNoPrivateKey
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, errNoPrivateKey
	}
	k, err = newKey(private)
	return k, rest, err
}

// parsePublic is parsePrivate for a key that is to verify only, of which either half will do.
func parsePublic(text []byte) (k *key, rest []byte, err error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, nil, errNoKey
	case block.Type == pemPrivate:
		return parsePrivate(text)
	case block.Type != pemPublic:
		return nil, nil, errNoKey
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, nil, errNoKey
	}
	k, err = newPublicKey(public)
	return k, rest, err
}

// privatePEM returns a private key in PEM.
func privatePEM(private any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPrivate, Bytes: der}), nil
}
