package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Register implements inbound.Accounts. It checks the actor's right before the input is read and, unless
// registration is open, again afterwards, since a client controls how long its body takes to read.
func (a *Accounts) Register(ctx context.Context, actor inbound.Actor, read func() (inbound.UserInput, error)) (*user.User, error) {
	if err := a.settings.Registration.allow(actor); err != nil {
		return nil, err
	}
	in, err := read()
	if err != nil {
		return nil, err
	}
	if a.settings.Registration != RegistrationOpen {
		if actor, err = a.ports.reauthenticate(ctx, actor, a.ports.Clock.Now(), a.settings.Rules); err != nil {
			return nil, err
		}
		if err := a.settings.Registration.allow(actor); err != nil {
			return nil, err
		}
	}
	hide := a.hidesRegistered(actor)
	parsed, err := a.parse(ctx, in, allFields, nil, hide)
	if err != nil {
		return nil, err
	}
	state := user.EmailUnverified
	if m := a.settings.Mail; m.On && m.Verification == VerificationRequired {
		state = user.AwaitingActivation
	}
	if !hide {
		return a.add(ctx, actor.ID(), parsed, state, false)
	}
	due := a.ports.Clock.After(hiddenRegistration)
	_, err = a.add(ctx, actor.ID(), parsed, state, true)
	if errors.Is(err, user.ErrEmailTaken) {
		err = a.ports.Mails.Add(ctx, a.mail.toAddress(ctx, mail.AlreadyRegistered, *parsed.email)...)
	}
	if err == nil {
		waitUntil(ctx, due)
	}
	return nil, err
}

// hiddenRegistration is how long a registration takes, from the hashing of its password, that must not show whether the address
// is taken: a new user takes more writes than a mail to the owner, on MongoDB two more. A slower storage is not hidden.
const hiddenRegistration = 500 * time.Millisecond

// add adds a user with an email address in a state. by is the acting user, or "" for an anonymous client or the operator.
// Without a password, the user gets a credential that none matches. With look, it looks for a user with the address after the
// password is hashed, so that a taken address is refused after the same work, and by a read in place of a failed write.
func (a *Accounts) add(ctx context.Context, by user.ID, in parsedInput, state user.EmailState, look bool) (*user.User, error) {
	hash := credential.Unusable
	if in.password != nil {
		var err error
		if hash, err = a.ports.Hasher.Hash(ctx, *in.password); err != nil {
			return nil, err
		}
	}
	id, err := a.ports.UserIDs.NewUserID(ctx)
	if err != nil {
		return nil, err
	}
	if look {
		switch _, err := a.ports.Users.ByEmail(ctx, in.email.Key()); {
		case err == nil:
			return nil, user.ErrEmailTaken
		case !errors.Is(err, user.ErrNotFound):
			return nil, err
		}
	}
	staff := in.staff != nil && *in.staff
	now := a.ports.Clock.Now()
	u, err := user.Register(user.New{ID: id, Email: *in.email, Staff: staff, Password: hash, EmailState: state}, now)
	if err != nil {
		return nil, err
	}
	in.apply(u, now)
	if in.active != nil {
		u.SetActive(*in.active)
	}
	usual := u.Snapshot()
	usual.Active, usual.Staff = !state.Awaiting(), false
	registered := audit.Event{Kind: audit.Registered, Actor: by, User: u.ID(), Detail: changeDetail(usual, u.Snapshot())}
	if err := a.ports.Users.Add(ctx, u, a.effects(ctx, func() []audit.Event { return []audit.Event{registered} },
		func() []*mail.Mail { return a.mail.ofRegistration(ctx, u.Snapshot()) })); err != nil {
		return nil, err
	}
	return u, nil
}
