package config

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"roster/domain/guessable"
)

// algorithm returns the algorithm that a signing key is for when none is named.
func (s Secret) algorithm() string {
	if !s.PEM() {
		return "HS256"
	}
	if block, _ := pem.Decode([]byte(s.Reveal())); block != nil {
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err == nil {
			switch private.(type) {
			case *rsa.PrivateKey:
				return "RS256"
			case ed25519.PrivateKey:
				return "EdDSA"
			}
		}
	}
	return "ES256" // opening the key reports any other
}

func (c *Config) checkSigning(fault func(name, reason string, others ...string), unsigned bool) {
	key := c.SigningKey
	switch {
	case key.PEM() && key.algorithm() != c.SigningAlgorithm:
		fault("signing_algorithm", "is not that of signing_key, which is a key in PEM for "+key.algorithm()+specOfField("SigningAlgorithm").not(c.SigningAlgorithm), "signing_key")
	case key.PEM():
	case !c.hmac() && key.Set():
		fault("signing_algorithm", "does not use signing_key; leave one of them out"+specOfField("SigningAlgorithm").not(c.SigningAlgorithm), "signing_key")
	case c.hmac() && !key.Set() && unsigned:
	case c.hmac() && !key.Set():
		fault("signing_key", fmt.Sprintf("is needed for signing_algorithm %s: Django's SECRET_KEY or SimpleJWT's SIGNING_KEY, if there is one; else make one with: "+
			"export ROSTER_SIGNING_KEY=$(openssl rand -base64 48). A service without Django's tokens needs none with ROSTER_SIGNING_ALGORITHM=ES256 and ROSTER_SESSIONLESS_TOKENS=false", c.SigningAlgorithm), "signing_algorithm")
	case key.Set():
		if err := guessable.Secret(key.Reveal()); err != nil {
			fault("signing_key", err.Error())
		}
	}
	c.checkFallbacks(fault)
	if c.KeysDir != "" && key.Set() {
		fault("keys_dir", "is not used with signing_key; leave one of them out", "signing_key")
	}
	if c.SessionlessTokens && !c.hmac() {
		fault("sessionless_tokens", "needs an HS algorithm, not "+c.SigningAlgorithm+"; give a secret as signing_key, or false", "signing_algorithm", "signing_key")
	}
}

// checkFallbacks judges former keys as hard as the present one: each of them can make tokens.
func (c *Config) checkFallbacks(fault func(name, reason string, others ...string)) {
	const most = 16
	old := c.SigningKeyFallbacks
	switch {
	case !old.Set():
		return
	case !c.SigningKey.Set():
		fault("signing_key_fallbacks", "is of no use without signing_key; keys in a directory are rotated with: roster keys rotate", "signing_key")
		return
	case old.PEM() != c.SigningKey.PEM():
		fault("signing_key_fallbacks", "must be of the kind that signing_key is: secrets, or keys in PEM", "signing_key")
		return
	case len(old.Lines()) > most && !old.PEM():
		fault("signing_key_fallbacks", fmt.Sprintf("has more than %d lines", most))
		return
	case old.PEM():
		return // opening them reports more
	}
	for i, secret := range old.Lines() {
		if err := guessable.Secret(secret); err != nil {
			fault("signing_key_fallbacks", fmt.Sprintf("line %d %s", i+1, err))
			return
		}
	}
}

// hmac reports whether tokens are signed with a shared secret.
func (c *Config) hmac() bool { return strings.HasPrefix(c.SigningAlgorithm, "HS") }
