package jwt

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parts is a token, cut at its dots.
type parts struct {
	signed                     string // the text that is signed: header, dot and payload
	header, payload, signature []byte // decoded
}

// split decodes the three parts of a token, of which it accepts only one spelling: encoding/base64 skips line feeds even
// when strict, and ignores trailing bits when it is not.
func split(token string) (p parts, err error) {
	if len(token) > maxToken {
		return parts{}, errForm
	}
	dots := 0
	for _, c := range []byte(token) {
		if c == '.' {
			dots++
		} else if !base64URL(c) {
			return parts{}, errForm
		}
	}
	if dots != 2 {
		return parts{}, errForm
	}
	end := strings.LastIndexByte(token, '.')
	p.signed = token[:end]
	header, payload, _ := strings.Cut(p.signed, ".")
	for _, part := range []struct {
		text string
		into *[]byte
	}{{header, &p.header}, {payload, &p.payload}, {token[end+1:], &p.signature}} {
		if *part.into, err = base64.RawURLEncoding.Strict().DecodeString(part.text); err != nil {
			return parts{}, errForm
		}
	}
	return p, nil
}

func base64URL(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// header has the members of a token's header that are used. The others are ignored, such as jku, x5u, jwk and x5c, with
// which a token would bring its own key (RFC 8725, 3.9 and 3.10).
type header struct {
	alg, kid string
	hasKid   bool
}

func readHeader(text []byte) (h header, err error) {
	hasAlg := false
	err = readObject(text, func(name string, value jsontext.Value) (err error) {
		switch name {
		case "alg":
			h.alg, err = asText(value)
			hasAlg = true
		case "kid":
			h.kid, err = asText(value)
			h.hasKid = true
		case "crit", "b64": // RFC 7515, 4.1.11 and RFC 7797: no extension is supported
			err = errCritical
		}
		return err
	})
	if err == nil && !hasAlg {
		err = errHeader
	}
	return h, err
}
