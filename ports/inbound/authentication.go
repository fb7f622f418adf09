package inbound

import (
	"context"
	"time"

	"roster/domain/fault"
	"roster/domain/field"
)

// Errors of a sign-in and of the authentication of a request. The messages are those of DRF and SimpleJWT.
var (
	ErrNoAccount     = fault.New(fault.Unauthenticated, "", "No active account found with the given credentials")
	ErrTokenOrphaned = fault.New(fault.Unauthenticated, "", "No active account found for the given token.")
	ErrNoCredentials = fault.New(fault.Unauthenticated, "", "Authentication credentials were not provided.")
	ErrUserNotFound  = fault.New(fault.Unauthenticated, "user_not_found", "User not found")
	ErrUserInactive  = fault.New(fault.Unauthenticated, "user_inactive", "User is inactive")
	ErrForbidden     = fault.New(fault.Forbidden, "", "You do not have permission to perform this action.")
)

// TokenPair is the result of a sign-in or a refresh. Refresh is "" when the refresh token of the request stays in
// use.
type TokenPair struct {
	Access, Refresh               string
	AccessExpires, RefreshExpires time.Time
}

// SignIn holds the fields of a sign-in.
type SignIn struct {
	Email, Password field.Text
	OnlyAddresses   bool // an Email that is no address is a fault; otherwise it is one of no account
}

// Authentication is the group of use cases about tokens. Each method with a token field fails with fault.ErrInvalid
// when the token is absent, null, blank or not text.
type Authentication interface {
	// SignIn starts a session. It fails with ErrNoAccount for a wrong password, an unknown user and an inactive
	// user. These take the same time, so that they cannot be distinguished. It fails with lockout.ErrLocked after
	// too many failures, whether or not the user exists.
	SignIn(ctx context.Context, in SignIn) (TokenPair, error)

	// Refresh returns a new access token and, with rotation, a new refresh token. It fails with a token error of
	// package session, or with ErrTokenOrphaned when the user is deleted or inactive.
	Refresh(ctx context.Context, token field.Text) (TokenPair, error)

	// Verify fails with a token error of package session unless the token, of either type, is valid.
	Verify(ctx context.Context, token field.Text) error

	// SignOut ends the session of a refresh token. It fails with a token error of package session.
	SignOut(ctx context.Context, token field.Text) error

	// Authenticate returns the actor of an access token. It fails with a token error of package session,
	// ErrUserNotFound or ErrUserInactive.
	Authenticate(ctx context.Context, token string) (Actor, error)
}
