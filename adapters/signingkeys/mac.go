package signingkeys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
)

// MACs returns for each key of the set, except those that only verify, a function that returns the HMAC-SHA256 of a message.
// Its key is derived from that key by HKDF-SHA256 (RFC 5869), with label as its info, so that it says nothing about the
// signing key, and one of another label. The first function is that of the signing key.
func (s *Set) MACs(label string) ([]func(message []byte) []byte, error) {
	macs := make([]func([]byte) []byte, 1, len(s.keys)) // the first one is set below
	for _, k := range s.keys {
		if k.private == nil {
			continue
		}
		mac, err := k.mac(label)
		if err != nil {
			return nil, err
		}
		if k == s.signing {
			macs[0] = mac
		} else {
			macs = append(macs, mac)
		}
	}
	return macs, nil
}

// mac returns the function of MACs for k.
func (k *Key) mac(label string) (func([]byte) []byte, error) {
	secret, ok := k.private.([]byte)
	if !ok {
		var err error
		if secret, err = x509.MarshalPKCS8PrivateKey(k.private); err != nil {
			return nil, fmt.Errorf("derive a key: no PKCS #8 form of a key for %s", k.algorithm)
		}
	}
	key, err := hkdf.Key(sha256.New, secret, nil, label, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return func(message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		return h.Sum(nil)
	}, nil
}
