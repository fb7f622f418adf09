package inbound

import (
	"context"

	"roster/domain/fault"
	"roster/domain/field"
)

// Failures of signing in and of authenticating a request. Texts are DRF's and SimpleJWT's.
var (
	ErrNoAccount     = fault.New(fault.Unauthenticated, "", "No active account found with the given credentials")
	ErrTokenOrphaned = fault.New(fault.Unauthenticated, "", "No active account found for the given token.")
	ErrNoCredentials = fault.New(fault.Unauthenticated, "", "Authentication credentials were not provided.")
	ErrUserNotFound  = fault.New(fault.Unauthenticated, "user_not_found", "User not found")
	ErrUserInactive  = fault.New(fault.Unauthenticated, "user_inactive", "User is inactive")
	ErrForbidden     = fault.New(fault.Forbidden, "", "You do not have permission to perform this action.")
)

// TokenPair is what a sign-in or a refresh gives. Refresh is "" when the old one stays in use.
type TokenPair struct{ Access, Refresh string }

// SignIn is what somebody shows to sign in.
type SignIn struct {
	Email, Password field.Text
}

// Authentication is the conversation about tokens. Besides what its methods name, a token member that
// is absent, null, blank or no text is fault.ErrInvalid.
type Authentication interface {
	// SignIn starts a session. ErrNoAccount answers wrong passwords, unknown and inactive users
	// alike, at the same cost, and so does lockout.ErrLocked after too many of them.
	SignIn(ctx context.Context, in SignIn) (TokenPair, error)

	// Refresh gives a new access token for a refresh token, and with rotation a new refresh token.
	// It fails with one of session's token errors, or ErrTokenOrphaned when the user is gone or
	// inactive.
	Refresh(ctx context.Context, token field.Text) (TokenPair, error)

	// Verify tells whether a token of any type is good, or why not.
	Verify(ctx context.Context, token field.Text) error

	// SignOut ends the session of a refresh token.
	SignOut(ctx context.Context, token field.Text) error

	// Authenticate returns the actor whom an access token stands for. It fails with one of
	// session's token errors, session.ErrNoUserClaim, ErrUserNotFound or ErrUserInactive.
	Authenticate(ctx context.Context, token string) (Actor, error)
}
