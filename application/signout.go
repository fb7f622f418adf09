package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
)

// SignOut also ends a token of another issuer without a session: it stores a revoked session for it.
func (a *Authentication) SignOut(ctx context.Context, token field.Text) error {
	now := a.Clock.Now()
	c, err := a.parseToken(ctx, "refresh", token, session.Refresh, now)
	if err != nil {
		return err
	}
	s, g, _, err := a.sessionOf(ctx, c)
	if err != nil {
		return err
	}
	owner, err := user.ParseID(c.User)
	if err != nil || s == nil && (!a.rules.Sessionless || c.SessionlessID == "") {
		return session.ErrTokenInvalid
	}
	if s, err = a.ensureSession(ctx, c, s, owner, 0, now); err != nil {
		return err
	}
	_, err = a.updateSession(ctx, s.ID(), g, audit.SignedOut, func(s *session.Session) error { return s.SignOut(g, now, a.rules) })
	return err
}
