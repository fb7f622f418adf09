package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	gojwt "github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"roster/domain/fault"
	"roster/domain/session"
)

// refused checks that a token is refused with session.ErrTokenInvalid, in either shape, and that the error does not
// quote it.
func refused(t *testing.T, tokens *Tokens, token string) {
	t.Helper()
	c, err := parse(t, tokens, token)
	if !errors.Is(err, session.ErrTokenInvalid) || fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(session.Claims{}, c); diff != "" {
		t.Errorf("claims beside the error: %s", diff)
	}
	if err != nil && strings.Contains(err.Error(), "marker") {
		t.Errorf("the error quotes the token: %v", err)
	}
}

// J1, J2, J3: the key determines the algorithm; a header adds neither key nor extension.
func TestHeaderTraps(t *testing.T) {
	good := hs(hsHead, minimal)
	_, rest, _ := strings.Cut(good, ".")
	for name, token := range map[string]string{
		"alg none":          b64(`{"alg":"none","typ":"JWT"}`) + "." + b64(minimal) + ".",
		"alg none, signed":  hs(`{"alg":"none","typ":"JWT"}`, minimal),
		"alg None":          b64(`{"alg":"None"}`) + "." + b64(minimal) + ".",
		"alg NONE, old sig": b64(`{"alg":"NONE"}`) + "." + rest,
		"alg empty":         hs(`{"alg":""}`, minimal),
		"alg missing":       hs(`{"typ":"JWT"}`, minimal),
		"alg null":          hs(`{"alg":null}`, minimal),
		"alg list":          hs(`{"alg":["HS256"]}`, minimal),
		"alg number":        hs(`{"alg":256}`, minimal),
		"alg lower case":    hs(`{"alg":"hs256"}`, minimal),
		"alg with blank":    hs(`{"alg":"HS256 "}`, minimal),
		"alg NUL":           hs(`{"alg":"HS256\u0000"}`, minimal),
		"alg HS512":         hs512(`{"alg":"HS512"}`, minimal),
		"alg HS512 as 256":  hs512(hsHead, minimal),
		"alg HS256 as 512":  hs(`{"alg":"HS512"}`, minimal),
		"alg unknown":       hs(`{"alg":"marker"}`, minimal),
		"alg twice":         hs(`{"alg":"none","alg":"HS256"}`, minimal),
		"alg escaped twice": hs(`{"alg":"HS256","\u0061lg":"none"}`, minimal),
		"crit":              hs(`{"alg":"HS256","crit":["exp"]}`, minimal),
		"crit unknown":      hs(`{"alg":"HS256","crit":["marker"],"marker":1}`, minimal),
		"crit empty":        hs(`{"alg":"HS256","crit":[]}`, minimal),
		"crit null":         hs(`{"alg":"HS256","crit":null}`, minimal),
		"b64":               hs(`{"alg":"HS256","b64":false}`, minimal),
		"b64 and crit":      hs(`{"alg":"HS256","b64":false,"crit":["b64"]}`, minimal),
		"kid number":        hs(`{"alg":"HS256","kid":1}`, minimal),
		"kid null":          hs(`{"alg":"HS256","kid":null}`, minimal),
		"header empty":      hs(`{}`, minimal),
		"header list":       hs(`["alg","HS256"]`, minimal),
		"header null":       hs(`null`, minimal),
		"header text":       hs(`"HS256"`, minimal),
		"header no JSON":    hs(`alg=HS256`, minimal),
		"header two values": hs(hsHead+hsHead, minimal),
		"header BOM":        hs("\ufeff"+hsHead, minimal),
		"header not UTF-8":  hs("{\"alg\":\"HS256\",\"x\":\"\xff\"}", minimal),
		"header deep":       hs(`{"alg":"HS256","x":`+strings.Repeat("[", 1200)+strings.Repeat("]", 1200)+`}`, minimal),
		"header a bit deep": hs(`{"alg":"HS256","x":`+strings.Repeat("[", 16)+strings.Repeat("]", 16)+`}`, minimal),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, withSecret(t, Options{}), token)
			refused(t, withSecret(t, Options{Shape: ShapeSimpleJWT, InferSession: true, AllowMissingIssuer: true}), token)
		})
	}
	// A key id under a secret is that of another issuer, except that SimpleJWT ignores it.
	for _, kid := range []string{"", "x", "../../../../dev/null", "' OR 1=1--", "http://127.0.0.1/key"} {
		token := hs(fmt.Sprintf(`{"alg":"HS256","kid":%q}`, kid), minimal)
		refused(t, withSecret(t, Options{}), token)
		if _, err := parse(t, withSecret(t, Options{Shape: ShapeSimpleJWT}), token); err != nil {
			t.Errorf("kid %q in SimpleJWT's shape: %v", kid, err)
		}
	}
	for _, header := range []string{
		`{"alg":"HS256"}`, `{"typ":"at+jwt","alg":"HS256"}`, `{"alg":"HS256","typ":1}`, `{"alg":"HS256","cty":"JWT","ALG":"none","Crit":["x"]}`,
		`{"alg":"HS256","jku":"http://127.0.0.1/","x5u":"http://127.0.0.1/","x5c":["x"],"jwk":{"kty":"oct","k":"AA"}}`,
	} {
		if _, err := parse(t, withSecret(t, Options{}), hs(header, minimal)); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// J1, J2 with key pairs.
func TestKeyPairTraps(t *testing.T) {
	first, second, foreign := generated(t, ES256).(*ecdsa.PrivateKey), generated(t, ES256).(*ecdsa.PrivateKey), generated(t, ES256).(*ecdsa.PrivateKey)
	rsaKey, edKey := generated(t, RS256).(*rsa.PrivateKey), generated(t, EdDSA).(ed25519.PrivateKey)
	keys := pairs(t, first, second, rsaKey, edKey)
	kid := func(private any) string { return pairs(t, private).Signing().ID() }
	head := func(alg, kid string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, alg, kid) }
	tokens := New(keys, Options{})

	for name, token := range map[string]string{
		"first": es(t, first, head(ES256, kid(first)), minimal), "second": es(t, second, head(ES256, kid(second)), minimal),
		"RS256": rs(t, rsaKey, head(RS256, kid(rsaKey)), minimal), "EdDSA": ed(edKey, head(EdDSA, kid(edKey)), minimal),
	} {
		if _, err := parse(t, tokens, token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	der, err := x509.MarshalPKIXPublicKey(&first.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	point, err := first.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(keys.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	confused := map[string]string{
		"PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "DER": string(der), "point": string(point), "kid": kid(first), "empty": "",
	}
	for i, k := range set.Keys {
		confused[fmt.Sprint("JWK ", i)] = string(k)
	}
	for name, key := range confused {
		for _, header := range []string{head(HS256, kid(first)), head(ES256, kid(first)), `{"alg":"HS256"}`} {
			text := b64(header) + "." + b64(minimal)
			t.Run("confused "+name, func(t *testing.T) { refused(t, tokens, text+"."+b64(mac(sha256.New, key, text))) })
		}
	}

	jwk := fmt.Sprintf(`{"alg":"ES256","kid":%q,"jwk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, kid(first),
		base64.RawURLEncoding.EncodeToString(foreign.X.FillBytes(make([]byte, 32))), base64.RawURLEncoding.EncodeToString(foreign.Y.FillBytes(make([]byte, 32))))
	for name, token := range map[string]string{
		"foreign key":               es(t, foreign, head(ES256, kid(first)), minimal),
		"foreign kid":               es(t, foreign, head(ES256, kid(foreign)), minimal),
		"foreign key in the header": es(t, foreign, jwk, minimal),
		"other key's kid":           es(t, second, head(ES256, kid(first)), minimal),
		"kid of another algorithm":  es(t, first, head(ES256, kid(rsaKey)), minimal),
		"algorithm of another kid":  rs(t, rsaKey, head(RS256, kid(first)), minimal),
		"RS512":                     rs(t, rsaKey, head("RS512", kid(rsaKey)), minimal),
		"PS256":                     rs(t, rsaKey, head("PS256", kid(rsaKey)), minimal),
		"ES384":                     es(t, first, head("ES384", kid(first)), minimal),
		"no kid among many":         es(t, first, `{"alg":"ES256"}`, minimal),
		"kid in lower case":         es(t, first, head(ES256, strings.ToLower(kid(first))), minimal),
		"alg none":                  b64(head("none", kid(first))) + "." + b64(minimal) + ".",
	} {
		t.Run(name, func(t *testing.T) { refused(t, tokens, token) })
	}
	alone := New(pairs(t, first), Options{})
	if _, err := parse(t, alone, es(t, first, `{"alg":"ES256"}`, minimal)); err != nil {
		t.Errorf("no kid where there is one key: %v", err)
	}
	refused(t, alone, es(t, first, `{"alg":"ES256","kid":"x"}`, minimal))
	refused(t, New(pairs(t, first), Options{Shape: ShapeSimpleJWT}), es(t, first, `{"alg":"ES256","kid":"x"}`, minimal))

	// CVE-2022-21449 and similar: empty signatures and those of another form.
	text := b64(head(ES256, kid(first))) + "." + b64(minimal)
	good, err := base64.RawURLEncoding.DecodeString(strings.Split(es(t, first, head(ES256, kid(first)), minimal), ".")[2])
	if err != nil {
		t.Fatal(err)
	}
	asDER, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(good[:32]), new(big.Int).SetBytes(good[32:])})
	if err != nil {
		t.Fatal(err)
	}
	for name, sig := range map[string]string{
		"none": "", "zeros": strings.Repeat("\x00", 64), "ones": strings.Repeat("\xff", 64), "one byte": "\x00", "half": string(good[:32]),
		"DER": string(asDER), "with a byte more": string(good) + "\x00", "with a byte before": "\x00" + string(good), "swapped": string(good[32:]) + string(good[:32]),
	} {
		t.Run("signature "+name, func(t *testing.T) { refused(t, tokens, text+"."+b64(sig)) })
	}
}

// J4, J5: one encoding, and a maximum length.
func TestSpellingTraps(t *testing.T) {
	good := hs(hsHead, minimal)
	part := strings.Split(good, ".")
	join := func(p ...string) string { return strings.Join(p, ".") }
	// The last digit of a signature of 32 bytes has 2 unused bits. The decoder of golang-jwt accepts any value of them.
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[len(good)-1])
	bits := good[:len(good)-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last^1:last^1+1]
	table := map[string]string{
		"empty": "", "one part": part[0], "two parts": join(part[0], part[1]), "four parts": good + ".", "five parts": good + "..", "dots": "..", "no header": join("", part[1], part[2]),
		"no claims": join(part[0], "", part[2]), "no signature": join(part[0], part[1], ""), "signature cut": good[:len(good)-1], "signature longer": good + "A", "signature twice": good + part[2],
		"trailing bits": bits, "padding": good + "=", "padding inside": join(part[0]+"=", part[1], part[2]),
		"blank before": " " + good, "blank after": good + " ", "line feed after": good + "\n", "NUL after": good + "\x00", "Bearer": "Bearer " + good,
		"line feed in signature": join(part[0], part[1], part[2][:9]+"\n"+part[2][9:]), "CR LF in signature": join(part[0], part[1], part[2][:9]+"\r\n"+part[2][9:]),
		"line feed in header": join(part[0][:9]+"\n"+part[0][9:], part[1], part[2]), "line feed in claims": join(part[0], part[1][:9]+"\n"+part[1][9:], part[2]),
		"plain base64": join(part[0], part[1], base64.RawStdEncoding.EncodeToString([]byte("\xff\xfe\xfb"+strings.Repeat("\xff", 29)))),
		"percent":      strings.ReplaceAll(good, ".", "%2E"), "full width dot": strings.Replace(good, ".", "．", 1), "not ASCII": good + "é",
		"tampered":  join(part[0], b64(strings.Replace(minimal, `"user_id":1`, `"user_id":2`, 1)), part[2]),
		"too long":  hs(hsHead, payload(`"x":"`+strings.Repeat("x", 3000)+`"`)),
		"many dots": strings.Repeat(".", 4000), "very many dots": strings.Repeat(".", 1<<20), "five megabytes": strings.Repeat("A", 5<<20),
	}
	for name, token := range table {
		t.Run(name, func(t *testing.T) { refused(t, withSecret(t, Options{}), token) })
	}
	for i := range good { // every change of a single bit
		flipped := []byte(good)
		flipped[i] ^= 1
		refused(t, withSecret(t, Options{}), string(flipped))
	}
	if _, err := parse(t, withSecret(t, Options{}), good); err != nil {
		t.Error(err)
	}
}

func TestRefusalsQuoteNothing(t *testing.T) {
	for _, cause := range []error{errors.New("marker"), fmt.Errorf("marker: %w", gojwt.ErrTokenExpired), fmt.Errorf("marker: %w", errName)} {
		err := refuse(cause)
		if strings.Contains(err.Error(), "marker") || !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("%v", err)
		}
		if errors.Is(cause, gojwt.ErrTokenExpired) && !errors.Is(err, gojwt.ErrTokenExpired) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
}
