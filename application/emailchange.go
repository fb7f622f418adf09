package application

import (
	"context"
	"errors"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// The fields of a change of the address, and djoser's messages about them.
const (
	fieldNewEmail     = "new_email"
	fieldRetypedEmail = "re_new_email"
)

var (
	errEmailsDiffer = fault.ErrInvalid.With(fault.Field{Code: "email_mismatch", Message: "The two email fields didn't match."})
	invalidPassword = fault.Field{Name: "current_password", Code: "invalid_password", Message: "Invalid password."}
)

func (l *Links) RequestEmailChange(ctx context.Context, actor inbound.Actor, in inbound.NewEmail) error {
	if actor.Anonymous() {
		return inbound.ErrNoCredentials
	}
	e, faults := l.parseAddress(fieldNewEmail, in.Email, true)
	_, _, currentFaults := l.currentPasswordRule().Check(in.CurrentPassword)
	if len(currentFaults) == 0 {
		err := l.checkCurrentPassword(ctx, actor.User, in.CurrentPassword)
		if err != nil && !errors.Is(err, credential.ErrWrongPassword) {
			return err
		}
		if err != nil {
			currentFaults = []fault.Field{invalidPassword}
		}
	}
	if len(faults) == 0 && !l.hidesRegistered(actor) {
		other, err := l.ports.Users.ByEmail(ctx, e.Key())
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return err
		}
		if err == nil && (!actor.Is(other.ID()) || other.Snapshot().Email == e.String()) { // as in djoser, one's own address is taken
			faults = []fault.Field{{Name: fieldNewEmail, Code: "unique", Message: user.ErrEmailTaken.Message}}
		}
	}
	if in.Retype {
		_, _, more := field.Rule{Name: fieldRetypedEmail, Required: true}.Check(in.Retyped) // any text, as in djoser
		faults = append(faults, more...)
	}
	if faults = append(currentFaults, faults...); len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if in.Retype {
		if again, _ := l.parseAddress(fieldRetypedEmail, in.Retyped, true); again == nil || again.String() != e.String() {
			return errEmailsDiffer
		}
	}
	now := l.ports.Clock.Now()
	actor, err := l.ports.reauthenticate(ctx, actor, now, l.settings.Rules)
	if err != nil {
		return err
	}
	_, err = l.update(ctx, actor.ID(), actor.ID(), func(u *user.User) error {
		if !u.Active() || u.SessionEpoch() != actor.User.SessionEpoch() {
			return session.ErrTokenInvalid
		}
		if e.Key() == u.Snapshot().EmailKey { // another spelling needs no proof
			u.ChangeEmail(*e, now)
		} else {
			u.RequestEmail(*e, now)
		}
		return nil
	})
	return err
}

func (l *Links) ConfirmEmailChange(ctx context.Context, in inbound.Link) error {
	u, check, err := l.follow(ctx, in, always(link.EmailChange))
	if err != nil {
		return err
	}
	_, err = l.change(ctx, u.ID(), audit.Changed, func(u *user.User) error {
		if err := check(u); err != nil {
			return err
		}
		return notWaiting(u.ConfirmEmail(l.ports.Clock.Now()))
	}, func(before, after user.Snapshot) []*mail.Mail { return l.mail.ofChange(ctx, before, after) })
	return err
}

func (l *Links) UndoEmailChange(ctx context.Context, in inbound.Link) error {
	u, check, err := l.follow(ctx, in, always(link.EmailUndo))
	if err != nil {
		return err
	}
	undo := func() error {
		_, err := l.change(ctx, u.ID(), audit.EmailUndone, func(u *user.User) error {
			if err := check(u); err != nil {
				return err
			}
			return notWaiting(u.UndoEmail(l.ports.Clock.Now()))
		}, func(_, after user.Snapshot) []*mail.Mail { return l.mail.toUser(ctx, mail.PasswordReset, after) })
		return err
	}
	if err := undo(); !errors.Is(err, user.ErrEmailTaken) {
		return err
	}
	if err := l.releaseAddress(ctx, u.Snapshot().Contact.UndoKey); err != nil {
		return err
	}
	return undo()
}

// releaseAddress deletes the account with an address if it waits for the proof of that address: it must not keep the owner of
// the address from restoring another account.
func (l *Links) releaseAddress(ctx context.Context, key string) error {
	holder, err := l.ports.Users.ByEmail(ctx, key)
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	err = l.delete(ctx, "", holder.ID(), func(u *user.User) error {
		if !u.EmailState().Awaiting() || u.Snapshot().EmailKey != key {
			return user.ErrEmailTaken
		}
		return nil
	})
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	return err
}

// notWaiting returns link.ErrBadToken when there is no change that a link could complete or undo.
func notWaiting(err error) error {
	if errors.Is(err, user.ErrNoNewEmail) {
		return link.ErrBadToken
	}
	return err
}
