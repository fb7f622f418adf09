package jwt

import (
	"crypto/ecdsa"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

const tokenID = "00112233445566778899aabbccddeeff"

func sign(t testing.TB, tokens *Tokens, c session.Claims) string {
	t.Helper()
	token, err := tokens.Sign(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// said returns the header and the claims of a token as text.
func said(t testing.TB, token string) (header, payload string) {
	t.Helper()
	part := strings.Split(token, ".")
	h, err := base64.RawURLEncoding.DecodeString(part[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(h), string(p)
}

func TestShapes(t *testing.T) {
	issued := time.Unix(1800000000, 999e6)
	access := session.Claims{Type: session.Access, ID: tokenID, User: "1", IssuedAt: issued, ExpiresAt: issued.Add(300 * time.Second), Session: sid}
	refresh := access
	refresh.Type, refresh.Generation, refresh.User = session.Refresh, 42, "0197b5a0-0000-7000-8000-000000000000"
	refresh.Extra = []byte(`{"role":"admin","exp":1,"EXP":2,"sid":"x","iss":"evil","t":{"a": [1.0,"<é>"]}}`)
	bare := session.Claims{Type: session.Access, ID: tokenID, HasUser: true, ExpiresAt: issued}
	both := Options{Issuer: `"roster"`, Audience: "api"}
	simple := Options{Shape: ShapeSimpleJWT}
	simpleBoth := both
	simpleBoth.Shape = ShapeSimpleJWT
	for name, c := range map[string]struct {
		o    Options
		c    session.Claims
		want string
	}{
		"session, access":  {Options{}, access, `{"token_type":"access","exp":1800000300,"iat":1800000000,"jti":"` + tokenID + `","user_id":1,"sid":"` + sid + `","sub":"1"}`},
		"session, refresh": {Options{}, refresh, `{"token_type":"refresh","exp":1800000300,"iat":1800000000,"jti":"` + sid + `0000002a","user_id":"0197b5a0-0000-7000-8000-000000000000","sid":"` + sid + `","gen":42,"aud":"refresh","role":"admin","iss":"evil","t":{"a": [1.0,"<é>"]}}`},
		"session, issuer":  {both, access, `{"token_type":"access","exp":1800000300,"iat":1800000000,"jti":"` + tokenID + `","user_id":1,"sid":"` + sid + `","iss":"\"roster\"","aud":"api","sub":"1"}`},
		"session, sub":     {Options{UserClaim: "sub"}, access, `{"token_type":"access","exp":1800000300,"iat":1800000000,"jti":"` + tokenID + `","sub":"1","sid":"` + sid + `"}`},
		"session, bare":    {Options{}, bare, `{"token_type":"access","exp":1800000000,"jti":"` + tokenID + `","user_id":null}`},
		"simple, access":   {simple, access, `{"token_type":"access","exp":1800000300,"iat":1800000000,"jti":"` + sid + `........","user_id":1}`},
		"simple, refresh":  {simple, refresh, `{"token_type":"refresh","exp":1800000300,"iat":1800000000,"jti":"` + sid + `0000002a","user_id":"0197b5a0-0000-7000-8000-000000000000","role":"admin","sid":"x","iss":"evil","t":{"a": [1.0,"<é>"]}}`},
		"simple, issuer":   {simpleBoth, refresh, `{"token_type":"refresh","exp":1800000300,"iat":1800000000,"jti":"` + sid + `0000002a","user_id":"0197b5a0-0000-7000-8000-000000000000","iss":"\"roster\"","aud":"api","role":"admin","sid":"x","t":{"a": [1.0,"<é>"]}}`},
		"simple, bare":     {simple, bare, `{"token_type":"access","exp":1800000000,"jti":"` + tokenID + `","user_id":null}`},
	} {
		header, payload := said(t, sign(t, withSecret(t, c.o), c.c))
		typ := typSimpleJWT
		switch {
		case strings.HasPrefix(name, "simple"):
		case c.c.Type == session.Refresh:
			typ = typRefresh
		default:
			typ = typAccess
		}
		if header != `{"alg":"HS256","typ":"`+typ+`"}` {
			t.Errorf("%s: header %s", name, header)
		}
		if name == "simple, access" {
			payload = regexp.MustCompile(sid+`[89a-f][0-9a-f]{7}"`).ReplaceAllString(payload, sid+`........"`)
		}
		if payload != c.want {
			t.Errorf("%s: %s", name, payload)
		}
	}
	for _, user := range []string{"007", "+1", "-0", "1.0", "9223372036854775808"} {
		if _, payload := said(t, sign(t, withSecret(t, Options{}), session.Claims{User: user, ExpiresAt: issued})); !strings.Contains(payload, `"user_id":"`+user+`"`) {
			t.Errorf("user %s: %s", user, payload)
		}
	}
}

func TestAccessTokensOfASessionDiffer(t *testing.T) {
	tokens := withSecret(t, Options{Shape: ShapeSimpleJWT})
	c := session.Claims{Type: session.Access, ID: tokenID, ExpiresAt: now.Add(time.Hour), Session: sid}
	if one, other := sign(t, tokens, c), sign(t, tokens, c); one == other {
		t.Error("always the same jti")
	}
	c.Type = session.Refresh
	if one, other := sign(t, tokens, c), sign(t, tokens, c); one != other {
		t.Error("one generation, two tokens")
	}
}

func TestKeyIDInTheHeader(t *testing.T) {
	keys := pairs(t, generated(t, ES256))
	for shape, typ := range map[Shape]string{ShapeSession: typAccess, ShapeSimpleJWT: typSimpleJWT} {
		header, _ := said(t, sign(t, New(keys, Options{Shape: shape}), session.Claims{ExpiresAt: now}))
		if want := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":%q}`, keys.Signing().ID(), typ); header != want || len(keys.Signing().ID()) != 43 {
			t.Errorf("%s", header)
		}
	}
}

func TestUnsignable(t *testing.T) {
	good := session.Claims{Type: session.Refresh, ID: tokenID, ExpiresAt: now, Session: sid}
	for name, change := range map[string]func(*session.Claims){
		"no expiry":           func(c *session.Claims) { c.ExpiresAt = time.Time{} },
		"expiry before 1970":  func(c *session.Claims) { c.ExpiresAt = time.Unix(0, 0) },
		"expiry after 9999":   func(c *session.Claims) { c.ExpiresAt = time.Unix(maxSeconds+1, 0) },
		"iat before 1970":     func(c *session.Claims) { c.IssuedAt = time.Unix(-1, 0) },
		"session":             func(c *session.Claims) { c.Session = "x" },
		"session of a UUID":   func(c *session.Claims) { c.Session = "0197b5a0-0000-7000-8000-000000000000" },
		"generation negative": func(c *session.Claims) { c.Generation = -1 },
		"generation 2^31":     func(c *session.Claims) { c.Generation = 1 << 31 },
		"type not UTF-8":      func(c *session.Claims) { c.Type = "\xff" },
		"user not UTF-8":      func(c *session.Claims) { c.User = "\xff" },
		"extra no JSON":       func(c *session.Claims) { c.Extra = []byte(`{"x":`) },
		"extra no object":     func(c *session.Claims) { c.Extra = []byte(`[]`) },
		"extra, two objects":  func(c *session.Claims) { c.Extra = []byte(`{"x":1}{"y":1}`) },
		"extra twice":         func(c *session.Claims) { c.Extra = []byte(`{"x":1,"x":1}`) },
		"too large":           func(c *session.Claims) { c.Extra = []byte(`{"x":"` + strings.Repeat("x", 3000) + `"}`) },
	} {
		c := good
		change(&c)
		for _, shape := range []Shape{ShapeSession, ShapeSimpleJWT} {
			if token, err := withSecret(t, Options{Shape: shape}).Sign(t.Context(), c); err == nil || token != "" {
				t.Errorf("%s: %q", name, token)
			}
		}
	}
}

// Parsing a signed token returns its claims, in both shapes and with every algorithm.
func TestRoundTrip(t *testing.T) {
	signers := map[string]*signingkeys.Set{}
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		signers[algorithm] = pairs(t, generated(t, algorithm), generated(t, ES256))
	}
	for _, algorithm := range []string{HS256, HS384, HS512} {
		keys, err := signingkeys.FromSecret(secret+secret, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		signers[algorithm] = keys
	}
	hex := func(n int) *rapid.Generator[string] { return rapid.StringMatching(fmt.Sprintf(`[0-9a-f]{%d}`, n)) }
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			Shape:  rapid.SampledFrom([]Shape{ShapeSession, ShapeSimpleJWT}).Draw(t, "shape"),
			Issuer: rapid.SampledFrom([]string{"", "https://roster.example"}).Draw(t, "iss"), Audience: rapid.SampledFrom([]string{"", "api"}).Draw(t, "aud"),
		}
		o.InferSession = o.Shape == ShapeSimpleJWT
		tokens := New(signers[rapid.SampledFrom([]string{ES256, RS256, EdDSA, HS256, HS384, HS512}).Draw(t, "alg")], o)
		c := session.Claims{
			Type:       rapid.SampledFrom([]session.TokenType{session.Access, session.Refresh}).Draw(t, "type"),
			User:       rapid.OneOf(rapid.StringMatching(`[1-9][0-9]{0,17}`), hex(36), rapid.String()).Draw(t, "user"),
			IssuedAt:   now.Add(-time.Duration(rapid.IntRange(0, 1e6).Draw(t, "iat")) * time.Second),
			ExpiresAt:  now.Add(time.Duration(rapid.IntRange(1, 1e6).Draw(t, "exp")) * time.Second),
			ID:         hex(32).Draw(t, "jti"),
			Session:    session.ID(hex(24).Draw(t, "sid")),
			Generation: rapid.IntRange(0, 1<<31-1).Draw(t, "gen"),
			Extra:      rapid.SampledFrom([][]byte{nil, []byte(`{"role":"admin","n":1e400,"o":{"exp":[]}}`)}).Draw(t, "extra"),
		}
		c.HasUser = c.User != ""
		if c.Type == session.Access {
			c.Generation = 0
		}
		token, err := tokens.Sign(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tokens.Parse(t.Context(), token, now)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.Type == session.Refresh:
			c.ID = fmt.Sprintf("%s%08x", c.Session, c.Generation)
		case o.Shape == ShapeSimpleJWT:
			if got.ID[:24] != string(c.Session) || got.ID[24] < '8' {
				t.Fatalf("jti %s", got.ID)
			}
			c.ID = got.ID
		}
		if known := o.Shape == ShapeSession || ownRefresh(c.Type, got.ID, c.Generation); (got.SessionlessID == "") != known {
			t.Fatalf("foreign %q", got.SessionlessID)
		}
		c.SessionlessID = got.SessionlessID
		if diff := cmp.Diff(c, got); diff != "" {
			t.Fatal(diff)
		}
		if got, err := tokens.Parse(t.Context(), token, c.ExpiresAt); err == nil {
			t.Fatalf("not expired at its end: %+v", got)
		}
		if _, err := tokens.Parse(t.Context(), token, c.ExpiresAt.Add(-time.Millisecond)); err != nil {
			t.Fatalf("expired before its end: %v", err)
		}
	})
}

// Signatures can be verified by other code, as RFC 7515 defines them.
func TestSignatureIsVerifiableByHand(t *testing.T) {
	token := sign(t, withSecret(t, Options{}), session.Claims{Type: session.Access, ID: tokenID, ExpiresAt: now})
	if header, payload := said(t, token); hs(header, payload) != token {
		t.Errorf("%s", token)
	}
	private := generated(t, ES256).(*ecdsa.PrivateKey)
	token = sign(t, New(pairs(t, private), Options{}), session.Claims{ExpiresAt: now})
	if part := strings.Split(token, "."); len(part) != 3 || len(part[2]) != 86 {
		t.Errorf("%s", token)
	}
}
