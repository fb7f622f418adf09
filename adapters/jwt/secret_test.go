package jwt

import (
	"strings"
	"testing"
	"time"

	"roster/domain/session"
)

func TestSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		secret, algorithm string
		warnings          int
		refused           string // what the error says
	}{
		"long":              {secret, HS256, 0, ""},
		"of the reference":  {"reference-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz", HS256, 0, ""},
		"of startproject":   {"django-insecure-export-key-$&*(x)=+_0123456789abcdefghijklmn", HS256, 1, ""},
		"random":            {"9f86d081884c7d659a2feaa0c55ad015", HS256, 0, ""},
		"short for HS384":   {secret[:40], HS384, 1, ""},
		"short for HS512":   {secret, HS512, 1, ""},
		"long for HS512":    {secret + secret[:16], HS512, 0, ""},
		"empty":             {"", HS256, 0, "0 bytes"},
		"31 bytes":          {secret[:31], HS256, 0, "31 bytes"},
		"32 bytes":          {secret[:32], HS256, 0, ""},
		"of jwt.io":         {"your-256-bit-secret", HS256, 0, "bytes"},
		"of jwt.io, now":    {"a-string-secret-at-least-256-bits-long", HS256, 0, "knows"},
		"of jwt.io, 512":    {"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long", HS512, 0, "knows"},
		"in other case":     {"Your-Super-Secret-JWT-Token-With-At-Least-32-Characters-Long", HS256, 0, "knows"},
		"to be changed":     {"please-CHANGE-ME-before-you-go-into-production", HS256, 0, "knows"},
		"secret repeated":   {"secretsecretsecretsecretsecretsecret", HS256, 0, "repeats"},
		"repeated, cut":     {"passwordpasswordpasswordpasswordpass", HS256, 0, "repeats"},
		"digits":            {"01234567890123456789012345678901", HS256, 0, "repeats"},
		"one character":     {strings.Repeat("a", 64), HS256, 0, "repeats"},
		"few characters":    {strings.Repeat("aab", 20) + "bc" + strings.Repeat("ca", 5), HS256, 0, "repeats"},
		"zeros":             {strings.Repeat("\x00", 32), HS256, 0, "repeats"},
		"ES256":             {secret, ES256, 0, "algorithm"},
		"none":              {secret, "none", 0, "algorithm"},
		"algorithm in case": {secret, "hs256", 0, "algorithm"},
	} {
		keys, warnings, err := FromSecret(c.secret, c.algorithm)
		if len(warnings) != c.warnings {
			t.Errorf("%s: warnings %q", name, warnings)
		}
		if c.refused == "" {
			if err != nil || keys.Algorithm() != c.algorithm || keys.KeyID() != "" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || keys != nil || !strings.Contains(err.Error(), c.refused) || len(c.secret) > 8 && strings.Contains(err.Error(), c.secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	keys, _, err := FromSecret(secret, HS256)
	if err != nil {
		t.Fatal(err)
	}
	if set := keys.JWKS(); string(set) != `{"keys":[]}` {
		t.Errorf("JWKS: %s", set)
	}
}

// What the secret was before verifies, and does not sign.
func TestFallbacks(t *testing.T) {
	const next, older = "harbour-velvet-cinder-maple-thistle-9876543210", "meadow-copper-lattice-juniper-anvil-1357924680"
	for _, shape := range []Shape{ShapeSession, ShapeSimpleJWT} {
		keys, _, err := FromSecret(next, HS256, older, secret)
		if err != nil {
			t.Fatal(err)
		}
		tokens := New(keys, Options{Shape: shape})
		old := hs(hsHead, minimal)
		if _, err := parse(t, tokens, old); err != nil {
			t.Errorf("a token of the old secret: %v", err)
		}
		fresh := sign(t, tokens, session.Claims{ExpiresAt: now.Add(time.Hour)})
		if _, err := parse(t, tokens, fresh); err != nil {
			t.Errorf("a token of the new secret: %v", err)
		}
		refused(t, withSecret(t, Options{Shape: shape}), fresh)
		refused(t, tokens, old[:len(old)-2]+"AA")
		refused(t, tokens, hs512(`{"alg":"HS512"}`, minimal))
		without, _, err := FromSecret(next, HS256, older)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, New(without, Options{Shape: shape}), old)
	}
	for _, bad := range []string{"", secret[:31], strings.Repeat("secret", 8), "please-CHANGE-ME-before-you-go-into-production"} {
		keys, _, err := FromSecret(next, HS256, secret, bad)
		if err == nil || keys != nil || !strings.Contains(err.Error(), "fallback 2") || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
