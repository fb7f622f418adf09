package jwt

import (
	"encoding/base64"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

// methods sign and verify, by the algorithm of the key.
var methods = map[string]jwt.SigningMethod{
	signingkeys.ES256: deterministicES256{jwt.SigningMethodES256},
	signingkeys.RS256: jwt.SigningMethodRS256,
	signingkeys.EdDSA: jwt.SigningMethodEdDSA,
	signingkeys.HS256: jwt.SigningMethodHS256,
	signingkeys.HS384: jwt.SigningMethodHS384,
	signingkeys.HS512: jwt.SigningMethodHS512,
}

// The typ of a token, which other services may check: that of an access token is of RFC 9068, and a refresh token has
// another. SimpleJWT has one for both.
const (
	typSimpleJWT = "JWT"
	typAccess    = "at+jwt"
	typRefresh   = "rt+jwt"
)

// typ returns the header's typ of a token.
func (t *Tokens) typ(kind session.TokenType) string {
	switch {
	case t.o.Shape == ShapeSimpleJWT:
		return typSimpleJWT
	case kind == session.Refresh:
		return typRefresh
	}
	return typAccess
}

// encodeHeader returns the header of the tokens that a key signs.
func encodeHeader(k *signingkeys.Key, typ string) string {
	kid := ""
	if k.ID() != "" {
		kid = fmt.Sprintf(`,"kid":%q`, k.ID())
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q%s,"typ":%q}`, k.Algorithm(), kid, typ))
}
