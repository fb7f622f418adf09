package signingkeys

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// The types of PEM blocks (RFC 7468) that are read.
const (
	pemPrivate = "PRIVATE KEY" // PKCS #8
	pemPublic  = "PUBLIC KEY"  // PKIX
)

// Why a text is no key. The parsers' own errors are left out: they may quote the key.
var (
	errNoPrivateKey = errors.New("not one private key as PKCS #8 in PEM (BEGIN PRIVATE KEY)")
	errNoPublicKey  = errors.New("not a key in PEM (BEGIN PRIVATE KEY or BEGIN PUBLIC KEY)")
)

// FromPEM returns the set of one private key (PKCS #8), which signs, and of the fallbacks, which verify
// beside it: any number of private or public keys, one after the other. Errors quote nothing of a key.
func FromPEM(signing, fallbacks string) (*Set, error) {
	k, err := parseOnePrivate([]byte(signing))
	if err != nil {
		return nil, fmt.Errorf("the signing key: %w", err)
	}
	var others []*Key
	for text := bytes.TrimSpace([]byte(fallbacks)); len(text) > 0; text = bytes.TrimSpace(text) {
		var other *Key
		if other, text, err = parsePublic(text); err != nil {
			return nil, fmt.Errorf("fallback %d: %w", len(others)+1, err)
		}
		others = append(others, other)
	}
	return newSet(k, others...)
}

// parseOnePrivate reads a private key that nothing follows.
func parseOnePrivate(text []byte) (*Key, error) {
	k, rest, err := parsePrivate(text)
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		return nil, errNoPrivateKey
	}
	return k, err
}

// parsePrivate reads a private key at the beginning of text and returns what follows it.
func parsePrivate(text []byte) (k *Key, rest []byte, err error) {
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

// parsePublic is parsePrivate for a key that only verifies: either half of the pair will do.
func parsePublic(text []byte) (k *Key, rest []byte, err error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, nil, errNoPublicKey
	case block.Type == pemPrivate:
		return parsePrivate(text)
	case block.Type != pemPublic:
		return nil, nil, errNoPublicKey
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, nil, errNoPublicKey
	}
	k, err = newPublicKey(public)
	return k, rest, err
}
