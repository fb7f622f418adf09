package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
)

// errInactive is the error of a link for a user that cannot use it.
var errInactive = fault.New(fault.Conflict, "inactive", "The user is not active.")

func (l *Links) Invite(ctx context.Context, actor inbound.Actor, read func() (inbound.UserInput, error)) (*user.User, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	in, err := read()
	if err != nil {
		return nil, err
	}
	if actor, err = l.ports.staff(ctx, actor, l.settings.Rules); err != nil {
		return nil, err
	}
	in.Password = inbound.UserInput{}.Password
	if !in.Email.Present() {
		_, _, faults := user.EmailRule(true).Check(in.Email)
		return nil, fault.ErrInvalid.With(faults...)
	}
	parsed, err := l.parse(ctx, in, noField, nil, false)
	if err != nil {
		return nil, err
	}
	return l.add(ctx, actor.ID(), parsed, user.Invited, false)
}

func (l *Links) Invitations(ctx context.Context, actor inbound.Actor, after user.ID, limit int) ([]*user.User, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	return l.ports.Users.Invited(ctx, after, limit)
}

// invited returns an invited user for a staff actor.
func (l *Links) invited(ctx context.Context, actor inbound.Actor, id user.ID) (inbound.Actor, *user.User, error) {
	actor, err := l.ports.staff(ctx, actor, l.settings.Rules)
	if err != nil {
		return actor, nil, err
	}
	u, err := l.ports.Users.Get(ctx, id)
	if err == nil && u.EmailState() != user.Invited {
		err = user.ErrNotFound
	}
	return actor, u, err
}

func (l *Links) ResendInvitation(ctx context.Context, actor inbound.Actor, id user.ID) error {
	actor, u, err := l.invited(ctx, actor, id)
	if err != nil {
		return err
	}
	return l.mailForStaff(ctx, actor, u, mail.Invitation)
}

// mailForStaff queues a mail to a user and records that actor requested it.
func (l *Links) mailForStaff(ctx context.Context, actor inbound.Actor, u *user.User, k mail.Kind) error {
	requested := audit.Event{Kind: audit.LinkRequested, Actor: actor.ID(), User: u.ID(), Detail: string(k)}
	_, err := l.ports.Users.Update(ctx, u.ID(), func(*user.User) error { return nil }, l.effects(ctx,
		func() []audit.Event { return []audit.Event{requested} },
		func() []*mail.Mail { return l.mail.toUser(ctx, k, u.Snapshot()) }))
	return err
}

func (l *Links) RevokeInvitation(ctx context.Context, actor inbound.Actor, id user.ID) error {
	actor, _, err := l.invited(ctx, actor, id)
	if err == nil {
		err = requireRecentSignIn(actor, l.ports.Clock.Now())
	}
	if err != nil {
		return err
	}
	return l.delete(ctx, actor.ID(), id, func(u *user.User) error {
		if u.EmailState() != user.Invited {
			return user.ErrNotFound
		}
		return nil
	})
}

func (l *Links) StartPasswordReset(ctx context.Context, actor inbound.Actor, id user.ID) error {
	actor, err := l.ports.staff(ctx, actor, l.settings.Rules)
	if err != nil {
		return err
	}
	u, err := l.ports.Users.Get(ctx, id)
	if err != nil {
		return err
	}
	if !u.Active() {
		return errInactive
	}
	return l.mailForStaff(ctx, actor, u, mail.PasswordReset)
}
