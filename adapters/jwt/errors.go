package jwt

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"roster/domain/session"
)

// Why a token is refused, beyond golang-jwt's reasons.
var (
	errForm      = errors.New("not three parts of base64url, or too long")
	errHeader    = errors.New("header is no JSON object with an algorithm")
	errCritical  = errors.New("header asks for an extension")
	errKey       = errors.New("no key of that id")
	errAlgorithm = errors.New("algorithm is not the key's")
	errJSON      = errors.New("no JSON object with distinct names")
	errDepth     = errors.New("nested too deep")
	errName      = errors.New("name of a claim in other letter case")
	errType      = errors.New("claim of a wrong type or out of range")
	errSession   = errors.New("claims sid and gen are no session's")
)

var reasons = []error{
	errForm, errHeader, errCritical, errKey, errAlgorithm, errJSON, errDepth, errName, errType, errSession,
	jwt.ErrTokenExpired, jwt.ErrTokenNotValidYet, jwt.ErrTokenUsedBeforeIssued,
	jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenRequiredClaimMissing,
	jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable, jwt.ErrTokenMalformed,
}

// refusal is session.ErrTokenInvalid with a cause for the log.
type refusal struct{ cause error }

func (r *refusal) Error() string   { return "jwt: " + r.cause.Error() }
func (r *refusal) Unwrap() []error { return []error{session.ErrTokenInvalid, r.cause} }

// refuse keeps of err only which known reason it is: decoders quote what they were given.
func refuse(err error) error {
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return &refusal{reason}
		}
	}
	return &refusal{jwt.ErrTokenMalformed}
}
