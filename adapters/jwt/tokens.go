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

// Shape is which claims of a token hold its session.
type Shape int

const (
	// ShapeSession has the claims sid and, in refresh tokens, gen. Access tokens have sub (RFC 9068) too, and refresh
	// tokens another aud and typ, so that a service that ignores token_type does not accept them as access tokens.
	ShapeSession Shape = iota
	// ShapeSimpleJWT has exactly the header and claims of djangorestframework-simplejwt. The session is inside jti, which
	// has the form of SimpleJWT's: 24 digits of the session and 8 of the token.
	ShapeSimpleJWT
)

// Options are the claims of tokens beside a session's, and what Parse requires.
type Options struct {
	Shape    Shape
	Issuer   string // claim iss; "" for none
	Audience string // claim aud; "" for none, of refresh tokens in ShapeSession see refreshAudience

	// UserClaim is the claim that holds the user's id; "" for user_id.
	UserClaim string

	// Leeway is by how much nbf and iat of a token may be after now: the issuer's clock may be ahead. exp has no leeway.
	Leeway time.Duration
	// AllowMissingIssuer accepts tokens without iss or aud, such as those from before these were configured.
	AllowMissingIssuer bool
	// InferSession reads the session from jti where there is no sid, as ShapeSimpleJWT writes it. The jti of another
	// issuer may look like one; then there is no such session.
	InferSession bool
}

// Tokens signs and verifies tokens. It is safe for concurrent use and never prints its keys.
type Tokens struct {
	source   signingkeys.Source
	o        Options
	verified verified
}

// New makes Tokens that sign and verify with the current keys of source.
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

// Sign returns the token of c. The jti of a session's refresh token depends only on its generation; an access token has
// c.ID, or in ShapeSimpleJWT a jti of its session. Times are truncated to seconds. Sign fails on claims that Parse would
// refuse, and on those without an expiry.
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

// Parse returns the claims of a token if it is well-formed, signed with one of the keys and valid at now. Its error matches
// session.ErrTokenInvalid and has the cause, but no text of the token. Parse accepts a token without exp, which
// session.Claims.CheckShape refuses with its own message. exp must be after now, nbf and iat not after now and the leeway.
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
	keys := t.source.Current("") // before the verification: with later keys, the token is not remembered
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
	if err := t.validator(now).Validate(c.registered); err != nil {
		return session.Claims{}, err
	}
	return c.result()
}

// verify checks the signature with the key that the header names, or with the secrets.
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

// candidates returns the keys that may have signed a token with header h. Without a kid these are the secrets, or the only
// key pair. SimpleJWT ignores a kid where there is a secret.
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
