package jwt

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"roster/domain/session"
)

// The reasons for refusing a token, beside those of golang-jwt.
var (
	errForm      = errors.New("not three parts of base64url, or too long")
	errHeader    = errors.New("header is not a JSON object with an algorithm")
	errCritical  = errors.New("header asks for an extension")
	errKey       = errors.New("no key with that id")
	errAlgorithm = errors.New("algorithm is not that of the key")
	errJSON      = errors.New("not a JSON object with distinct names")
	errDepth     = errors.New("nested too deep")
	errName      = errors.New("name of a claim in another letter case")
	errType      = errors.New("claim has the wrong type or is out of range")
	errSession   = errors.New("claims sid and gen are not those of a session")
)

var reasons = []error{
	errForm, errHeader, errCritical, errKey, errAlgorithm, errJSON, errDepth, errName, errType, errSession,
	jwt.ErrTokenExpired, jwt.ErrTokenNotValidYet, jwt.ErrTokenUsedBeforeIssued,
	jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenRequiredClaimMissing,
	jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable, jwt.ErrTokenMalformed,
}

// refusal is session.ErrTokenInvalid with its cause, for the log.
type refusal struct{ cause error }

func (r *refusal) Error() string   { return "jwt: " + r.cause.Error() }
func (r *refusal) Unwrap() []error { return []error{session.ErrTokenInvalid, r.cause} }

// refuse reduces err to one of the reasons: a decoder's error may quote the token.
func refuse(err error) error {
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return &refusal{reason}
		}
	}
	return &refusal{jwt.ErrTokenMalformed}
}
