package jwt

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// wellFormed reports whether token is of a bearable length and three parts in the alphabet of
// base64url. encoding/base64 skips line feeds even when strict, so that one token would have many
// spellings.
func wellFormed(token string) bool {
	if len(token) > maxToken {
		return false
	}
	dots := 0
	for _, c := range []byte(token) {
		if c == '.' {
			dots++
		} else if !base64URL(c) {
			return false
		}
	}
	return dots == 2
}

func base64URL(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// header is what counts of a token's header. Everything else in it is not looked at: above all jku,
// x5u, jwk and x5c, by which a token would bring its own key (RFC 8725, 3.9 and 3.10).
type header struct {
	alg, kid string
	hasKid   bool
}

func readHeader(token string) (h header, err error) {
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return header{}, errHeader
	}
	hasAlg := false
	err = readObject(text, func(name string, value jsontext.Value) (err error) {
		switch name {
		case "alg":
			h.alg, err = asText(value)
			hasAlg = true
		case "kid":
			h.kid, err = asText(value)
			h.hasKid = true
		case "crit", "b64": // RFC 7515, 4.1.11 and RFC 7797: we know no extension
			err = errCritical
		}
		return err
	})
	if err == nil && !hasAlg {
		err = errHeader
	}
	return h, err
}
