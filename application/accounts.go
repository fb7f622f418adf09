package application

import (
	"context"
	"errors"
	"slices"
	"time"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Ports is everything that the use cases need of the outside.
type Ports struct {
	Users      outbound.Users
	UserIDs    outbound.UserIDs
	Sessions   outbound.Sessions
	SessionIDs outbound.SessionIDs
	Hasher     outbound.PasswordHasher
	Tokens     outbound.Tokens
	Domains    outbound.Domains
	Clock      outbound.Clock
	Breached   outbound.BreachedPasswords // nil for none
}

// Settings is what a profile decides for the use cases.
type Settings struct {
	Access       AccessPolicy
	Registration Registration
	Passwords    Passwords
	Rules        session.Rules
}

// Accounts is the use cases about users.
type Accounts struct {
	ports    Ports
	settings Settings
	parser
}

var _ inbound.Accounts = (*Accounts)(nil)

// NewAccounts returns the use cases over p.
func NewAccounts(p Ports, s Settings) *Accounts {
	return &Accounts{p, s, parser{p.Users, p.Domains, p.Breached, s.Passwords}}
}

// Register implements inbound.Accounts.
func (a *Accounts) Register(ctx context.Context, actor inbound.Actor, in inbound.UserInput) (*user.User, error) {
	if err := a.AuthorizeRegistration(ctx, actor); err != nil {
		return nil, err
	}
	return a.register(ctx, in, false)
}

// AuthorizeRegistration implements inbound.Accounts.
func (a *Accounts) AuthorizeRegistration(ctx context.Context, actor inbound.Actor) error {
	if err := a.settings.Registration.allow(actor); err != nil || a.settings.Registration == RegistrationOpen {
		return err
	}
	now, err := a.stillIs(ctx, actor)
	if err != nil {
		return err
	}
	return a.settings.Registration.allow(now)
}

func (a *Accounts) register(ctx context.Context, in inbound.UserInput, staff bool) (*user.User, error) {
	who, err := a.parse(ctx, in, true, nil)
	if err != nil {
		return nil, err
	}
	hash, err := a.ports.Hasher.Hash(ctx, *who.password)
	if err != nil {
		return nil, err
	}
	id, err := a.ports.UserIDs.NewUserID(ctx)
	if err != nil {
		return nil, err
	}
	u, err := user.Register(user.New{
		ID: id, Email: *who.email, FirstName: *who.firstName, LastName: *who.lastName, Staff: staff, Password: hash,
	}, a.ports.Clock.Now())
	if err != nil {
		return nil, err
	}
	return u, a.ports.Users.Add(ctx, u)
}

// List implements inbound.Accounts.
func (a *Accounts) List(ctx context.Context, actor inbound.Actor, q inbound.List) ([]*user.User, error) {
	f, err := a.settings.Access.scope(actor, q.Filter)
	if err != nil {
		return nil, err
	}
	return a.ports.Users.List(ctx, user.Query{Filter: f, Order: q.Order, From: q.From, Offset: q.Offset, Limit: max(q.Limit, 1)})
}

// Count implements inbound.Accounts.
func (a *Accounts) Count(ctx context.Context, actor inbound.Actor, f user.Filter) (int, error) {
	f, err := a.settings.Access.scope(actor, f)
	if err != nil {
		return 0, err
	}
	return a.ports.Users.Count(ctx, f)
}

// Get implements inbound.Accounts.
func (a *Accounts) Get(ctx context.Context, actor inbound.Actor, id user.ID) (*user.User, error) {
	return a.find(ctx, actor, read, id)
}

// Authorize implements inbound.Accounts.
func (a *Accounts) Authorize(ctx context.Context, actor inbound.Actor, id user.ID) error {
	_, err := a.find(ctx, actor, change, id)
	return err
}

// find returns the user, if the actor may do op to them. Who is not there is not found, whatever
// would be allowed. The actor's own record was read when the request was authenticated: one read
// serves both.
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

// Change implements inbound.Accounts.
func (a *Accounts) Change(ctx context.Context, actor inbound.Actor, id user.ID, in inbound.Changes) (*user.User, error) {
	before, err := a.find(ctx, actor, change, id)
	if err != nil {
		return nil, err
	}
	if err := fresh(before, in.Versions); err != nil {
		return nil, err
	}
	who, err := a.parse(ctx, in.UserInput, in.Whole, before)
	if err != nil {
		return nil, err
	}
	if err := a.confirm(ctx, actor, before, who, in.UserInput); err != nil {
		return nil, err
	}
	var hash credential.Hash
	if who.password != nil {
		if hash, err = a.ports.Hasher.Hash(ctx, *who.password); err != nil {
			return nil, err
		}
	}
	// Reading the body and hashing took their time, as long as a client likes: what the actor could
	// do when the request began may be over.
	if actor, err = a.stillIs(ctx, actor); err != nil {
		return nil, err
	}
	if err := a.settings.Access.allow(actor, change, id); err != nil {
		return nil, err
	}
	now := a.ports.Clock.Now()
	after, err := a.ports.Users.Update(ctx, id, func(u *user.User) error {
		if actor.Is(id) && (!u.Active() || !u.SessionsValidAfter().Equal(actor.User.SessionsValidAfter())) {
			return session.ErrTokenInvalid
		}
		if err := fresh(u, in.Versions); err != nil {
			return err
		}
		who.apply(u)
		if who.password != nil {
			u.ChangePassword(hash, a.sessionsEnd(actor, id, now))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if who.password != nil && a.keeps(actor, id) && actor.Session != "" {
		// The password is changed by now, and every session ended; this one is let go on. Should that
		// fail, its owner signs in again, which is the safe side.
		_, _ = a.ports.Sessions.Update(ctx, actor.Session, func(s *session.Session) error {
			s.Confirm(now)
			return nil
		})
	}
	return after, nil
}

// keeps reports whether the actor's own session outlives a change of password that it asks for.
func (a *Accounts) keeps(actor inbound.Actor, id user.ID) bool {
	return a.settings.Rules.KeepCurrent && actor.Is(id)
}

// sessionsEnd returns from before when sessions are to end with a change of password. A token without
// a session has no record that could be let go on, so what is as young as that token goes on with it.
func (a *Accounts) sessionsEnd(actor inbound.Actor, id user.ID, now time.Time) time.Time {
	if a.keeps(actor, id) && actor.Session == "" {
		return actor.Issued
	}
	return now
}

// stillIs returns the actor as they are now, or an error when the token of the request is not good any
// more.
func (a *Accounts) stillIs(ctx context.Context, actor inbound.Actor) (inbound.Actor, error) {
	u, err := a.ports.Users.Get(ctx, actor.User.ID())
	switch {
	case errors.Is(err, user.ErrNotFound):
		return actor, inbound.ErrUserNotFound
	case err != nil:
		return actor, err
	case !u.Active():
		return actor, inbound.ErrUserInactive
	}
	if !u.SessionsValidAfter().Equal(actor.User.SessionsValidAfter()) {
		if actor.Session == "" {
			return actor, session.ErrTokenInvalid
		}
		s, err := a.ports.Sessions.Get(ctx, actor.Session)
		if err != nil || !s.Confirmed(u) {
			return actor, session.ErrTokenInvalid
		}
	}
	actor.User = u
	return actor, nil
}

// confirm asks for the current password where the profile wants it for a change of one's own
// password or address (ASVS 6.2.3, 7.5.1).
func (a *Accounts) confirm(ctx context.Context, actor inbound.Actor, u *user.User, who person, in inbound.UserInput) error {
	newEmail := who.email != nil && who.email.Key() != u.Snapshot().EmailKey
	if !a.settings.Passwords.CurrentNeeded || !actor.Is(u.ID()) || who.password == nil && !newEmail {
		return nil
	}
	s, ok, faults := credential.Member("current_password", true, !a.settings.Passwords.Trim, 0).Check(in.CurrentPassword)
	if !ok || len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	fits, _, err := a.ports.Hasher.Verify(ctx, credential.NewPassword(s), u.Password())
	if err == nil && !fits {
		err = credential.ErrWrongPassword
	}
	return err
}

// Delete implements inbound.Accounts.
func (a *Accounts) Delete(ctx context.Context, actor inbound.Actor, id user.ID, versions []int64) error {
	if _, err := a.find(ctx, actor, change, id); err != nil {
		return err
	}
	return a.delete(ctx, id, versions)
}

// delete removes the user first: from then on no token of theirs is good, and sessions without a
// user are dead. That their records may be left behind by a failure is therefore no failure of the
// deletion; they are swept when they expire.
func (a *Accounts) delete(ctx context.Context, id user.ID, versions []int64) error {
	if err := a.ports.Users.Delete(ctx, id, func(u *user.User) error { return fresh(u, versions) }); err != nil {
		return err
	}
	_ = a.ports.Sessions.DeleteOf(ctx, id)
	return nil
}

// fresh fails with user.ErrStale when versions are named and the user's is none of them.
func fresh(u *user.User, versions []int64) error {
	if versions != nil && !slices.Contains(versions, u.Version()) {
		return user.ErrStale
	}
	return nil
}
