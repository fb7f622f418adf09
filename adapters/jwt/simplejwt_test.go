package jwt

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

//go:embed testdata/tokens.json
var tokensJSON []byte

// Tokens of SimpleJWT are accepted under its key; see testdata.
func TestTokensOfSimpleJWT(t *testing.T) {
	var export struct {
		Key    string `json:"secret_key"`
		Tokens []struct {
			Name, Token string
			Header      struct{ Alg string }
			Claims      struct {
				Type   string          `json:"token_type"`
				Exp    int64           `json:"exp"`
				Iat    int64           `json:"iat"`
				JTI    string          `json:"jti"`
				UserID json.RawMessage `json:"user_id"`
			}
		}
	}
	if err := json.Unmarshal(tokensJSON, &export); err != nil {
		t.Fatal(err)
	}
	keys, err := signingkeys.FromSecret(export.Key, HS256)
	if err != nil {
		t.Fatal(err)
	}
	tokens := New(keys, Options{Shape: ShapeSimpleJWT, InferSession: true, AllowMissingIssuer: true})
	extra := map[string]string{
		"access-custom-claims": `{"role":"admin","tenant":{"id":7}}`, "refresh-2": `{"role":"auditor"}`, "sliding": `{"refresh_exp":1795518272}`,
	}
	if len(export.Tokens) != 15 {
		t.Errorf("%d tokens", len(export.Tokens))
	}
	for _, e := range export.Tokens {
		c, err := parse(t, tokens, e.Token)
		switch e.Name {
		case "access-expired", "access-hs512", "access-other-key":
			if !errors.Is(err, session.ErrTokenInvalid) {
				t.Errorf("%s: %v", e.Name, err)
			}
			continue
		}
		want := session.Claims{Type: session.TokenType(e.Claims.Type), ID: e.Claims.JTI, User: strings.Trim(string(e.Claims.UserID), `"`)}
		if err != nil || c.Type != want.Type || c.ID != want.ID || c.User != want.User || !c.HasUser ||
			c.ExpiresAt.Unix() != e.Claims.Exp || c.IssuedAt.Unix() != e.Claims.Iat || len(c.SessionlessID) != 24 || string(c.Extra) != extra[e.Name] {
			t.Errorf("%s: %+v, extra %s, %v", e.Name, c, c.Extra, err)
		}
		// A token of SimpleJWT that is signed again has the same bytes.
		c.Session = ""
		if again := sign(t, tokens, c); again != e.Token && e.Name != "access-text-id" && e.Name != "sliding" {
			_, got := said(t, again)
			_, had := said(t, e.Token)
			t.Errorf("%s: %s, was %s", e.Name, got, had)
		}
	}
}

func TestNothingPrintsAKey(t *testing.T) {
	pair := pairs(t, generated(t, ES256))
	keys, err := signingkeys.FromSecret(secret, HS256)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{keys, *keys, New(keys, Options{}), *New(keys, Options{}), struct{ k *signingkeys.Set }{keys}, struct{ K signingkeys.Set }{*keys}, pair, *pair} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "lantern") || strings.Contains(out, fmt.Sprintf("%x", secret)[:12]) || len(out) > 80 {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
	}
	if out, err := json.Marshal(keys); err != nil || string(out) != `"[keys]"` {
		t.Errorf("%s, %v", out, err)
	}
}
