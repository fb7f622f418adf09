package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// BrowserSessions implements the use cases about the sessions of browsers. A sign-in is that of Authentication.
type BrowserSessions struct{ a *Authentication }

var _ inbound.BrowserSessions = BrowserSessions{}

// NewBrowserSessions returns the use cases on the ports, the guard and the rules of a.
func NewBrowserSessions(a *Authentication) BrowserSessions { return BrowserSessions{a} }

// Begin ends the previous session before it starts the new one, so that the maximum of sessions does not end another.
func (b BrowserSessions) Begin(ctx context.Context, in inbound.SignIn, previous string) (inbound.BrowserSession, error) {
	u, now, err := b.a.verifySignIn(ctx, in)
	if err != nil {
		return inbound.BrowserSession{}, err
	}
	if err := b.End(ctx, previous); err != nil {
		return inbound.BrowserSession{}, err
	}
	secret := b.a.SessionIDs.NewSecret()
	s := session.StartBrowser(b.a.SessionIDs.NewSessionID(), u, secret, now, b.a.rules, inbound.OriginOf(ctx).Client)
	if err := b.a.addSession(ctx, s, u, now); err != nil {
		return inbound.BrowserSession{}, err
	}
	return browserSession(u, s, session.Cookie{Owner: u.ID(), ID: s.ID(), Secret: secret}.Value()), nil
}

func (b BrowserSessions) Authenticate(ctx context.Context, value string) (inbound.BrowserSession, error) {
	now := b.a.Clock.Now()
	u, s, err := b.find(ctx, value, now)
	if err != nil {
		return inbound.BrowserSession{}, err
	}
	if s.RecordUse(now) {
		// LastUsed is shown in the list of sessions only, so an error does not fail the request.
		_, _ = b.a.Sessions.Update(ctx, s.ID(), func(s *session.Session) error {
			s.RecordUse(now)
			return nil
		})
	}
	return browserSession(u, s, value), nil
}

func (b BrowserSessions) End(ctx context.Context, value string) error {
	now := b.a.Clock.Now()
	u, s, err := b.find(ctx, value, now)
	if errors.Is(err, inbound.ErrNoCredentials) {
		return nil
	}
	if err != nil {
		return err
	}
	var ended bool
	_, err = b.a.Sessions.Update(ctx, s.ID(), func(s *session.Session) error {
		ended = !s.Revoked()
		s.Revoke(now, session.SignedOut)
		return nil
	}, b.a.events(ctx, func() []audit.Event {
		if !ended {
			return nil
		}
		return []audit.Event{{Kind: audit.SignedOut, Actor: u.ID(), User: u.ID(), Session: string(s.ID())}}
	}))
	if errors.Is(err, session.ErrNotFound) { // the user was deleted during the request
		return nil
	}
	return err
}

// find returns the user and the session of a cookie's value that is valid at now. It reads storage once, and not at all
// for text that is no such value.
func (b BrowserSessions) find(ctx context.Context, value string, now time.Time) (*user.User, *session.Session, error) {
	c, err := session.ParseCookie(value)
	if err != nil {
		return nil, nil, inbound.ErrNoCredentials
	}
	u, s, err := b.a.Users.WithSession(ctx, c.Owner, c.ID)
	switch {
	case errors.Is(err, user.ErrNotFound):
		return nil, nil, inbound.ErrNoCredentials
	case err != nil:
		return nil, nil, err
	case s == nil, !u.Active(), !s.AcceptsBrowser(u, c.Secret, now, b.a.rules):
		return nil, nil, inbound.ErrNoCredentials
	}
	return u, s, nil
}

func browserSession(u *user.User, s *session.Session, value string) inbound.BrowserSession {
	return inbound.BrowserSession{
		Actor: inbound.Actor{User: u, Session: s.ID(), SignedIn: s.SignedIn()}, Value: value, Expires: s.Expires(),
	}
}
