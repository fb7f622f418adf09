package application

import (
	"context"
	"errors"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Sessions implements the use cases about sessions.
type Sessions struct {
	ports Ports
	rules session.Rules
	Recorder
}

var _ inbound.Sessions = (*Sessions)(nil)

// NewSessions returns the use cases on the ports p.
func NewSessions(p Ports, s Settings) *Sessions {
	return &Sessions{p, s.Rules, newMailingRecorder(p, s)}
}

func (s *Sessions) List(ctx context.Context, actor inbound.Actor, q session.Query) ([]*session.Session, error) {
	owner, err := s.owner(ctx, actor, q.Owner)
	if err != nil {
		return nil, err
	}
	q.Owner, q.LiveAt, q.Epoch, q.Limit = owner.ID(), s.clock.Now(), owner.SessionEpoch(), max(q.Limit, 1)
	return s.ports.Sessions.List(ctx, q)
}

func (s *Sessions) End(ctx context.Context, actor inbound.Actor, id session.ID) error {
	if actor.Anonymous() {
		return inbound.ErrNoCredentials
	}
	now := s.clock.Now()
	actor, err := s.ports.reauthenticate(ctx, actor, now, s.rules)
	if err != nil {
		return err
	}
	owner, err := s.ownerToNotify(ctx, actor, id)
	if err != nil {
		return err
	}
	revoked := audit.Event{Kind: audit.SessionRevoked, Actor: actor.User.ID(), Session: string(id)}
	_, err = s.ports.Sessions.Update(ctx, id, func(target *session.Session) error {
		revoked.User = target.User()
		if mayManageSessions(actor, target.User()) != nil || target.Revoked() || !now.Before(target.Expires()) {
			return session.ErrNotFound
		}
		if err := requireRecentSignIn(actor, now); err != nil && !actor.Is(target.User()) {
			return err
		}
		target.Revoke(now, session.Ended)
		return nil
	}, s.effects(ctx, func() []audit.Event { return []audit.Event{revoked} },
		func() []*mail.Mail { return s.mail.ofEndedSessions(ctx, actor, owner) }))
	return err
}

// ownerToNotify returns the owner of a session that staff ends, if a mail says so. There may be none.
func (s *Sessions) ownerToNotify(ctx context.Context, actor inbound.Actor, id session.ID) (*user.User, error) {
	if !s.mail.settings.On || !s.mail.settings.NotifySessions || !actor.Staff() {
		return nil, nil
	}
	target, err := s.ports.Sessions.Get(ctx, id)
	if err != nil || actor.Is(target.User()) {
		return nil, err
	}
	u, err := s.ports.Users.Get(ctx, target.User())
	if errors.Is(err, user.ErrNotFound) {
		err = nil // the session of a deleted user
	}
	return u, err
}

func (s *Sessions) EndAll(ctx context.Context, actor inbound.Actor, id user.ID) error {
	owner, err := s.owner(ctx, actor, id)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	if actor, err = s.ports.reauthenticate(ctx, actor, now, s.rules); err != nil {
		return err
	}
	if err := mayManageSessions(actor, owner.ID()); err != nil {
		return err
	}
	if err := requireRecentSignIn(actor, now); err != nil && !actor.Is(owner.ID()) {
		return err
	}
	ended := audit.Event{Kind: audit.SessionsRevoked, Actor: actor.User.ID(), User: owner.ID()}
	_, err = s.ports.Users.Update(ctx, owner.ID(), func(u *user.User) error {
		u.EndSessions(now)
		owner = u
		return nil
	}, s.effects(ctx, func() []audit.Event { return []audit.Event{ended} },
		func() []*mail.Mail { return s.mail.ofEndedSessions(ctx, actor, owner) }))
	return err
}

// owner returns the user with this id, "" for the actor, if the actor may manage its sessions.
func (s *Sessions) owner(ctx context.Context, actor inbound.Actor, id user.ID) (*user.User, error) {
	if actor.Anonymous() {
		return nil, inbound.ErrNoCredentials
	}
	if id == "" || actor.Is(id) {
		return actor.User, nil
	}
	if err := mayManageSessions(actor, id); err != nil {
		return nil, err
	}
	return s.ports.Users.Get(ctx, id)
}
