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

// reserved are the claims that Roster reads, besides UserClaim. They are refused in any other letter case, which another
// reader of the token may ignore, as encoding/json does.
var reserved = []string{"token_type", "exp", "iat", "nbf", "jti", "sid", "gen", "iss", "aud", "sub"}

// writes reports whether Sign writes a claim itself. Such a claim is not in session.Claims.Extra.
func (o Options) writes(name string) bool {
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
	options    Options
	parsed     session.Claims
	registered jwt.RegisteredClaims // for golang-jwt's Validator

	hasJTI, hasSID, hasGen bool
	gen                    int64
}

// readClaims reads the payload strictly; see readObject. It replaces a missing iss or aud by the configured one where it
// may be missing, and the aud of refresh tokens too. It subtracts the leeway from nbf and iat, since that of golang-jwt
// would apply to exp as well.
func readClaims(text []byte, o Options) (*claims, error) {
	c := &claims{options: o}
	if o.AllowMissingIssuer {
		c.registered.Issuer, c.registered.Audience = o.Issuer, jwt.ClaimStrings{o.Audience}
	}
	if err := c.read(text); err != nil {
		return nil, err
	}
	if c.parsed.Type == session.Refresh && o.Shape == ShapeSession && slices.Contains(c.registered.Audience, o.refreshAudience()) {
		c.registered.Audience = jwt.ClaimStrings{o.Audience}
	}
	return c, nil
}

func (c *claims) read(text []byte) error {
	var extra object
	err := readObject(text, func(name string, value jsontext.Value) error {
		if c.options.wrongCase(name) {
			return errName
		}
		if !c.options.writes(name) {
			extra.raw(name, value)
			if name == "sid" || name == "gen" || name == "sub" {
				return nil
			}
		}
		return c.member(name, value)
	})
	if extra.members > 0 {
		c.parsed.Extra = extra.bytes()
	}
	return err
}

func (c *claims) member(name string, value jsontext.Value) (err error) {
	switch name {
	case c.options.UserClaim:
		c.parsed.HasUser, c.parsed.User = true, userID(value)
	case "token_type":
		var s string
		s, err = asText(value)
		c.parsed.Type = session.TokenType(s)
	case "exp":
		c.parsed.ExpiresAt, err = instant(value)
		c.registered.ExpiresAt = &jwt.NumericDate{Time: c.parsed.ExpiresAt}
	case "iat":
		c.parsed.IssuedAt, err = instant(value)
		c.registered.IssuedAt = &jwt.NumericDate{Time: c.parsed.IssuedAt.Add(-c.options.Leeway)}
	case "nbf":
		var s float64
		s, err = seconds(value)
		c.registered.NotBefore = &jwt.NumericDate{Time: time.Unix(int64(math.Ceil(s)), 0).Add(-c.options.Leeway)} // rounded up: never early
	case "jti":
		c.parsed.ID, err = asText(value)
		c.hasJTI = true
	case "sid":
		var s string
		s, err = asText(value)
		c.parsed.Session, c.hasSID = session.ID(s), true
	case "gen":
		var ok bool
		if c.gen, ok = integer(value); !ok || c.gen < 0 || c.gen >= accessBit {
			err = errSession
		}
		c.hasGen = true
	case "iss":
		if c.options.Issuer != "" {
			c.registered.Issuer, err = asText(value)
		}
	case "aud": // a text or a list of texts (RFC 7519, 4.1.3)
		if c.options.Audience != "" {
			c.registered.Audience, err = asTexts(value)
		}
	}
	return err
}

// instant reads a NumericDate and discards its fraction, as PyJWT does.
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

// result returns the claims if they are consistent. It has a value receiver, since remembered claims are shared.
func (c claims) result() (session.Claims, error) {
	refresh := c.parsed.Type == session.Refresh
	switch {
	case c.hasSID:
		if !isHex(string(c.parsed.Session), sessionDigits) || refresh && !c.hasGen {
			return session.Claims{}, errSession
		}
		if refresh {
			c.parsed.Generation = int(c.gen)
		}
	case c.hasJTI && c.parsed.ID != "":
		c.parsed.SessionlessID = session.SessionlessID(c.parsed.ID)
		if c.options.InferSession {
			c.parsed.Session, c.parsed.Generation = infer(c.parsed.Type, c.parsed.ID)
		}
		if c.parsed.Session != "" && ownRefresh(c.parsed.Type, c.parsed.ID, c.parsed.Generation) {
			c.parsed.SessionlessID = "" // it is valid with its session only
		}
	}
	return c.parsed, nil
}
