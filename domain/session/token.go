package session

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"roster/domain/user"
)

// TokenType is the value of the token_type claim.
type TokenType string

// The token types that the service issues.
const (
	Access  TokenType = "access"
	Refresh TokenType = "refresh"
)

// Claims are the claims of a token. The zero value of a field means that the claim is absent.
type Claims struct {
	Type          TokenType
	ID            string // jti
	User          string // user_id as text, whatever its JSON type; need not be a valid id
	HasUser       bool   // the claim user_id is present, even with a value of a wrong type
	IssuedAt      time.Time
	ExpiresAt     time.Time
	Session       ID     // the session claim; "" for tokens without a session
	Generation    int    // of a refresh token: its generation in the session
	SessionlessID ID     // of a token without a session: the id of its record, see the function SessionlessID
	Extra         []byte // JSON object of all other claims, which a refresh copies; nil for none
}

// CheckRequired checks the claims that follow signature and times, in SimpleJWT's order: it fails with ErrNoExpiry,
// ErrNoTokenID, ErrNoType, or ErrWrongType unless the type is want. An empty want accepts any type, or none.
func (c Claims) CheckRequired(want TokenType) error {
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

// Ended reports whether a token without a session was issued before the sessions of owner were last ended. The iat
// claim has whole seconds and comes from another clock, which may be ahead by the leeway.
func (c Claims) Ended(owner *user.User, r Rules) bool {
	end := owner.SessionsValidAfter()
	return !end.IsZero() && c.IssuedAt.Before(end.Add(r.Leeway).Truncate(time.Second))
}

// idDigits is the length of an ID.
const idDigits = 24

// SessionlessID returns the id of the session record for a token of another issuer without a session claim. The
// record is stored when the token is first used or revoked.
func SessionlessID(jti string) ID {
	sum := sha256.Sum256([]byte("foreign:" + jti))
	return ID(hex.EncodeToString(sum[:])[:idDigits])
}
