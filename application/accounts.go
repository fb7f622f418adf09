package application

import (
	"context"
	"errors"
	"slices"

	"roster/domain/user"
	"roster/ports/inbound"
)

// Accounts implements the use cases about users.
type Accounts struct {
	ports     Ports
	settings  Settings
	guard     *Guard
	longReads *readLimiter
	parser
	Recorder
}

var _ inbound.Accounts = (*Accounts)(nil)

// NewAccounts returns the use cases on the ports p.
func NewAccounts(p Ports, s Settings, g *Guard) *Accounts {
	return &Accounts{
		ports: p, settings: s, guard: g, longReads: newReadLimiter(s.LongReads),
		parser: parser{p.Users, p.Domains, p.Breached, s.Passwords}, Recorder: newMailingRecorder(p, s),
	}
}

// With returns the same use cases with another access policy.
func (a *Accounts) With(p AccessPolicy) *Accounts {
	c := *a
	c.settings.Access = p
	return &c
}

func (a *Accounts) List(ctx context.Context, actor inbound.Actor, q inbound.UserQuery) ([]*user.User, error) {
	f, err := a.settings.Access.scope(actor, q.Filter)
	if err != nil {
		return nil, err
	}
	q.Filter, q.Limit = f, max(q.Limit, 1)
	if q.Email == "" {
		release, err := a.longReads.acquire(ctx, actor.ID(), q.Query)
		if err != nil {
			return nil, err
		}
		defer release()
		return a.ports.Users.List(ctx, q.Query)
	}
	found, err := a.withEmail(ctx, q.Email, f)
	if err != nil || len(found) == 0 || q.Offset > 0 || q.From != nil && found[0].Position().Compare(*q.From, q.Order) <= 0 {
		return nil, err
	}
	return found, nil
}

func (a *Accounts) Count(ctx context.Context, actor inbound.Actor, q inbound.UserQuery) (int, error) {
	f, err := a.settings.Access.scope(actor, q.Filter)
	if err != nil {
		return 0, err
	}
	if q.Email != "" {
		found, err := a.withEmail(ctx, q.Email, f)
		return len(found), err
	}
	release, err := a.longReads.acquire(ctx, actor.ID(), user.Query{Filter: f})
	if err != nil {
		return 0, err
	}
	defer release()
	return a.ports.Users.Count(ctx, f)
}

// withEmail returns the user with an address, or none when there is no such user or f does not match it.
func (a *Accounts) withEmail(ctx context.Context, address string, f user.Filter) ([]*user.User, error) {
	e, err := user.ParseEmail(address, a.ports.Domains.ToASCII)
	if err != nil {
		return nil, ctx.Err() // no user can have it
	}
	u, err := a.ports.Users.ByEmail(ctx, e.Key())
	switch {
	case errors.Is(err, user.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !f.Matches(u):
		return nil, nil
	}
	return []*user.User{u}, nil
}

func (a *Accounts) Get(ctx context.Context, actor inbound.Actor, id user.ID) (*user.User, error) {
	return a.find(ctx, actor, opRead, id)
}

func (a *Accounts) MayChange(ctx context.Context, actor inbound.Actor, id user.ID) error {
	_, err := a.find(ctx, actor, opChange, id)
	return err
}

// find returns a user if the actor may do op to it. It fails with user.ErrNotFound before it checks rights. The
// actor's own record is not read again, since the authentication of the request has read it.
func (a *Accounts) find(ctx context.Context, actor inbound.Actor, op operation, id user.ID) (*user.User, error) {
	if actor.Anonymous() {
		return nil, inbound.ErrNoCredentials
	}
	u := actor.User
	if !actor.Is(id) {
		var err error
		if u, err = a.ports.Users.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	return u, a.settings.Access.allow(actor, op, id)
}

func (a *Accounts) Delete(ctx context.Context, actor inbound.Actor, id user.ID, read func() (inbound.Deletion, error)) error {
	if _, err := a.find(ctx, actor, opChange, id); err != nil {
		return err
	}
	in, err := read()
	if err != nil {
		return err
	}
	if in.Confirm {
		err = a.checkCurrentPassword(ctx, actor.User, in.Current)
	} else {
		err = requireRecentSignIn(actor, a.ports.Clock.Now())
	}
	if err != nil {
		return err
	}
	actor, err = a.ports.reauthenticate(ctx, actor, a.ports.Clock.Now(), a.settings.Rules)
	if err != nil {
		return err
	}
	if err := a.settings.Access.allow(actor, opChange, id); err != nil { // the actor's rights may have changed since
		return err
	}
	return a.delete(ctx, actor.ID(), id, func(u *user.User) error { return checkVersion(u, in.Versions) })
}

// checkVersion fails with user.ErrStale when versions are named and the user has none of them, and with
// user.ErrNoVersion when the list is empty but not nil: what the client named is no version.
func checkVersion(u *user.User, versions []int64) error {
	switch {
	case versions == nil, slices.Contains(versions, u.Version()):
		return nil
	case len(versions) == 0:
		return user.ErrNoVersion
	}
	return user.ErrStale
}
