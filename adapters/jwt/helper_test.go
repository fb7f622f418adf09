package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

// Tokens are built by hand here, independently of the tested code.

const (
	secret  = "lantern-orchard-pebble-quiver-granite-0123456789"
	sid     = "0123456789abcdef01234567"
	hsHead  = `{"alg":"HS256","typ":"JWT"}`
	exp     = `"exp":1800000300`
	jtiText = `"jti":"35484ab529d442fdb7e3ba06eb2aee4e"`
	minimal = `{"token_type":"access",` + exp + `,` + jtiText + `,"user_id":1}`
)

const (
	ES256 = signingkeys.ES256
	RS256 = signingkeys.RS256
	EdDSA = signingkeys.EdDSA
	HS256 = signingkeys.HS256
	HS384 = signingkeys.HS384
	HS512 = signingkeys.HS512
)

var now = time.Unix(1800000000, 0).UTC()

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func mac(newHash func() hash.Hash, key, text string) string {
	h := hmac.New(newHash, []byte(key))
	_, _ = h.Write([]byte(text))
	return string(h.Sum(nil))
}

func hs(header, payload string) string {
	text := b64(header) + "." + b64(payload)
	return text + "." + b64(mac(sha256.New, secret, text))
}

func hs512(header, payload string) string {
	text := b64(header) + "." + b64(payload)
	return text + "." + b64(mac(sha512.New, secret, text))
}

func es(t testing.TB, k *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	text := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(string(r.FillBytes(make([]byte, 32)))+string(s.FillBytes(make([]byte, 32))))
}

func rs(t testing.TB, k *rsa.PrivateKey, header, payload string) string {
	t.Helper()
	text := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(string(sig))
}

func ed(k ed25519.PrivateKey, header, payload string) string {
	text := b64(header) + "." + b64(payload)
	return text + "." + b64(string(ed25519.Sign(k, []byte(text))))
}

func withSecret(t testing.TB, o Options) *Tokens {
	t.Helper()
	keys, err := signingkeys.FromSecret(secret, HS256)
	if err != nil {
		t.Fatal(err)
	}
	return New(keys, o)
}

// pairs returns a set of the given private keys, the first of which signs.
func pairs(t testing.TB, private ...any) *signingkeys.Set {
	t.Helper()
	var all []string
	for _, p := range private {
		der, err := x509.MarshalPKCS8PrivateKey(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	s, err := signingkeys.FromPEM(all[0], strings.Join(all[1:], ""))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// generated returns a new private key for an algorithm with a key pair.
func generated(t testing.TB, algorithm string) (private any) {
	t.Helper()
	var err error
	switch algorithm {
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func parse(t testing.TB, tokens *Tokens, token string) (session.Claims, error) {
	t.Helper()
	return tokens.Parse(t.Context(), token, now)
}

func payload(members string) string {
	return fmt.Sprintf(`{"token_type":"access",%s,%s,"user_id":1,%s}`, exp, jtiText, members)
}
