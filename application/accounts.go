package application

import (
	"context"
	"errors"
	"slices"
	"time"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
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
	Attempts   outbound.Attempts
	AuditTrail outbound.AuditTrail
	EventIDs   outbound.EventIDs
	Hasher     outbound.PasswordHasher
	Tokens     outbound.Tokens
	Domains    outbound.Domains
	Clock      outbound.Clock
	Breached   outbound.BreachedPasswords // nil for none
}

// Settings is what a profile decides for the use cases.
type Settings struct {
	Access         AccessPolicy
	Registration   Registration
	Passwords      Passwords
	Rules          session.Rules
	Lockout        lockout.Rules
	AuditRetention time.Duration // how long events are kept
}

// Accounts is the use cases about users.
type Accounts struct {
	ports    Ports
	settings Settings
	guard    *Guard
	parser
	recorder
}

var _ inbound.Accounts = (*Accounts)(nil)

// NewAccounts returns the use cases over p.
func NewAccounts(p Ports, s Settings, g *Guard) *Accounts {
	return &Accounts{
		ports: p, settings: s, guard: g,
		parser: parser{p.Users, p.Domains, p.Breached, s.Passwords}, recorder: newRecorder(p),
	}
}

// Register implements inbound.Accounts.
func (a *Accounts) Register(ctx context.Context, actor inbound.Actor, in inbound.UserInput) (*user.User, error) {
	if err := a.AuthorizeRegistration(ctx, actor); err != nil {
		return nil, err
	}
	return a.register(ctx, actor.ID(), in, false)
}

// AuthorizeRegistration implements inbound.Accounts.
func (a *Accounts) AuthorizeRegistration(ctx context.Context, actor inbound.Actor) error {
	if err := a.settings.Registration.allow(actor); err != nil || a.settings.Registration == RegistrationOpen {
		return err
	}
	actor, err := a.ports.stillIs(ctx, actor, a.ports.Clock.Now(), a.settings.Rules)
	if err != nil {
		return err
	}
	return a.settings.Registration.allow(actor)
}

func (a *Accounts) register(ctx context.Context, by user.ID, in inbound.UserInput, staff bool) (*user.User, error) {
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
	if err := a.ports.Users.Add(ctx, u); err != nil {
		return nil, err
	}
	e := audit.Event{Kind: audit.Registered, Actor: by, User: u.ID()}
	if staff {
		e.Detail = flagDetail(user.FieldStaff, true)
	}
	a.record(ctx, e)
	return u, nil
}

// List implements inbound.Accounts.
func (a *Accounts) List(ctx context.Context, actor inbound.Actor, q inbound.List) ([]*user.User, error) {
	f, err := a.settings.Access.scope(actor, q.Filter.Filter)
	if err != nil {
		return nil, err
	}
	if q.Filter.Email != "" {
		found, err := a.withEmail(ctx, q.Filter.Email, f)
		if err != nil || len(found) == 0 || q.Offset > 0 || q.From != nil && found[0].Position().Compare(*q.From, q.Order) <= 0 {
			return nil, err
		}
		return found, nil
	}
	return a.ports.Users.List(ctx, user.Query{Filter: f, Order: q.Order, From: q.From, Offset: q.Offset, Limit: max(q.Limit, 1)})
}

// withEmail returns the user with an address, if there is one and it fits f.
func (a *Accounts) withEmail(ctx context.Context, address string, f user.Filter) ([]*user.User, error) {
	e, err := user.ParseEmail(address, a.ports.Domains.ToASCII)
	if err != nil {
		return nil, ctx.Err() // no user has it
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

// Count implements inbound.Accounts.
func (a *Accounts) Count(ctx context.Context, actor inbound.Actor, asked inbound.Filter) (int, error) {
	f, err := a.settings.Access.scope(actor, asked.Filter)
	if err != nil {
		return 0, err
	}
	if asked.Email != "" {
		found, err := a.withEmail(ctx, asked.Email, f)
		return len(found), err
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
	// Before it is said whether an address is taken, which is found out even if something else is wrong.
	unconfirmed := a.settings.Passwords.CurrentNeeded && actor.Is(id)
	if unconfirmed && a.moves(in.Email, before) {
		if err := a.confirm(ctx, before, in.CurrentPassword); err != nil {
			return nil, err
		}
		unconfirmed = false
	}
	who, err := a.parse(ctx, in.UserInput, in.Whole, before)
	if err != nil {
		return nil, err
	}
	if unconfirmed && who.password != nil {
		if err := a.confirm(ctx, before, in.CurrentPassword); err != nil {
			return nil, err
		}
	}
	if actor.Staff() {
		if who.active, who.staff, err = flags(in.UserInput); err != nil {
			return nil, err
		}
	}
	return a.store(ctx, actor, id, who, in.Versions, a.settings.Rules.KeepCurrent && actor.Is(id))
}

// ChangePassword implements inbound.Accounts.
func (a *Accounts) ChangePassword(ctx context.Context, actor inbound.Actor, current, password field.Text) error {
	if actor.Anonymous() {
		return inbound.ErrNoCredentials
	}
	who, err := a.parse(ctx, inbound.UserInput{Password: password}, false, actor.User)
	faults := renamed(err, user.FieldPassword, fieldNewPassword)
	if !password.Present() {
		_, _, faults = credential.Member(fieldNewPassword, true, true, 0).Check(password)
	}
	if err != nil && faults == nil {
		return err
	}
	if _, _, more := a.currentRule().Check(current); len(more) > 0 {
		faults = append(more, faults...)
	}
	if len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if err := a.confirm(ctx, actor.User, current); err != nil {
		return err
	}
	_, err = a.store(ctx, actor, actor.User.ID(), who, nil, true)
	return err
}

// store makes a change that the actor may make. keep says whether the session of the request outlives
// a change of password.
func (a *Accounts) store(ctx context.Context, actor inbound.Actor, id user.ID, who person, versions []int64, keep bool) (after *user.User, err error) {
	var hash credential.Hash
	if who.password != nil {
		if hash, err = a.ports.Hasher.Hash(ctx, *who.password); err != nil {
			return nil, err
		}
	}
	// Reading the body and hashing took their time, as long as a client likes: what the actor could
	// do when the request began may be over.
	now := a.ports.Clock.Now()
	if actor, err = a.ports.stillIs(ctx, actor, now, a.settings.Rules); err != nil {
		return nil, err
	}
	if err := a.settings.Access.allow(actor, change, id); err != nil {
		return nil, err
	}
	if (who.active != nil || who.staff != nil) && !actor.Staff() {
		return nil, inbound.ErrForbidden
	}
	after, err = a.update(ctx, actor.ID(), id, func(u *user.User) error {
		if actor.Is(id) && (!u.Active() || u.SessionEpoch() != actor.User.SessionEpoch()) {
			return session.ErrTokenInvalid
		}
		if err := fresh(u, versions); err != nil {
			return err
		}
		who.apply(u)
		who.applyFlags(u, now, a.settings.Rules)
		if who.password != nil {
			u.ChangePassword(hash, now)
			if keep && actor.Session == "" && !actor.Issued.IsZero() {
				// A token without a session has no record that could be let go on: what is as young goes on too.
				u.SpareTokens(actor.Issued.Add(-a.settings.Rules.Leeway))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if who.password != nil && !actor.Is(id) {
		// The password is changed by now. Should this fail, the account's waits end by themselves.
		_, _ = a.unlock(ctx, actor.ID(), after)
	}
	if who.password != nil && keep && actor.Session != "" {
		// The password is changed by now, and every session ended; this one is let go on. Should that
		// fail, its owner signs in again, which is the safe side.
		_, _ = a.ports.Sessions.Update(ctx, actor.Session, func(s *session.Session) error {
			if s.Current(actor.User) {
				s.Confirm(after)
			}
			return nil
		})
	}
	return after, nil
}

// stillIs returns the actor as they are at now, or an error when the token of the request does not count
// any more: the user is gone or inactive, or the session was ended since the request began.
func (p Ports) stillIs(ctx context.Context, actor inbound.Actor, now time.Time, r session.Rules) (inbound.Actor, error) {
	u, err := p.Users.Get(ctx, actor.User.ID())
	switch {
	case errors.Is(err, user.ErrNotFound):
		return actor, inbound.ErrUserNotFound
	case err != nil:
		return actor, err
	case !u.Active():
		return actor, inbound.ErrUserInactive
	}
	if actor.Session == "" {
		if u.SessionEpoch() != actor.User.SessionEpoch() {
			err = session.ErrTokenInvalid
		}
		return inbound.Actor{User: u, Issued: actor.Issued}, err
	}
	s, err := p.Sessions.Get(ctx, actor.Session)
	switch {
	case errors.Is(err, session.ErrNotFound):
		return actor, session.ErrTokenInvalid
	case err != nil:
		return actor, err
	case !s.Admits(u, now, r):
		return actor, session.ErrTokenInvalid
	}
	actor.User = u
	return actor, nil
}

// unlock forgets the failed sign-ins of a user, and records that if there were any.
func (a *Accounts) unlock(ctx context.Context, by user.ID, u *user.User) (bool, error) {
	n, err := a.ports.Attempts.DeleteOf(ctx, lockout.ForAccount(u.Snapshot().EmailKey))
	if err == nil && n > 0 {
		a.record(ctx, audit.Event{Kind: audit.Unlocked, Actor: by, User: u.ID()})
	}
	return n > 0, err
}

// confirm asks for the user's current password (ASVS 6.2.3, 7.5.1), guarded as a sign-in is: it is as
// good a place to guess.
func (a *Accounts) confirm(ctx context.Context, u *user.User, current field.Text) error {
	s, ok, faults := a.currentRule().Check(current)
	if !ok || len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	var fits bool
	err := a.guard.attempt(ctx, trial{
		account: lockout.ForAccount(u.Snapshot().EmailKey),
		known:   func(network string) (bool, error) { return u.SignedInFrom(network, a.ports.Clock.Now()), nil },
		check: func() (bool, error) {
			tried, err := a.ports.Hasher.Verify(ctx, credential.NewPassword(s), u.Password())
			fits = tried.Fits // refused at once: the caller has signed in as this user, from whom nothing is hidden
			if err == nil && !fits {
				a.record(ctx, audit.Event{Kind: audit.SignInFailed, Actor: u.ID(), User: u.ID(), Detail: "wrong current password"})
			}
			return fits, err
		},
		locked: func(what string) {
			a.record(ctx, audit.Event{Kind: audit.Locked, Actor: u.ID(), User: u.ID(), Detail: what})
		},
	})
	if err == nil && !fits {
		err = credential.ErrWrongPassword
	}
	return err
}

func (a *Accounts) currentRule() field.Rule {
	return credential.Member("current_password", true, !a.settings.Passwords.Trim, 0)
}

// Delete implements inbound.Accounts.
func (a *Accounts) Delete(ctx context.Context, actor inbound.Actor, id user.ID, versions []int64) error {
	if _, err := a.find(ctx, actor, change, id); err != nil {
		return err
	}
	actor, err := a.ports.stillIs(ctx, actor, a.ports.Clock.Now(), a.settings.Rules)
	if err != nil {
		return err
	}
	if err := a.settings.Access.allow(actor, change, id); err != nil { // as the actor is now
		return err
	}
	return a.delete(ctx, actor.ID(), id, func(u *user.User) error { return fresh(u, versions) })
}

// fresh fails with user.ErrStale when versions are named and the user's is none of them, and with
// user.ErrNoVersion when what is named is no version.
func fresh(u *user.User, versions []int64) error {
	switch {
	case versions == nil, slices.Contains(versions, u.Version()):
		return nil
	case len(versions) == 0:
		return user.ErrNoVersion
	}
	return user.ErrStale
}
