package session

import "roster/domain/fault"

// Errors about tokens and sessions. Codes and messages of tokens are those of SimpleJWT (5.2); clients match on
// them.
var (
	ErrTokenInvalid = fault.New(fault.Unauthenticated, "token_not_valid", "Token is invalid or expired")
	ErrWrongType    = fault.New(fault.Unauthenticated, "token_not_valid", "Token has wrong type")
	ErrNoExpiry     = fault.New(fault.Unauthenticated, "token_not_valid", "Token has no 'exp' claim")
	ErrNoTokenID    = fault.New(fault.Unauthenticated, "token_not_valid", "Token has no id")
	ErrNoType       = fault.New(fault.Unauthenticated, "token_not_valid", "Token has no type")
	ErrBlacklisted  = fault.New(fault.Unauthenticated, "token_not_valid", "Token is blacklisted")
	ErrNoUserClaim  = fault.New(fault.Unauthenticated, "token_not_valid", "Token contained no recognizable user identification")

	ErrNotFound = fault.New(fault.NotFound, "session_not_found", "Not found.")

	// ErrExists is returned by storage only; clients never see it.
	ErrExists   = fault.New(fault.Conflict, "session_exists", "a session with this id already exists")
	ErrBadState = fault.New(fault.Internal, "bad_session", "stored session breaks a rule")
)
