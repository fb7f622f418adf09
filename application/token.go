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

// parse checks a token member: first that it is text, then the token itself.
func (a *Authentication) parse(ctx context.Context, member string, t field.Text, want session.TokenType, now time.Time) (session.Claims, error) {
	text, _, faults := field.Rule{Name: member, Required: true}.Check(t)
	if len(faults) > 0 {
		return session.Claims{}, fault.ErrInvalid.With(faults...)
	}
	c, err := a.Tokens.Parse(ctx, text, now)
	if err != nil {
		return c, err
	}
	return c, a.checked(c, want, now)
}

// checked checks what every token has to fulfil, beyond its signature and times.
func (a *Authentication) checked(c session.Claims, want session.TokenType, now time.Time) error {
	if err := c.CheckShape(want); err != nil {
		return err
	}
	if a.rules.Outlived(c.IssuedAt, now) {
		return session.ErrTokenInvalid
	}
	return nil
}

// sessionOf returns the session that a token belongs to and the token's generation in it, or nil when
// there is no record. A token without a session claim may have been remembered under its own name.
func (a *Authentication) sessionOf(ctx context.Context, c session.Claims) (*session.Session, int, error) {
	for _, at := range []struct {
		id session.ID
		g  int
	}{{c.Session, c.Generation}, {c.Foreign, 0}} {
		if at.id == "" {
			continue
		}
		s, err := a.Sessions.Get(ctx, at.id)
		if err == nil {
			if string(s.User()) != c.User {
				err = session.ErrTokenInvalid
			}
			return s, at.g, err
		}
		if !errors.Is(err, session.ErrNotFound) {
			return nil, 0, err
		}
	}
	return nil, 0, nil
}

// owner returns the active user of a refresh token, or ErrTokenOrphaned.
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

// sessionless judges a token of which there is no session: SimpleJWT's, where they are honoured, and
// not from before the owner's sessions were ended. A token that names a session that is not there is no
// such token.
func (a *Authentication) sessionless(c session.Claims, owner *user.User) error {
	if !a.rules.Sessionless || c.Foreign == "" || c.Ended(owner, a.rules) {
		return session.ErrTokenInvalid
	}
	return nil
}

// pair signs an access token and, with rotation or at a sign-in, the session's present refresh token.
func (a *Authentication) pair(ctx context.Context, s *session.Session, now time.Time, extra []byte) (inbound.TokenPair, error) {
	access, err := a.access(ctx, s.ID(), s.User(), now, extra)
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

func (a *Authentication) access(ctx context.Context, s session.ID, u user.ID, now time.Time, extra []byte) (string, error) {
	return a.Tokens.Sign(ctx, session.Claims{
		Type: session.Access, ID: a.SessionIDs.NewTokenID(), User: string(u), HasUser: true,
		IssuedAt: now, ExpiresAt: now.Add(a.rules.AccessLifetime), Session: s, Extra: extra,
	})
}
