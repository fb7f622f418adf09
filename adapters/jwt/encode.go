package jwt

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/session"
	"roster/domain/user"
)

// The errors of claims that cannot be signed. Each is a bug of the caller.
var (
	errNoExpiry  = errors.New("jwt: claims without an expiry")
	errTime      = errors.New("jwt: time out of range")
	errBadSID    = errors.New("jwt: invalid session id, or its generation out of range")
	errBadText   = errors.New("jwt: claim is not UTF-8")
	errBadExtras = errors.New("jwt: further claims are not a JSON object")
)

// payload returns the claims as JSON, in SimpleJWT's order.
func (t *Tokens) payload(c session.Claims) ([]byte, error) {
	jti, err := t.jti(c)
	if err != nil {
		return nil, err
	}
	if c.ExpiresAt.IsZero() {
		return nil, errNoExpiry
	}
	var o object
	o.textUnlessEmpty("token_type", string(c.Type))
	o.time("exp", c.ExpiresAt)
	if !c.IssuedAt.IsZero() {
		o.time("iat", c.IssuedAt)
	}
	o.textUnlessEmpty("jti", jti)
	o.user(t.o.UserClaim, c)
	if t.o.Shape == ShapeSession && c.Session != "" {
		o.text("sid", string(c.Session))
		if c.Type == session.Refresh {
			o.number("gen", int64(c.Generation))
		}
	}
	o.textUnlessEmpty("iss", t.o.Issuer)
	switch {
	case t.o.Shape == ShapeSession && c.Type == session.Refresh:
		o.text("aud", t.o.refreshAudience())
	default:
		o.textUnlessEmpty("aud", t.o.Audience)
	}
	if t.o.Shape == ShapeSession && c.Type == session.Access && t.o.UserClaim != "sub" {
		o.textUnlessEmpty("sub", c.User)
	}
	if len(c.Extra) > 0 {
		err := readObject(c.Extra, func(name string, value jsontext.Value) error {
			if !t.o.writes(name) && !t.o.wrongCase(name) {
				o.raw(name, value)
			}
			return nil
		})
		if err != nil {
			return nil, errBadExtras
		}
	}
	return o.bytes(), o.err
}

// jti returns the token's id, which contains the session's where there is one.
func (t *Tokens) jti(c session.Claims) (string, error) {
	switch {
	case c.Session == "":
		return c.ID, nil
	case !isHex(string(c.Session), sessionDigits) || c.Generation < 0 || c.Generation >= accessBit:
		return "", errBadSID
	case c.Type == session.Refresh:
		return refreshJTI(c.Session, c.Generation), nil
	case t.o.Shape == ShapeSimpleJWT:
		return accessJTI(c.Session), nil
	}
	return c.ID, nil
}

// object builds a JSON object; it keeps the first failure.
type object struct {
	b       []byte
	members int
	err     error
}

func (o *object) raw(name string, value []byte) {
	if o.members++; o.members == 1 {
		o.b = append(o.b, '{')
	} else {
		o.b = append(o.b, ',')
	}
	b, err := jsontext.AppendQuote(o.b, name)
	if err != nil {
		o.err = errBadText
		return
	}
	o.b = append(append(b, ':'), value...)
}

func (o *object) text(name, value string) {
	b, err := jsontext.AppendQuote(nil, value)
	if err != nil {
		o.err = errBadText
		return
	}
	o.raw(name, b)
}

func (o *object) textUnlessEmpty(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) number(name string, n int64) { o.raw(name, strconv.AppendInt(nil, n, 10)) }

func (o *object) time(name string, at time.Time) {
	n := at.Unix()
	if n < 1 || n > maxSeconds {
		o.err = fmt.Errorf("%w: %s", errTime, name)
		return
	}
	o.number(name, n)
}

// user writes a counted id as a number, as SimpleJWT did for such a primary key; Django reads both. null preserves a claim
// without a user.
func (o *object) user(claim string, c session.Claims) {
	n, counted := user.ID(c.User).Integer()
	switch {
	case counted && strconv.FormatInt(n, 10) == c.User && claim != "sub": // a text by RFC 7519, 4.1.2
		o.number(claim, n)
	case c.User != "":
		o.text(claim, c.User)
	case c.HasUser:
		o.raw(claim, []byte("null"))
	}
}

func (o *object) bytes() []byte {
	if o.members == 0 {
		return []byte("{}")
	}
	return append(o.b, '}')
}
