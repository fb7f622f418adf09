package jwt

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"roster/domain/session"
)

// reserved are the claims that Roster reads, beside the user's. They are refused in any other letter case, which another
// reader of the token may ignore, as encoding/json does.
var reserved = []string{"token_type", "exp", "iat", "nbf", "jti", "sid", "gen", "iss", "aud", "sub"}

// written reports whether Sign itself writes a claim, so that it is none of session.Claims.Extra.
func (o Options) written(name string) bool {
	switch name {
	case "token_type", "exp", "iat", "jti", o.UserClaim:
		return true
	case "sid", "gen", "sub": // in SimpleJWT's shape they are claims of an application
		return o.Shape == ShapeSession
	case "iss":
		return o.Issuer != ""
	case "aud":
		return o.Audience != "" || o.Shape == ShapeSession
	}
	return false
}

// wrongCase reports whether a claim differs from a reserved one only in the case of its letters.
func (o Options) wrongCase(name string) bool {
	other := func(k string) bool { return name != k && strings.EqualFold(name, k) }
	return other(o.UserClaim) || slices.ContainsFunc(reserved, other)
}

// refreshAudience returns the aud of refresh tokens, which is not that of access tokens.
func (o Options) refreshAudience() string {
	if o.Audience == "" {
		return "refresh"
	}
	return o.Audience + "/refresh"
}

// claims is a payload while it is read.
type claims struct {
	o Options
	c session.Claims
	r jwt.RegisteredClaims // for golang-jwt's Validator

	hasJTI, hasSID, hasGen bool
	gen                    int64
}

// readClaims reads the payload strictly; see readObject. It replaces a missing iss or aud by the configured one where it
// may be missing, and the aud of refresh tokens too. It subtracts the leeway from nbf and iat, since that of golang-jwt
// would apply to exp as well.
func readClaims(text []byte, o Options) (*claims, error) {
	c := &claims{o: o}
	if o.AllowMissingIssuer {
		c.r.Issuer, c.r.Audience = o.Issuer, jwt.ClaimStrings{o.Audience}
	}
	if err := c.read(text); err != nil {
		return nil, err
	}
	if c.c.Type == session.Refresh && o.Shape == ShapeSession && slices.Contains(c.r.Audience, o.refreshAudience()) {
		c.r.Audience = jwt.ClaimStrings{o.Audience}
	}
	return c, nil
}

func (c *claims) read(text []byte) error {
	var extra object
	err := readObject(text, func(name string, value jsontext.Value) error {
		if c.o.wrongCase(name) {
			return errName
		}
		if !c.o.written(name) {
			extra.raw(name, value)
			if name == "sid" || name == "gen" || name == "sub" {
				return nil
			}
		}
		return c.member(name, value)
	})
	if extra.members > 0 {
		c.c.Extra = extra.bytes()
	}
	return err
}

func (c *claims) member(name string, value jsontext.Value) (err error) {
	switch name {
	case c.o.UserClaim:
		c.c.HasUser, c.c.User = true, userID(value)
	case "token_type":
		var s string
		s, err = asText(value)
		c.c.Type = session.TokenType(s)
	case "exp":
		c.c.ExpiresAt, err = instant(value)
		c.r.ExpiresAt = &jwt.NumericDate{Time: c.c.ExpiresAt}
	case "iat":
		c.c.IssuedAt, err = instant(value)
		c.r.IssuedAt = &jwt.NumericDate{Time: c.c.IssuedAt.Add(-c.o.Leeway)}
	case "nbf":
		var s float64
		s, err = seconds(value)
		c.r.NotBefore = &jwt.NumericDate{Time: time.Unix(int64(math.Ceil(s)), 0).Add(-c.o.Leeway)} // rounded up: never early
	case "jti":
		c.c.ID, err = asText(value)
		c.hasJTI = true
	case "sid":
		var s string
		s, err = asText(value)
		c.c.Session, c.hasSID = session.ID(s), true
	case "gen":
		var ok bool
		if c.gen, ok = integer(value); !ok || c.gen < 0 || c.gen >= accessBit {
			err = errSession
		}
		c.hasGen = true
	case "iss":
		if c.o.Issuer != "" {
			c.r.Issuer, err = asText(value)
		}
	case "aud": // a text or a list of texts (RFC 7519, 4.1.3)
		if c.o.Audience != "" {
			c.r.Audience, err = asTexts(value)
		}
	}
	return err
}

// instant cuts to whole seconds, as PyJWT does: a token ends with the second before its fraction.
func instant(value jsontext.Value) (time.Time, error) {
	s, err := seconds(value)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(int64(s), 0).UTC(), nil
}

// userID returns the id as text, "" when it cannot be one: SimpleJWT wrote numbers up to 5.5.0 and texts since then, and
// Django reads both.
func userID(value jsontext.Value) string {
	switch value.Kind() {
	case '"':
		s, err := asText(value)
		if err != nil {
			return ""
		}
		return s
	case '0':
		if n, ok := integer(value); ok {
			return strconv.FormatInt(n, 10)
		}
	}
	return ""
}

// result returns the claims if they fit together. It changes its own copy, since remembered claims are shared.
func (c claims) result() (session.Claims, error) {
	refresh := c.c.Type == session.Refresh
	switch {
	case c.hasSID:
		if !isHex(string(c.c.Session), sessionDigits) || refresh && !c.hasGen {
			return session.Claims{}, errSession
		}
		if refresh {
			c.c.Generation = int(c.gen)
		}
	case c.hasJTI && c.c.ID != "":
		c.c.SessionlessID = session.SessionlessID(c.c.ID)
		if c.o.InferSession {
			c.c.Session, c.c.Generation = infer(c.c.Type, c.c.ID)
		}
		if c.c.Session != "" && ownRefresh(c.c.Type, c.c.ID, c.c.Generation) {
			c.c.SessionlessID = "" // it is valid with its session only
		}
	}
	return c.c, nil
}
