package jwt

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"roster/domain/session"
)

func publicPEM(t *testing.T, private any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(private.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// A key given as text signs; those before it verify, whichever half of them is given.
func TestFromPEM(t *testing.T) {
	claims := session.Claims{ExpiresAt: now.Add(time.Hour)}
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		next, old, older := generated(t, algorithm), generated(t, ES256), generated(t, EdDSA)
		keys, err := FromPEM(inPEM(t, next), "\n"+inPEM(t, old)+"\n\n"+publicPEM(t, older)+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if keys.Algorithm() != algorithm || len(keys.byID) != 3 || keys.KeyID() != pairs(t, next).KeyID() {
			t.Errorf("%s: %d keys", keys.Algorithm(), len(keys.byID))
		}
		for i, private := range []any{next, old, older} {
			if _, err := parse(t, New(keys, Options{}), sign(t, New(pairs(t, private), Options{}), claims)); err != nil {
				t.Errorf("%s, key %d: %v", algorithm, i, err)
			}
		}
		alone, err := FromPEM(strings.TrimSpace(inPEM(t, next)), "")
		if err != nil {
			t.Fatal(err)
		}
		refused(t, New(alone, Options{}), sign(t, New(pairs(t, old), Options{}), claims))
		if _, err := parse(t, New(pairs(t, next), Options{}), sign(t, New(alone, Options{}), claims)); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedPEM(t *testing.T) {
	good := inPEM(t, generated(t, ES256))
	const marker = "MARKERmarkerMARKER"
	broken := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(marker)}))
	for name, c := range map[string]struct{ signing, fallbacks, says string }{
		"nothing":               {"", "", "the signing key"},
		"a secret":              {secret, "", "the signing key"},
		"a public key":          {publicPEM(t, generated(t, ES256)), "", "the signing key"},
		"two keys":              {good + good, "", "the signing key"},
		"garbage":               {broken, "", "the signing key"},
		"something after":       {good + marker, "", "the signing key"},
		"fallback is a secret":  {good, secret, "fallback 1"},
		"fallback is garbage":   {good, good + broken, "fallback 2"},
		"after the fallbacks":   {good, good + marker, "fallback 2"},
		"fallback of old style": {good, strings.ReplaceAll(good, "PRIVATE KEY", "EC PRIVATE KEY"), "fallback 1"},
	} {
		keys, err := FromPEM(c.signing, c.fallbacks)
		if err == nil || keys != nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), marker) || strings.Contains(err.Error(), strings.Split(good, "\n")[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
