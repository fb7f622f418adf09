package signingkeys

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func publicPEM(t *testing.T, private any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(private.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// A configured key in PEM signs; the fallbacks verify, as private or public keys.
func TestFromPEM(t *testing.T) {
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		next, old, older := generated(t, algorithm), generated(t, ES256), generated(t, EdDSA)
		keys, err := FromPEM(inPEM(t, next), "\n"+inPEM(t, old)+"\n\n"+publicPEM(t, older)+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if keys.Signing().Algorithm() != algorithm || len(keys.Keys()) != 3 || keys.Signing().ID() != idOf(t, next) {
			t.Errorf("%s: %d keys", keys.Signing().Algorithm(), len(keys.Keys()))
		}
		for i, private := range []any{next, old, older} {
			alone, err := FromPEM(strings.TrimSpace(inPEM(t, private)), "")
			if err != nil {
				t.Fatal(err)
			}
			id, sig := signature(t, alone)
			if !verifies(keys, id, sig) {
				t.Errorf("%s: key %d does not verify", algorithm, i)
			}
			if id, sig := signature(t, keys); verifies(alone, id, sig) != (i == 0) {
				t.Errorf("%s: key %d verifies what another one signed", algorithm, i)
			}
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
