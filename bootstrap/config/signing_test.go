package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Private keys in PEM, new in each run.
var (
	ecKey = inPEM(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edKey = inPEM(newEd25519())
)

func newEd25519() (ed25519.PrivateKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

func inPEM[K any](private K, err error) string {
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// The type of a key in PEM determines the algorithm. A different setting is refused.
func TestKeyInPEM(t *testing.T) {
	for want, key := range map[string]string{"ES256": ecKey, "EdDSA": edKey, "RS256": inPEM(rsa.GenerateKey(rand.Reader, 2048))} {
		for _, more := range []string{"ROSTER_PAGE_SIZE=5", "ROSTER_SIGNING_ALGORITHM=" + want} {
			cfg := load(t, Sources{Environ: []string{"ROSTER_SIGNING_KEY=" + key, "ROSTER_SIGNING_KEY_FALLBACKS=" + ecKey + edKey, more}})
			if cfg.SigningAlgorithm != want || !cfg.SigningKey.PEM() {
				t.Errorf("%s, want %s", cfg.SigningAlgorithm, want)
			}
			shown := fmt.Sprintf("%+v %v", cfg, cfg.Effective())
			for _, secret := range []string{key, ecKey, edKey} {
				if line := strings.Split(secret, "\n")[1]; strings.Contains(shown, line) || len(line) < 60 {
					t.Errorf("a key is shown: %s", shown)
				}
			}
		}
	}
}

// Fallbacks are secrets, one per line, of any characters except line feeds.
func TestFallbacks(t *testing.T) {
	second := strings.ToUpper(goodKey) + ", ;\t '\""
	for _, text := range []string{goodKey + "\n" + second, goodKey + "\r\n\r\n" + second + "\r\n"} {
		cfg := load(t, Sources{Environ: []string{"ROSTER_SIGNING_KEY=" + goodKey + "-next", "ROSTER_SIGNING_KEY_FALLBACKS=" + text}})
		if got := cfg.SigningKeyFallbacks.Lines(); !slices.Equal(got, []string{goodKey, second}) {
			t.Errorf("%q", got)
		}
		if v := setting(t, cfg, "signing_key_fallbacks").Value; v != "(set)" {
			t.Errorf("shown as %q", v)
		}
	}
}

func TestKeysDirectory(t *testing.T) {
	if got := load(t, Sources{Environ: []string{"ROSTER_DATA_DIR=/d"}}).KeysDirectory(); got != "/d/keys" {
		t.Error(got)
	}
	if got := load(t, Sources{Environ: []string{"ROSTER_DATA_DIR=/d", "ROSTER_KEYS_DIR=/k"}}).KeysDirectory(); got != "/k" {
		t.Error(got)
	}
}
