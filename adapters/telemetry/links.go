package telemetry

import (
	"context"

	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/user"
	"roster/ports/inbound"
)

type mailedLinks struct {
	next inbound.Links
	o    Observer
}

// Links returns l, observed.
func (o Observer) Links(l inbound.Links) inbound.Links { return mailedLinks{l, o} }

func (u mailedLinks) RequestActivation(ctx context.Context, email field.Text) error {
	return u.o.observe(ctx, UseCase, "request_activation", func(ctx context.Context) error { return u.next.RequestActivation(ctx, email) })
}

func (u mailedLinks) Activate(ctx context.Context, l inbound.Link) error {
	return u.o.observe(ctx, UseCase, "activate", func(ctx context.Context) error { return u.next.Activate(ctx, l) })
}

func (u mailedLinks) RequestPasswordReset(ctx context.Context, email field.Text) error {
	return u.o.observe(ctx, UseCase, "request_password_reset", func(ctx context.Context) error {
		return u.next.RequestPasswordReset(ctx, email)
	})
}

func (u mailedLinks) ResetPassword(ctx context.Context, l inbound.Link, p inbound.NewPassword) error {
	return u.o.observe(ctx, UseCase, "reset_password", func(ctx context.Context) error { return u.next.ResetPassword(ctx, l, p) })
}

func (u mailedLinks) CheckLink(ctx context.Context, p link.Purpose, l inbound.Link) error {
	return u.o.observe(ctx, UseCase, "check_link", func(ctx context.Context) error { return u.next.CheckLink(ctx, p, l) })
}

func (u mailedLinks) RequestEmailChange(ctx context.Context, actor inbound.Actor, in inbound.NewEmail) error {
	return u.o.observe(ctx, UseCase, "request_email_change", func(ctx context.Context) error {
		return u.next.RequestEmailChange(ctx, actor, in)
	})
}

func (u mailedLinks) ConfirmEmailChange(ctx context.Context, l inbound.Link) error {
	return u.o.observe(ctx, UseCase, "confirm_email_change", func(ctx context.Context) error { return u.next.ConfirmEmailChange(ctx, l) })
}

func (u mailedLinks) UndoEmailChange(ctx context.Context, l inbound.Link) error {
	return u.o.observe(ctx, UseCase, "undo_email_change", func(ctx context.Context) error { return u.next.UndoEmailChange(ctx, l) })
}

func (u mailedLinks) Invite(ctx context.Context, actor inbound.Actor, read func() (inbound.UserInput, error)) (*user.User, error) {
	return observed(ctx, u.o, UseCase, "invite", func(ctx context.Context) (*user.User, error) {
		return u.next.Invite(ctx, actor, read)
	})
}

func (u mailedLinks) Invitations(ctx context.Context, actor inbound.Actor, after user.ID, limit int) ([]*user.User, error) {
	return observed(ctx, u.o, UseCase, "list_invitations", func(ctx context.Context) ([]*user.User, error) {
		return u.next.Invitations(ctx, actor, after, limit)
	})
}

func (u mailedLinks) ResendInvitation(ctx context.Context, actor inbound.Actor, id user.ID) error {
	return u.o.observe(ctx, UseCase, "resend_invitation", func(ctx context.Context) error {
		return u.next.ResendInvitation(ctx, actor, id)
	})
}

func (u mailedLinks) RevokeInvitation(ctx context.Context, actor inbound.Actor, id user.ID) error {
	return u.o.observe(ctx, UseCase, "revoke_invitation", func(ctx context.Context) error {
		return u.next.RevokeInvitation(ctx, actor, id)
	})
}

func (u mailedLinks) StartPasswordReset(ctx context.Context, actor inbound.Actor, id user.ID) error {
	return u.o.observe(ctx, UseCase, "start_password_reset", func(ctx context.Context) error {
		return u.next.StartPasswordReset(ctx, actor, id)
	})
}
