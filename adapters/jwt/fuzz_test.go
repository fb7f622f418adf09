package jwt

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roster/domain/session"
)

// FuzzParse searches for tokens that make the parser panic, and for claims that change when they are signed and parsed
// again.
func FuzzParse(f *testing.F) {
	f.Add("", `{"alg":"HS256"}`, minimal, uint8(0))
	f.Add(hs(hsHead, minimal), hsHead, payload(`"sid":"`+sid+`","gen":7,"iss":"x","aud":["y"],"nbf":1.5e9`), uint8(1))
	f.Add("..", hsHead, `{"token_type":"refresh",`+exp+`,"jti":"`+sid+`0000002a","user_id":"1"}`, uint8(6))
	f.Add("a.b.c", hsHead, `{"token_type":"refresh",`+exp+`,`+jtiText+`,"user_id":null,"sid":"`+sid+`","gen":1,"x":{"y":[1,"\u00e9"]}}`, uint8(15))
	f.Fuzz(func(t *testing.T, raw, header, text string, options uint8) {
		o := Options{InferSession: options&2 != 0, AllowMissingIssuer: options&8 != 0}
		if options&4 != 0 {
			o.Shape = ShapeSimpleJWT
		}
		if options&1 != 0 {
			o.Issuer, o.Audience = "x", "y"
		}
		tokens := withSecret(t, o)
		for _, token := range []string{raw, hs(header, text)} {
			c, err := parse(t, tokens, token)
			if err != nil {
				if !errors.Is(err, session.ErrTokenInvalid) || !cmp.Equal(c, session.Claims{}) {
					t.Fatalf("%v, %+v", err, c)
				}
				continue
			}
			again, err := tokens.Sign(t.Context(), c)
			if err != nil {
				if c.ExpiresAt.IsZero() || errors.Is(err, errTooLarge) {
					continue
				}
				t.Fatalf("%v: %+v", err, c)
			}
			got, err := parse(t, tokens, again)
			if err != nil {
				t.Fatalf("%v: %+v", err, c)
			}
			if c.Session != "" { // in one shape the jti contains the session's id
				if o.Shape == ShapeSimpleJWT && (!o.InferSession || c.Type != session.Access && c.Type != session.Refresh) {
					continue // a token with sid, of the other shape
				}
				got.ID, c.ID, got.SessionlessID, c.SessionlessID = "", "", "", ""
			}
			if diff := cmp.Diff(c, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
