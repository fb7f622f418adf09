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

func (a *Authentication) Refresh(ctx context.Context, token field.Text) (inbound.TokenPair, error) {
	now := a.Clock.Now()
	c, err := a.parseToken(ctx, "refresh", token, session.Refresh, now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, g, owner, err := a.sessionOf(ctx, c)
	switch {
	case err != nil:
		return inbound.TokenPair{}, err
	case s != nil && s.Revoked():
		return inbound.TokenPair{}, session.ErrBlacklisted
	case owner == nil:
		return inbound.TokenPair{}, inbound.ErrTokenOrphaned
	case s == nil && a.checkSessionless(c, owner) != nil, s != nil && !s.Live(owner, now, a.rules):
		return inbound.TokenPair{}, session.ErrTokenInvalid
	case a.rules.Rotate:
		return a.rotate(ctx, c, s, g, owner, now)
	case s == nil:
		return a.accessOnly(ctx, "", owner.ID(), now, c.Extra)
	}
	if err := s.Check(g, now, a.rules); err != nil {
		return inbound.TokenPair{}, err
	}
	if s.RecordUse(now) {
		// LastUsed is shown in the list of sessions only, so an error does not fail the refresh.
		_, _ = a.Sessions.Update(ctx, s.ID(), func(s *session.Session) error {
			s.RecordUse(now)
			return nil
		})
	}
	return a.accessOnly(ctx, s.ID(), owner.ID(), now, c.Extra)
}

// accessOnly returns the result of a refresh without rotation.
func (a *Authentication) accessOnly(
	ctx context.Context, s session.ID, owner user.ID, now time.Time, extra []byte,
) (inbound.TokenPair, error) {
	access, err := a.signAccess(ctx, s, owner, now, extra)
	if err == nil {
		a.recordRefresh(ctx, s, owner)
	}
	return inbound.TokenPair{Access: access, AccessExpires: now.Add(a.rules.AccessLifetime)}, err
}

func (a *Authentication) recordRefresh(ctx context.Context, s session.ID, owner user.ID) {
	a.Record(ctx, audit.Event{Kind: audit.Refreshed, Actor: owner, User: owner, Session: string(s)})
}

func (a *Authentication) rotate(
	ctx context.Context, c session.Claims, s *session.Session, g int, owner *user.User, now time.Time,
) (inbound.TokenPair, error) {
	s, err := a.ensureSession(ctx, c, s, owner.ID(), owner.SessionEpoch(), now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, err = a.updateSession(ctx, s.ID(), g, audit.Refreshed, func(s *session.Session) error {
		if !s.Revoked() && !s.Live(owner, now, a.rules) {
			return session.ErrTokenInvalid
		}
		return s.Rotate(g, now, a.rules)
	})
	if err != nil {
		return inbound.TokenPair{}, err
	}
	return a.signPair(ctx, s, now, c.Extra)
}

// updateSession changes the session of a refresh token of generation g. It stores the session even when change fails,
// since a refused token may revoke the session. It records success if change succeeds, and a reuse of the token if
// that is why change refuses it.
func (a *Authentication) updateSession(
	ctx context.Context, id session.ID, g int, success audit.Kind, change func(*session.Session) error,
) (*session.Session, error) {
	var e audit.Event
	var refusal error
	s, err := a.Sessions.Update(ctx, id, func(s *session.Session) error {
		refusal = change(s)
		e = audit.Event{Kind: success, Actor: s.User(), User: s.User(), Session: string(id)}
		if refusal != nil {
			e = reuse(s, g, refusal)
		}
		return nil
	}, a.deduplicated(ctx, func() (audit.Event, bool) { return e, e.Kind != "" }))
	switch {
	case errors.Is(err, session.ErrNotFound): // the user was deleted during the request
		return nil, session.ErrTokenInvalid
	case err != nil:
		return nil, err
	}
	return s, refusal
}

// reuse returns the event of the reuse of a refresh token of generation g, or the zero event when the token was
// refused for another reason.
func reuse(s *session.Session, g int, refusal error) audit.Event {
	if g >= s.Generation() || !errors.Is(refusal, session.ErrBlacklisted) {
		return audit.Event{}
	}
	e := audit.Event{Kind: audit.Reused, User: s.User(), Session: string(s.ID()), Detail: "refused"}
	if s.Snapshot().Reason == session.Reused {
		e.Detail = "session ended"
	}
	return e
}

// ensureSession returns s or, for a token of another issuer without a record, a new session in storage.
func (a *Authentication) ensureSession(
	ctx context.Context, c session.Claims, s *session.Session, owner user.ID, epoch int64, now time.Time,
) (*session.Session, error) {
	if s != nil {
		return s, nil
	}
	s = session.Adopt(c.SessionlessID, owner, epoch, c, now)
	if err := a.Sessions.Add(ctx, s); err != nil && !errors.Is(err, session.ErrExists) {
		return nil, err
	}
	return s, nil
}
