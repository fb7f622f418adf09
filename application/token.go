package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// parseToken checks that a token field is text and returns the claims of the token.
func (a *Authentication) parseToken(
	ctx context.Context, member string, t field.Text, want session.TokenType, now time.Time,
) (session.Claims, error) {
	text, _, faults := field.Rule{Name: member, Required: true}.Check(t)
	if len(faults) > 0 {
		return session.Claims{}, fault.ErrInvalid.With(faults...)
	}
	c, err := a.Tokens.Parse(ctx, text, now)
	if err != nil {
		return c, err
	}
	return c, a.checkClaims(c, want, now)
}

// checkClaims checks the claims of a token beyond its signature and times.
func (a *Authentication) checkClaims(c session.Claims, want session.TokenType, now time.Time) error {
	if err := c.CheckRequired(want); err != nil {
		return err
	}
	if a.rules.PastMaxLifetime(c.IssuedAt, now) {
		return session.ErrTokenInvalid
	}
	return nil
}

// withSession returns the user with an id, the session of a token and the token's generation in it. The session is nil
// when there is no record. It fails with user.ErrNotFound, and with session.ErrTokenInvalid and the user when the
// session is another user's.
func (a *Authentication) withSession(ctx context.Context, id user.ID, c session.Claims) (*user.User, *session.Session, int, error) {
	key, g := c.Session, c.Generation
	if key == "" {
		key, g = c.SessionlessID, 0
	}
	u, s, err := a.Users.WithSession(ctx, id, key)
	if err == nil && s == nil && key != c.SessionlessID {
		s, err = a.session(ctx, c.SessionlessID)
		g = 0
	}
	if err == nil && s != nil && string(s.User()) != c.User {
		s, err = nil, session.ErrTokenInvalid
	}
	return u, s, g, err
}

// session returns a session, or nil when there is none.
func (a *Authentication) session(ctx context.Context, id session.ID) (*session.Session, error) {
	if id == "" {
		return nil, nil
	}
	s, err := a.Sessions.Get(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	return s, err
}

// sessionOf returns the session of a token, the token's generation in it, and its active user. The session is nil when
// there is no record. A token without a session claim has a record if it was used or revoked before. The user is nil
// when there is no such user or it is inactive.
func (a *Authentication) sessionOf(ctx context.Context, c session.Claims) (*session.Session, int, *user.User, error) {
	id, err := user.ParseID(c.User)
	if err != nil {
		id = "" // no user has it
	}
	u, s, g, err := a.withSession(ctx, id, c)
	if errors.Is(err, user.ErrNotFound) { // the token may be revoked all the same
		g = c.Generation
		if s, err = a.session(ctx, c.Session); err == nil && s == nil {
			g = 0
			s, err = a.session(ctx, c.SessionlessID)
		}
		if err == nil && s != nil && string(s.User()) != c.User {
			err = session.ErrTokenInvalid
		}
		u = nil
	}
	if u != nil && !u.Active() {
		u = nil
	}
	return s, g, u, err
}

// checkSessionless checks a token without a session record. It accepts tokens without a session claim, as SimpleJWT
// issues them, if the rules do and they were not ended. It refuses a token whose session claim names a missing
// session.
func (a *Authentication) checkSessionless(c session.Claims, owner *user.User) error {
	if !a.rules.Sessionless || c.SessionlessID == "" || c.Ended(owner, a.rules) {
		return session.ErrTokenInvalid
	}
	return nil
}

// signPair signs an access token and the current refresh token of a session.
func (a *Authentication) signPair(ctx context.Context, s *session.Session, now time.Time, extra []byte) (inbound.TokenPair, error) {
	access, err := a.signAccess(ctx, s.ID(), s.User(), now, extra)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	refresh, err := a.Tokens.Sign(ctx, session.Claims{
		Type: session.Refresh, User: string(s.User()), HasUser: true,
		IssuedAt: s.Issued(), ExpiresAt: s.RefreshExpires(a.rules),
		Session: s.ID(), Generation: s.Generation(), Extra: extra,
	})
	return inbound.TokenPair{
		Access: access, Refresh: refresh, AccessExpires: now.Add(a.rules.AccessLifetime), RefreshExpires: s.RefreshExpires(a.rules),
	}, err
}

// signAccess signs an access token.
func (a *Authentication) signAccess(ctx context.Context, s session.ID, u user.ID, now time.Time, extra []byte) (string, error) {
	return a.Tokens.Sign(ctx, session.Claims{
		Type: session.Access, ID: a.SessionIDs.NewTokenID(), User: string(u), HasUser: true,
		IssuedAt: now, ExpiresAt: now.Add(a.rules.AccessLifetime), Session: s, Extra: extra,
	})
}
