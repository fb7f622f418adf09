package inbound

import (
	"context"
	"time"

	"roster/domain/fault"
)

// ErrSignInAgain refuses an operation that needs a password given within the last five minutes, for an actor with a
// browser session that began earlier: the deletion of a user, also of an invited one; changes of the staff flag, of a password
// and of an email address, unless the current password is given with them; the end of another user's sessions; and changes of
// the signing keys. A deactivation needs none: it can be undone.
var ErrSignInAgain = fault.New(fault.Forbidden, "sign_in_again",
	"This needs a recent sign-in: give your password again, then repeat the request.")

// BrowserSession is a session that a browser holds in a cookie.
type BrowserSession struct {
	Actor   Actor
	Value   string // of the cookie; a secret
	Expires time.Time
}

// BrowserSessions is the group of use cases about the sessions of browsers. They are the sessions of Sessions, with a
// secret in place of tokens. A browser session ends a fixed time after its sign-in.
type BrowserSessions interface {
	// Begin signs in and starts a session. It fails as Authentication.SignIn does. previous is the value of the cookie
	// that the browser sent, "" for none; if it is valid, its session ends. Authentication anew is another Begin.
	Begin(ctx context.Context, in SignIn, previous string) (BrowserSession, error)

	// Authenticate returns the session of a cookie's value. It fails with ErrNoCredentials unless the value is valid,
	// whatever the reason, since anyone can make up a value: it becomes invalid when the session ends, when its user is
	// deleted or deactivated, and when its user gets or loses the staff flag.
	Authenticate(ctx context.Context, value string) (BrowserSession, error)

	// End ends the session of a cookie's value. It does nothing for a value that is not valid.
	End(ctx context.Context, value string) error
}
