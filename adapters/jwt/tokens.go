// Package jwt makes and checks the tokens: JSON Web Tokens (RFC 7519) signed as RFC 7515 has it, in
// one of two shapes. The cryptography is golang-jwt's; what it lets pass is refused here, before or
// after it (RFC 8725).
package jwt

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"roster/domain/session"
	"roster/ports/outbound"
)

var _ outbound.Tokens = (*Tokens)(nil)

// Shape says how a token tells its session.
type Shape int

const (
	// ShapeSession has the claims sid and, in refresh tokens, gen. Access tokens have sub (RFC 9068) too,
	// and refresh tokens another aud and typ, so that they do not pass as access tokens at a service that
	// knows nothing of token_type.
	ShapeSession Shape = iota
	// ShapeSimpleJWT has exactly the header and claims of djangorestframework-simplejwt; the session
	// is told inside jti, which has the form of SimpleJWT's too: 24 digits of session, 8 of which
	// one of its tokens it is.
	ShapeSimpleJWT
)

// Options says what tokens hold beyond a session's claims, and what is wanted of them.
type Options struct {
	Shape    Shape
	Issuer   string // claim iss; "" for none
	Audience string // claim aud; "" for none, of refresh tokens in ShapeSession see refreshAudience

	// UserClaim is the claim that holds the user's id; "" for user_id.
	UserClaim string

	// Leeway is by how much nbf and iat of given tokens may be after now, since the clocks of those that
	// issue and check tokens differ. exp has none.
	Leeway time.Duration
	// AllowMissingIssuer accepts tokens without iss or aud even if they are configured, as tokens from
	// before they were configured have none. Tokens that have them must have the configured ones.
	AllowMissingIssuer bool
	// InferSession reads the session out of jti where there is no sid, as ShapeSimpleJWT put it
	// there. A foreign jti may look alike: whoever asks for that session must find that it is none.
	InferSession bool
}

// Tokens implements outbound.Tokens. It is safe for concurrent use and never prints its keys.
type Tokens struct {
	source Source
	o      Options
}

// New makes Tokens that sign with the key that signs at the time, and verify with all that there are.
func New(source Source, o Options) *Tokens {
	if o.UserClaim == "" {
		o.UserClaim = "user_id"
	}
	return &Tokens{source, o}
}

// Format implements fmt.Formatter.
func (Tokens) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[tokens]") }

// maxToken is the most bytes of a token: servers and proxies cap header fields near 8 KiB.
const maxToken = 4096

var errTooLarge = errors.New("jwt: the claims make a token longer than 4096 bytes")

// Sign returns the token that says c. A refresh token of a session always has the same jti for the
// same generation; an access token has c.ID, or in ShapeSimpleJWT one of the session's. Times are
// cut to whole seconds. It fails on claims that Parse would refuse, and on those without an expiry:
// no token is for ever.
func (t *Tokens) Sign(ctx context.Context, c session.Claims) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	payload, err := t.payload(c)
	if err != nil {
		return "", err
	}
	k := t.source.Keys().signing
	text := k.headers[t.typ(c.Type)] + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := k.method.Sign(text, k.private)
	if err != nil {
		return "", fmt.Errorf("jwt: sign: %w", err)
	}
	text += "." + base64.RawURLEncoding.EncodeToString(signature)
	if len(text) > maxToken {
		return "", errTooLarge
	}
	return text, nil
}

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

// Parse returns what token says if it is well-formed, signed with one of the keys and in force at
// now, or an error that matches session.ErrTokenInvalid and tells the cause, but nothing of the
// token's text. An absent exp is left to session.Claims.CheckShape, which has its own message for it.
// exp equal to now has expired; nbf and iat after now are refused beyond the leeway.
func (t *Tokens) Parse(ctx context.Context, token string, now time.Time) (session.Claims, error) {
	if err := ctx.Err(); err != nil {
		return session.Claims{}, err
	}
	if !wellFormed(token) {
		return session.Claims{}, refuse(errForm)
	}
	h, err := readHeader(token)
	if err != nil {
		return session.Claims{}, refuse(err)
	}
	k, err := t.find(h)
	if err != nil {
		return session.Claims{}, refuse(err)
	}
	said := claims{o: t.o}
	_, err = t.parser(k, now).ParseWithClaims(token, &said, func(*jwt.Token) (any, error) { return k.public, nil })
	if err != nil {
		return session.Claims{}, refuse(err)
	}
	c, err := said.result()
	if err != nil {
		return session.Claims{}, refuse(err)
	}
	return c, nil
}

// find returns the key for a token with header h. One that is not known may have come to the source
// meanwhile: another instance signs with it already.
func (t *Tokens) find(h header) (*key, error) {
	lenient := t.o.Shape == ShapeSimpleJWT
	k, err := t.source.Keys().find(h, lenient)
	if errors.Is(err, errKey) && h.hasKid {
		return t.source.KeysWith(h.kid).find(h, lenient)
	}
	return k, err
}

func (t *Tokens) parser(k *key, now time.Time) *jwt.Parser {
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{k.alg}), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithIssuedAt(),
	}
	if t.o.Issuer != "" {
		options = append(options, jwt.WithIssuer(t.o.Issuer))
	}
	if t.o.Audience != "" {
		options = append(options, jwt.WithAudience(t.o.Audience))
	}
	return jwt.NewParser(options...)
}
