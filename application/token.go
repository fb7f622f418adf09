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
func (a *Authentication) parseToken(ctx context.Context, member string, t field.Text, want session.TokenType, now time.Time) (session.Claims, error) {
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

// sessionOf returns the session of a token and the token's generation in it, or nil when there is no record. A token
// without a session claim has a record if it was used or revoked before.
func (a *Authentication) sessionOf(ctx context.Context, c session.Claims) (*session.Session, int, error) {
	for _, key := range []struct {
		id session.ID
		g  int
	}{{c.Session, c.Generation}, {c.SessionlessID, 0}} {
		if key.id == "" {
			continue
		}
		s, err := a.Sessions.Get(ctx, key.id)
		if err == nil {
			if string(s.User()) != c.User {
				err = session.ErrTokenInvalid
			}
			return s, key.g, err
		}
		if !errors.Is(err, session.ErrNotFound) {
			return nil, 0, err
		}
	}
	return nil, 0, nil
}

// owner returns the active user of a refresh token, or fails with ErrTokenOrphaned.
func (a *Authentication) owner(ctx context.Context, c session.Claims) (*user.User, error) {
	id, err := user.ParseID(c.User)
	if err != nil {
		return nil, inbound.ErrTokenOrphaned
	}
	u, err := a.Users.Get(ctx, id)
	if errors.Is(err, user.ErrNotFound) || err == nil && !u.Active() {
		return nil, inbound.ErrTokenOrphaned
	}
	return u, err
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
	return inbound.TokenPair{Access: access, Refresh: refresh}, err
}

// signAccess signs an access token.
func (a *Authentication) signAccess(ctx context.Context, s session.ID, u user.ID, now time.Time, extra []byte) (string, error) {
	return a.Tokens.Sign(ctx, session.Claims{
		Type: session.Access, ID: a.SessionIDs.NewTokenID(), User: string(u), HasUser: true,
		IssuedAt: now, ExpiresAt: now.Add(a.rules.AccessLifetime), Session: s, Extra: extra,
	})
}
