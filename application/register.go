package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Register implements inbound.Accounts. The actor's right to register is judged before the input is read and,
// unless anybody may register, again afterwards: a client decides how long the reading takes.
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
	return a.register(ctx, actor.ID(), in, false)
}

// register adds a user on behalf of the user by, "" for an anonymous client or the operator.
func (a *Accounts) register(ctx context.Context, by user.ID, in inbound.UserInput, staff bool) (*user.User, error) {
	parsed, err := a.parse(ctx, in, true, nil)
	if err != nil {
		return nil, err
	}
	hash, err := a.ports.Hasher.Hash(ctx, *parsed.password)
	if err != nil {
		return nil, err
	}
	id, err := a.ports.UserIDs.NewUserID(ctx)
	if err != nil {
		return nil, err
	}
	u, err := user.Register(user.New{
		ID: id, Email: *parsed.email, FirstName: *parsed.firstName, LastName: *parsed.lastName, Staff: staff, Password: hash,
	}, a.ports.Clock.Now())
	if err != nil {
		return nil, err
	}
	if err := a.ports.Users.Add(ctx, u); err != nil {
		return nil, err
	}
	e := audit.Event{Kind: audit.Registered, Actor: by, User: u.ID()}
	if staff {
		e.Detail = flagDetail(user.FieldStaff, true)
	}
	a.Record(ctx, e)
	return u, nil
}
