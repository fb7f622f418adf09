package config

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-playground/validator/v10"

	"roster/domain/guessable"
)

// check derives the settings that depend on others, and checks all of them.
func (l *loader) check() {
	c := &l.cfg
	if c.SigningKey.Set() && !c.Given("signing_algorithm") {
		c.SigningAlgorithm = c.SigningKey.algorithm()
		c.source["signing_algorithm"] = c.source["signing_key"]
	}
	if !c.hmac() && !c.Given("link_tokens") {
		c.LinkTokens = "roster"
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")

	failures, _ := errors.AsType[validator.ValidationErrors](validate.Struct(c))
	for _, f := range failures {
		s := ofField(f.StructField())
		not := s.not(show(f.Value()))
		if other := ofField(f.Param()); other.Name != "" { // ltefield
			l.refuse(s.Name, fmt.Sprintf("must be at most %s (%s)%s", other.Name, show(c.value(other)), not), other.Name)
			continue
		}
		l.refuse(s.Name, s.must(f.Tag())+not)
		l.broken[s.Name] = true
	}
	if c.SessionMaxLifetime > 0 && c.SessionMaxLifetime < c.RefreshTokenLifetime {
		l.refuse("session_max_lifetime", fmt.Sprintf("must be 0 or at least refresh_token_lifetime (%s), not %q",
			show(c.RefreshTokenLifetime), show(c.SessionMaxLifetime)), "refresh_token_lifetime")
	}
	if c.AdminListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		l.refuse("admin_listen", "must not be the address of listen", "listen")
	}
	if len(c.BrowserOrigins) > 0 && c.BrowserSessions == Off && len(c.TokenCookies) == 0 {
		l.refuse("browser_origins", "is of no use without browser_sessions or dj_rest_auth_cookies", "browser_sessions", "dj_rest_auth_cookies")
	}
	switch n := len(c.TokenCookies); {
	case n > 0 && (n != 2 || c.TokenCookies[0] == c.TokenCookies[1]):
		l.refuse("dj_rest_auth_cookies", rules["cookie_name"].must)
	case n > 0 && c.DjRestAuthPath == "":
		l.refuse("dj_rest_auth_cookies", "is of no use without dj_rest_auth_path", "dj_rest_auth_path")
	}
	if slices.Contains(c.CORSOrigins, AnyOrigin) && len(c.CORSOrigins) > 1 {
		l.refuse("cors_origins", rules["origin"].must)
	}
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		l.refuse("tls_key", "is needed with tls_cert", "tls_cert")
	case c.TLSKey != "" && c.TLSCert == "":
		l.refuse("tls_cert", "is needed with tls_key", "tls_key")
	case c.TLSCert != "" && len(c.TLSAutocert) > 0:
		l.refuse("tls_autocert", "cannot be given together with tls_cert", "tls_cert", "tls_key")
	}
	l.checkSigning()
	l.checkFallbacks()
	l.checkMail()
}

// refuse records that a setting breaks a rule, by itself or together with others, unless one of them is refused already.
func (l *loader) refuse(name, reason string, others ...string) {
	if !slices.ContainsFunc(append(others, name), func(n string) bool { return l.broken[n] }) {
		l.fault(l.cfg.where[name], reason)
	}
}

func (l *loader) checkSigning() {
	c := &l.cfg
	key, algorithm := c.SigningKey, c.SigningAlgorithm
	not := fmt.Sprintf(", not %q", algorithm)
	switch {
	case key.PEM() && key.algorithm() != algorithm:
		l.refuse("signing_algorithm", "is not that of signing_key, which is a key in PEM for "+key.algorithm()+not, "signing_key")
	case key.PEM():
	case !c.hmac() && key.Set():
		l.refuse("signing_algorithm", "does not use signing_key; leave one of them out"+not, "signing_key")
	case c.hmac() && !key.Set() && !l.in.Unsigned:
		l.refuse("signing_key", "is needed for signing_algorithm "+algorithm+": Django's SECRET_KEY or SimpleJWT's SIGNING_KEY, "+
			"if there is one; else make one with: export ROSTER_SIGNING_KEY=$(openssl rand -base64 48). A service without "+
			"Django's tokens needs none with ROSTER_SIGNING_ALGORITHM=ES256 and ROSTER_SESSIONLESS_TOKENS=false", "signing_algorithm")
	case key.Set():
		if err := guessable.Secret(key.Reveal()); err != nil {
			l.refuse("signing_key", err.Error())
		}
	}
	if c.KeysDir != "" && key.Set() {
		l.refuse("keys_dir", "is not used with signing_key; leave one of them out", "signing_key")
	}
	if c.SessionlessTokens && !c.hmac() {
		l.refuse("sessionless_tokens", "needs an HS algorithm, not "+algorithm+"; give a secret as signing_key, or false",
			"signing_algorithm", "signing_key")
	}
}

// checkFallbacks applies the rules of signing_key to the former keys: each of them can make tokens. Keys in PEM are
// checked when they are opened.
func (l *loader) checkFallbacks() {
	const most, name = 16, "signing_key_fallbacks"
	old, key := l.cfg.SigningKeyFallbacks, l.cfg.SigningKey
	switch {
	case !old.Set():
	case !key.Set():
		l.refuse(name, "is of no use without signing_key; keys in a directory are rotated with: roster keys rotate", "signing_key")
	case old.PEM() != key.PEM():
		l.refuse(name, "must be of the kind that signing_key is: secrets, or keys in PEM", "signing_key")
	case old.PEM():
	case len(old.Lines()) > most:
		l.refuse(name, fmt.Sprintf("has more than %d lines", most))
	default:
		for i, secret := range old.Lines() {
			if err := guessable.Secret(secret); err != nil {
				l.refuse(name, fmt.Sprintf("line %d %s", i+1, err))
				return
			}
		}
	}
}

// hmac reports whether tokens are signed with a shared secret.
func (c *Config) hmac() bool { return strings.HasPrefix(c.SigningAlgorithm, "HS") }

// algorithm returns the algorithm that a signing key is for when none is named.
func (s Secret) algorithm() string {
	if !s.PEM() {
		return "HS256"
	}
	if block, _ := pem.Decode([]byte(s.Reveal())); block != nil {
		switch key, _ := x509.ParsePKCS8PrivateKey(block.Bytes); key.(type) {
		case *rsa.PrivateKey:
			return "RS256"
		case ed25519.PrivateKey:
			return "EdDSA"
		}
	}
	return "ES256" // a key of another kind is refused when it is opened
}
