package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/ports/inbound"
)

func (a *Authentication) Verify(ctx context.Context, token field.Text) error {
	now := a.Clock.Now()
	c, err := a.parseToken(ctx, "token", token, "", now)
	if err != nil {
		return err
	}
	if !a.rules.Immediate {
		return a.verifyBlacklist(ctx, c, now)
	}
	switch c.Type {
	case session.Access:
		_, err = a.actor(ctx, c, now)
	case session.Refresh:
		err = a.verifyRefresh(ctx, c, now)
	default:
		err = session.ErrWrongType
	}
	if fault.KindOf(err) == fault.Unauthenticated && !errors.Is(err, session.ErrBlacklisted) {
		err = session.ErrTokenInvalid // do not reveal anything about the user
	}
	return err
}

// verifyBlacklist verifies as SimpleJWT does: it ignores the user, and checks the blacklist only with rotation
// (BLACKLIST_AFTER_ROTATION), which adds used tokens to it.
func (a *Authentication) verifyBlacklist(ctx context.Context, c session.Claims, now time.Time) error {
	if !a.rules.Rotate || c.Type != session.Refresh {
		return nil
	}
	s, g, _, err := a.sessionOf(ctx, c)
	if err != nil || s == nil {
		return err
	}
	if err := s.Check(g, now, a.rules); errors.Is(err, session.ErrBlacklisted) {
		return err
	}
	return nil
}

func (a *Authentication) verifyRefresh(ctx context.Context, c session.Claims, now time.Time) error {
	s, g, owner, err := a.sessionOf(ctx, c)
	switch {
	case err != nil:
		return err
	case owner == nil:
		return inbound.ErrTokenOrphaned
	case s == nil:
		return a.checkSessionless(c, owner)
	}
	if err := s.Check(g, now, a.rules); err != nil {
		return err
	}
	if !s.Live(owner, now, a.rules) {
		return session.ErrTokenInvalid
	}
	return nil
}
