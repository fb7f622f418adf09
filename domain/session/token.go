package session

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"roster/domain/user"
)

// TokenType tells access and refresh tokens apart (claim token_type).
type TokenType string

// The token types that the service issues.
const (
	Access  TokenType = "access"
	Refresh TokenType = "refresh"
)

// Claims is what a token says. The zero value of a member means that the claim is absent.
type Claims struct {
	Type       TokenType
	ID         string // jti
	User       string // user_id: an id in its text form, whatever type the claim had; may be no id at all
	HasUser    bool   // the claim user_id is there, even if null or of a useless type
	IssuedAt   time.Time
	ExpiresAt  time.Time
	Session    ID     // the session that the token names; "" when it names none
	Generation int    // of a refresh token: which one of its session's
	Foreign    ID     // the id under which a token that names no session is remembered
	Extra      []byte // JSON object of all further claims, to be carried over; nil when there are none
}

// CheckShape makes the checks that follow those of signature and time, in SimpleJWT's order: expiry
// there, id there, type there and as wanted. An empty want accepts any type, or none.
func (c Claims) CheckShape(want TokenType) error {
	switch {
	case c.ExpiresAt.IsZero():
		return ErrNoExpiry
	case c.ID == "":
		return ErrNoTokenID
	case want == "":
		return nil
	case c.Type == "":
		return ErrNoType
	case c.Type != want:
		return ErrWrongType
	}
	return nil
}

// Ended reports whether a token that has no session is from before owner's sessions were ended. Its iat
// counts whole seconds and comes from another clock, which may be ahead by the leeway.
func (c Claims) Ended(owner *user.User, r Rules) bool {
	end := owner.SessionsValidAfter()
	return !end.IsZero() && c.IssuedAt.Before(end.Add(r.Leeway).Truncate(time.Second))
}

// foreignDigits is how many digits an ID has.
const foreignDigits = 24

// ForeignID returns the id under which a token of another issuer, which names no session, is
// remembered once it was used or revoked.
func ForeignID(jti string) ID {
	sum := sha256.Sum256([]byte("foreign:" + jti))
	return ID(hex.EncodeToString(sum[:])[:foreignDigits])
}
