package application

import (
	"context"
	"errors"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/guessable"
	"roster/domain/link"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Links implements the use cases about mailed links.
type Links struct {
	*Accounts
	mail mailer
}

var _ inbound.Links = (*Links)(nil)

// NewLinks returns the use cases on those of accounts.
func NewLinks(a *Accounts) *Links { return &Links{a, a.Recorder.mail} }

func (l *Links) RequestActivation(ctx context.Context, email field.Text) error {
	if l.mail.settings.Verification == VerificationOff {
		_, faults := l.parseAddress(user.FieldEmail, email, true)
		if len(faults) > 0 {
			return fault.ErrInvalid.With(faults...)
		}
		return inbound.ErrActivationOff
	}
	return l.request(ctx, mail.Activation, email, func(u user.Snapshot) bool { return l.mail.settings.mayActivate(u) })
}

func (l *Links) RequestPasswordReset(ctx context.Context, email field.Text) error {
	return l.request(ctx, mail.PasswordReset, email, mayReset)
}

// request queues a mail to an address. It does not look the user up, so that it takes the same for every address, unless
// the answer may show whether there is one.
func (l *Links) request(ctx context.Context, k mail.Kind, in field.Text, fits func(user.Snapshot) bool) error {
	e, faults := l.parseAddress(user.FieldEmail, in, true)
	if len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if l.mail.settings.RevealUnknown {
		u, err := l.ports.Users.ByEmail(ctx, e.Key())
		if errors.Is(err, user.ErrNotFound) || err == nil && !fits(u.Snapshot()) {
			return inbound.ErrAddressUnknown
		}
		if err != nil {
			return err
		}
	}
	return l.ports.Mails.Add(ctx, l.mail.toAddress(ctx, k, *e)...)
}

// mayReset reports whether a user gets a link to a new password on request. Without a password that can match, the user
// signs in elsewhere, as in Django; a user with a proven address gets a link all the same.
func mayReset(u user.Snapshot) bool {
	return u.Active && (u.Password.Usable() || u.EmailState == user.EmailVerified)
}

// mayActivate reports whether a user gets a link to activate the account on request.
func (m Mailing) mayActivate(u user.Snapshot) bool {
	return u.EmailState == user.AwaitingActivation && u.Password.Usable() ||
		u.EmailState == user.EmailUnverified && u.Active && m.Verification == VerificationOptional
}

// checkFields returns the fields of a link with the white space around them, which makes them invalid, and the faults of
// their form. As in djoser, a field of white space only is blank.
func checkFields(l inbound.Link) (uid, token string, faults []fault.Field) {
	_, _, faults = field.Rule{Name: link.FieldUID, Required: true}.Check(l.UID)
	_, _, more := field.Rule{Name: link.FieldToken, Required: true}.Check(l.Token)
	return l.UID.Value(), l.Token.Value(), append(faults, more...)
}

// follow returns the user of a link and a function that checks its token against the state of that user, with which an
// update checks it again: so a link is used once, even by two requests at the same time. purpose may depend on the user.
func (l *Links) follow(ctx context.Context, in inbound.Link, purpose func(*user.User) link.Purpose) (
	u *user.User, check func(*user.User) error, err error,
) {
	uid, token, faults := checkFields(in)
	if len(faults) > 0 {
		return nil, nil, fault.ErrInvalid.With(faults...)
	}
	id, err := link.DecodeUID(uid)
	if err != nil {
		return nil, nil, err
	}
	u, err = l.ports.Users.Get(ctx, id)
	if errors.Is(err, user.ErrNotFound) {
		return nil, nil, link.ErrBadUser
	}
	if err != nil {
		return nil, nil, err
	}
	now := l.ports.Clock.Now()
	check = func(u *user.User) error {
		p := purpose(u)
		return l.ports.LinkTokens.Check(link.StateOf(p, u), token, l.mail.settings.Lifetimes[p], now)
	}
	return u, check, check(u)
}

// always is the purpose that does not depend on the user.
func always(p link.Purpose) func(*user.User) link.Purpose {
	return func(*user.User) link.Purpose { return p }
}

// purposeOfPassword is the purpose of a link to choose a password. That of an invitation also activates the account. Where
// registrations do not show that an address is taken, a user that waits for the activation gets such a link too, see
// registeredKind.
func (m Mailing) purposeOfPassword(u user.Snapshot) link.Purpose {
	if u.EmailState == user.Invited || m.HideRegistered && u.EmailState == user.AwaitingActivation {
		return link.Invitation
	}
	return link.PasswordReset
}

func (l *Links) purposeOfPassword(u *user.User) link.Purpose {
	return l.mail.settings.purposeOfPassword(u.Snapshot())
}

func (l *Links) CheckLink(ctx context.Context, p link.Purpose, in inbound.Link) error {
	purpose := always(p)
	if p == link.PasswordReset || p == link.Invitation {
		purpose = l.purposeOfPassword
	}
	_, _, err := l.follow(ctx, in, purpose)
	return err
}

func (l *Links) Activate(ctx context.Context, in inbound.Link) error {
	u, check, err := l.follow(ctx, in, always(link.Activation))
	if err != nil {
		return err
	}
	_, err = l.change(ctx, u.ID(), audit.AccountActive, func(u *user.User) error {
		if err := check(u); err != nil {
			return err
		}
		switch s := u.Snapshot(); {
		case s.EmailState == user.AwaitingActivation:
			return u.Activate()
		case s.Active && s.EmailState == user.EmailUnverified && l.mail.settings.Verification == VerificationOptional:
			u.VerifyEmail()
			return nil
		case s.Active:
			return link.ErrStale
		}
		return link.ErrBadToken // deactivated, or invited
	}, func(before, after user.Snapshot) []*mail.Mail {
		if !l.mail.settings.Welcome || before.Active {
			return nil
		}
		return l.mail.toUser(ctx, mail.Activated, after)
	})
	return err
}

func (l *Links) ResetPassword(ctx context.Context, in inbound.Link, p inbound.NewPassword) error {
	_, _, faults := checkFields(in)
	password, more := l.passwordFields(fieldNewPassword, p, true)
	if faults = append(faults, more...); len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if faults := l.passwords.Policy.Check(fieldNewPassword, *password, guessable.Owner{}); len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if p.Retype && !l.repeats(p) {
		return credential.ErrMismatch
	}
	u, check, err := l.follow(ctx, in, l.purposeOfPassword)
	if err != nil {
		return err
	}
	if faults := l.passwords.Policy.Check(fieldNewPassword, *password, parsedInput{}.owner(u)); len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	// Only a client with a good link makes the service ask another one about a password.
	if err := l.checkBreached(ctx, fieldNewPassword, *password); err != nil {
		return err
	}
	hash, err := l.ports.Hasher.Hash(ctx, *password)
	if err != nil {
		return err
	}
	u, err = l.change(ctx, u.ID(), audit.PasswordReset, func(u *user.User) error {
		if err := check(u); err != nil {
			return err
		}
		now := l.ports.Clock.Now()
		invited := l.purposeOfPassword(u) == link.Invitation
		u.ChangePassword(hash, now)
		u.VerifyEmail()
		if invited {
			if err := u.Activate(); err != nil {
				return err
			}
		}
		if l.mail.settings.ResetIsSignIn {
			u.RecordSignIn(now)
		}
		return nil
	}, func(before, after user.Snapshot) []*mail.Mail { return l.mail.ofChange(ctx, before, after) })
	if err != nil {
		return err
	}
	_, _ = l.unlock(ctx, u.ID(), u) // the password is set; the lockout expires
	return nil
}

// change changes the user of a link and stores an event and the mails of the change with it.
func (l *Links) change(
	ctx context.Context, id user.ID, k audit.Kind, change func(*user.User) error, mails func(before, after user.Snapshot) []*mail.Mail,
) (*user.User, error) {
	var before, after user.Snapshot
	u, err := l.ports.Users.Update(ctx, id, func(u *user.User) error {
		before = u.Snapshot()
		err := change(u)
		after = u.Snapshot()
		return err
	}, l.effects(ctx, func() []audit.Event {
		return append([]audit.Event{{Kind: k, User: id, Detail: changeDetail(before, after)}}, passwordEvents(id, before, after)...)
	}, func() []*mail.Mail { return mails(before, after) }))
	if errors.Is(err, user.ErrNotFound) {
		err = link.ErrBadUser
	}
	return u, err
}

func passwordEvents(id user.ID, before, after user.Snapshot) []audit.Event {
	if before.Password == after.Password {
		return nil
	}
	return []audit.Event{{Kind: audit.PasswordChanged, User: id}}
}
