package jwt

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"roster/adapters/signingkeys"
	"roster/domain/session"
	"roster/ports/outbound"
)

var _ outbound.Tokens = (*Tokens)(nil)

// Shape is where a token has its session.
type Shape int

const (
	// ShapeSession has the claims sid and, in refresh tokens, gen. Access tokens have sub (RFC 9068) too,
	// and refresh tokens another aud and typ, so that they do not pass as access tokens at a service that
	// knows nothing of token_type.
	ShapeSession Shape = iota
	// ShapeSimpleJWT has exactly the header and claims of djangorestframework-simplejwt; the session
	// is inside jti, which keeps the form of SimpleJWT's: 24 digits of the session and 8 of the token.
	ShapeSimpleJWT
)

// Options is what tokens have beyond a session's claims, and what Parse asks of them.
type Options struct {
	Shape    Shape
	Issuer   string // claim iss; "" for none
	Audience string // claim aud; "" for none, of refresh tokens in ShapeSession see refreshAudience

	// UserClaim is the claim that holds the user's id; "" for user_id.
	UserClaim string

	// Leeway is by how much nbf and iat of a token may be after now: the issuer's clock may be ahead. exp has
	// no leeway.
	Leeway time.Duration
	// AllowMissingIssuer accepts tokens without iss or aud even if they are configured, as tokens from
	// before they were configured have none. Tokens that have them must have the configured ones.
	AllowMissingIssuer bool
	// InferSession reads the session out of jti where there is no sid, as ShapeSimpleJWT put it
	// there. The jti of another issuer may look alike; there is no such session then.
	InferSession bool
}

// Tokens signs and verifies tokens. It is safe for concurrent use and never prints its keys.
type Tokens struct {
	source   signingkeys.Source
	o        Options
	verified verified
}

// New makes Tokens that sign and verify with the keys in force at the time.
func New(source signingkeys.Source, o Options) *Tokens {
	if o.UserClaim == "" {
		o.UserClaim = "user_id"
	}
	return &Tokens{source, o, newVerified()}
}

// Format hides the keys.
func (Tokens) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[tokens]") }

// maxToken is the most bytes of a token: servers and proxies cap header fields near 8 KiB.
const maxToken = 4096

var errTooLarge = errors.New("jwt: the claims make a token longer than 4096 bytes")

// Sign returns the token of c. A refresh token of a session always has the same jti for the
// same generation; an access token has c.ID, or in ShapeSimpleJWT one of the session's. Times are
// cut to whole seconds. It fails on claims that Parse would refuse, and on those without an expiry.
func (t *Tokens) Sign(ctx context.Context, c session.Claims) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	payload, err := t.payload(c)
	if err != nil {
		return "", err
	}
	k := t.source.Current("").Signing()
	text := encodeHeader(k, t.typ(c.Type)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := methods[k.Algorithm()].Sign(text, k.Private())
	if err != nil {
		return "", fmt.Errorf("jwt: sign: %w", err)
	}
	text += "." + base64.RawURLEncoding.EncodeToString(signature)
	if len(text) > maxToken {
		return "", errTooLarge
	}
	return text, nil
}

// Parse returns the claims of a token if it is well-formed, signed with one of the keys and in force at
// now, or an error that matches session.ErrTokenInvalid and has the cause, but nothing of the
// token's text. An absent exp is left to session.Claims.CheckShape, which has its own message for it.
// exp equal to now has expired; nbf and iat after now are refused beyond the leeway.
func (t *Tokens) Parse(ctx context.Context, token string, now time.Time) (session.Claims, error) {
	if err := ctx.Err(); err != nil {
		return session.Claims{}, err
	}
	c, err := t.parse(token, now)
	if err != nil {
		return session.Claims{}, refuse(err)
	}
	return c, nil
}

func (t *Tokens) parse(token string, now time.Time) (session.Claims, error) {
	keys := t.source.Current("") // before the verification: of other keys, the token is not remembered as theirs
	c := t.verified.find(token, keys)
	if c == nil {
		p, err := split(token)
		if err != nil {
			return session.Claims{}, err
		}
		h, err := readHeader(p.header)
		if err != nil {
			return session.Claims{}, err
		}
		if err := t.verify(p, h); err != nil {
			return session.Claims{}, err
		}
		if c, err = readClaims(p.payload, t.o); err != nil {
			return session.Claims{}, err
		}
		t.verified.add(token, keys, c)
	}
	if err := t.validator(now).Validate(c.r); err != nil {
		return session.Claims{}, err
	}
	return c.result()
}

// verify checks the signature with a key that the header names, or with one of the secrets.
func (t *Tokens) verify(p parts, h header) error {
	keys := t.candidates(t.source.Current(h.kid), h)
	if len(keys) == 0 {
		return errKey
	}
	for _, k := range keys {
		if k.Algorithm() != h.alg {
			return errAlgorithm // the key picks the algorithm, never the token (RFC 8725, 3.1)
		}
		if methods[k.Algorithm()].Verify(p.signed, p.signature, k.Public()) == nil {
			return nil
		}
	}
	return jwt.ErrTokenSignatureInvalid
}

// candidates returns the keys one of which must have signed a token with header h. Without a kid those are the
// secrets, or the only key pair. SimpleJWT ignores a kid where there is a secret.
func (t *Tokens) candidates(keys *signingkeys.Set, h header) []*signingkeys.Key {
	secret := keys.Signing().ID() == ""
	switch {
	case secret && h.hasKid && t.o.Shape != ShapeSimpleJWT:
		return nil
	case secret, !h.hasKid && len(keys.Keys()) == 1:
		return keys.Keys()
	}
	if k := keys.Find(h.kid); k != nil {
		return []*signingkeys.Key{k}
	}
	return nil
}

func (t *Tokens) validator(now time.Time) *jwt.Validator {
	options := []jwt.ParserOption{jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithIssuedAt()}
	if t.o.Issuer != "" {
		options = append(options, jwt.WithIssuer(t.o.Issuer))
	}
	if t.o.Audience != "" {
		options = append(options, jwt.WithAudience(t.o.Audience))
	}
	return jwt.NewValidator(options...)
}
