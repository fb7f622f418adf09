package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Refresh implements inbound.Authentication.
func (a *Authentication) Refresh(ctx context.Context, token field.Text) (inbound.TokenPair, error) {
	now := a.Clock.Now()
	c, err := a.parse(ctx, "refresh", token, session.Refresh, now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, g, err := a.sessionOf(ctx, c)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	if s != nil && s.Revoked() {
		return inbound.TokenPair{}, session.ErrBlacklisted
	}
	owner, err := a.owner(ctx, c)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	switch {
	case s == nil && a.sessionless(c, owner) != nil, s != nil && !s.Live(owner, now, a.rules):
		return inbound.TokenPair{}, session.ErrTokenInvalid
	case a.rules.Rotate:
		return a.rotate(ctx, c, s, g, owner, now)
	case s == nil:
		return a.renewed(ctx, "", owner.ID(), now, c.Extra)
	}
	if err := s.Check(g, now, a.rules); err != nil {
		return inbound.TokenPair{}, err
	}
	if s.Use(now) {
		// For the list of sessions alone: that it could not be noted is no reason to refuse.
		_, _ = a.Sessions.Update(ctx, s.ID(), func(s *session.Session) error {
			s.Use(now)
			return nil
		})
	}
	return a.renewed(ctx, s.ID(), owner.ID(), now, c.Extra)
}

// renewed answers a refresh that does not rotate.
func (a *Authentication) renewed(ctx context.Context, s session.ID, owner user.ID, now time.Time, extra []byte) (inbound.TokenPair, error) {
	access, err := a.access(ctx, s, owner, now, extra)
	if err == nil {
		a.refreshed(ctx, s, owner)
	}
	return inbound.TokenPair{Access: access}, err
}

func (a *Authentication) refreshed(ctx context.Context, s session.ID, owner user.ID) {
	a.Record(ctx, audit.Event{Kind: audit.Refreshed, Actor: owner, User: owner, Session: string(s)})
}

func (a *Authentication) rotate(ctx context.Context, c session.Claims, s *session.Session, g int, owner *user.User, now time.Time) (inbound.TokenPair, error) {
	s, err := a.ensureSession(ctx, c, s, owner.ID(), owner.SessionEpoch(), now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, err = a.update(ctx, s.ID(), func(s *session.Session) error {
		if !s.Revoked() && !s.Live(owner, now, a.rules) {
			return session.ErrTokenInvalid
		}
		return s.Rotate(g, now, a.rules)
	})
	if err != nil {
		a.reused(ctx, s, g, err)
		return inbound.TokenPair{}, err
	}
	pair, err := a.pair(ctx, s, now, c.Extra)
	if err == nil {
		a.refreshed(ctx, s.ID(), owner.ID())
	}
	return pair, err
}

// reused records that a used refresh token came again, if that is why it was refused.
func (a *Authentication) reused(ctx context.Context, s *session.Session, g int, refusal error) {
	if s == nil || g >= s.Generation() || !errors.Is(refusal, session.ErrBlacklisted) {
		return
	}
	e := audit.Event{Kind: audit.Reused, User: s.User(), Session: string(s.ID()), Detail: "refused"}
	if s.Snapshot().Reason == session.Reused {
		e.Detail = "session ended"
	}
	a.Record(ctx, e)
}

// update changes a session and stores it even when the change ends in a refusal, since a refusal may
// revoke.
func (a *Authentication) update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	var refusal error
	s, err := a.Sessions.Update(ctx, id, func(s *session.Session) error {
		refusal = change(s)
		return nil
	})
	switch {
	case errors.Is(err, session.ErrNotFound): // the user was deleted meanwhile
		return nil, session.ErrTokenInvalid
	case err != nil:
		return nil, err
	}
	return s, refusal
}

// ensureSession makes sure that there is a record to rotate or revoke: a token that another issuer gave out
// has none until now.
func (a *Authentication) ensureSession(ctx context.Context, c session.Claims, s *session.Session, owner user.ID, epoch int64, now time.Time) (*session.Session, error) {
	if s != nil {
		return s, nil
	}
	s = session.Adopt(c.Foreign, owner, epoch, c, now)
	if err := a.Sessions.Add(ctx, s); err != nil && !errors.Is(err, session.ErrExists) {
		return nil, err
	}
	return s, nil
}
