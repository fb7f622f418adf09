package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

func (a *Authentication) Authenticate(ctx context.Context, token string) (inbound.Actor, error) {
	now := a.Clock.Now()
	c, err := a.Tokens.Parse(ctx, token, now)
	if err == nil {
		err = a.checkClaims(c, session.Access, now)
	}
	if err != nil {
		return inbound.Actor{}, err
	}
	return a.actor(ctx, c, now)
}

// actor returns the actor of an access token. It reads the user on each request, as SimpleJWT does, and the session
// too, since either may have changed after the token was signed.
func (a *Authentication) actor(ctx context.Context, c session.Claims, now time.Time) (inbound.Actor, error) {
	if !c.HasUser {
		return inbound.Actor{}, session.ErrNoUserClaim
	}
	id, err := user.ParseID(c.User)
	if err != nil {
		return inbound.Actor{}, inbound.ErrUserNotFound
	}
	u, s, _, err := a.withSession(ctx, id, c)
	switch {
	case errors.Is(err, user.ErrNotFound):
		return inbound.Actor{}, inbound.ErrUserNotFound
	case u != nil && !u.Active():
		return inbound.Actor{}, inbound.ErrUserInactive
	case err != nil:
		return inbound.Actor{}, err
	case s == nil:
		return inbound.Actor{User: u, Issued: c.IssuedAt}, a.checkSessionless(c, u)
	case !s.AcceptsAccess(u, now, a.rules):
		return inbound.Actor{}, session.ErrTokenInvalid
	}
	return inbound.Actor{User: u, Session: s.ID(), Issued: c.IssuedAt}, nil
}

// reauthenticate reads the actor's user and session again. It fails when the token of the request is no longer
// valid: when the user was deleted or deactivated, or the session ended, since the request began.
func (p Ports) reauthenticate(ctx context.Context, actor inbound.Actor, now time.Time, r session.Rules) (inbound.Actor, error) {
	u, s, err := p.Users.WithSession(ctx, actor.User.ID(), actor.Session)
	switch {
	case errors.Is(err, user.ErrNotFound):
		return actor, inbound.ErrUserNotFound
	case err != nil:
		return actor, err
	case !u.Active():
		return actor, inbound.ErrUserInactive
	case actor.Session == "" && u.SessionEpoch() != actor.User.SessionEpoch(),
		actor.Session != "" && (s == nil || !s.AcceptsAccess(u, now, r)):
		return actor, session.ErrTokenInvalid
	}
	actor.User = u
	return actor, nil
}
