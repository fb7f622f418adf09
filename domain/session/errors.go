package session

import "roster/domain/fault"

// Failures of tokens and sessions. Code and texts are SimpleJWT's (5.2), which clients match on.
var (
	ErrTokenInvalid = fault.New(fault.Unauthenticated, "token_not_valid", "Token is invalid or expired")
	ErrWrongType    = fault.New(fault.Unauthenticated, "token_not_valid", "Token has wrong type")
	ErrNoExpiry     = fault.New(fault.Unauthenticated, "token_not_valid", "Token has no 'exp' claim")
	ErrNoTokenID    = fault.New(fault.Unauthenticated, "token_not_valid", "Token has no id")
	ErrNoType       = fault.New(fault.Unauthenticated, "token_not_valid", "Token has no type")
	ErrBlacklisted  = fault.New(fault.Unauthenticated, "token_not_valid", "Token is blacklisted")
	ErrNoUserClaim  = fault.New(fault.Unauthenticated, "token_not_valid", "Token contained no recognizable user identification")

	ErrNotFound = fault.New(fault.NotFound, "session_not_found", "Not found.")

	// ErrExists is storage's answer about session records; callers of the service never see it.
	ErrExists   = fault.New(fault.Conflict, "session_exists", "a session with this id already exists")
	ErrBadState = fault.New(fault.Internal, "bad_session", "stored session breaks a rule")
)
