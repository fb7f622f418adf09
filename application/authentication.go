package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Authentication is the use cases about tokens.
type Authentication struct {
	Ports
	*repeats
	guard *Guard
	trim  bool
	rules session.Rules
}

var _ inbound.Authentication = (*Authentication)(nil)

// NewAuthentication returns the use cases over p.
func NewAuthentication(p Ports, s Settings, g *Guard) *Authentication {
	return &Authentication{p, &repeats{recorder: newRecorder(p)}, g, s.Passwords.Trim, s.Rules}
}

// errMoved says that the credential was replaced between its verification and the sign-in.
var errMoved = errors.New("credential replaced meanwhile")

// signInTries bounds how often a sign-in starts over for that: two sign-ins that rehash at once are
// the common case and need one.
const signInTries = 3

// SignIn implements inbound.Authentication.
func (a *Authentication) SignIn(ctx context.Context, in inbound.SignIn) (inbound.TokenPair, error) {
	email, _, faults := field.Rule{Name: user.FieldEmail, Required: true}.Check(in.Email)
	plain, _, more := field.Rule{Name: user.FieldPassword, Required: true, Keep: !a.trim}.Check(in.Password)
	if faults = append(faults, more...); len(faults) > 0 {
		return inbound.TokenPair{}, fault.ErrInvalid.With(faults...)
	}
	key, known := a.emailKey(email)
	var (
		holder *user.User
		who    visitor
		now    time.Time
		begun  time.Duration
	)
	find := func() (err error) {
		begun = a.Clock.Elapsed() // reading a user takes longer than finding none
		holder, err = a.holder(ctx, key, known)
		return err
	}
	err := a.guard.attempt(ctx, trial{
		account: lockout.ForAccount(key),
		known: func(network string) (_ bool, err error) {
			err = find()
			return holder != nil && holder.SignedInFrom(network, a.Clock.Now()), err
		},
		check: func() (_ bool, err error) {
			for try := range signInTries {
				if try > 0 {
					if err = find(); err != nil {
						break
					}
				}
				now = a.Clock.Now()
				if who, err = a.verified(ctx, holder, begun, credential.NewPassword(plain), now); !errors.Is(err, errMoved) {
					break
				}
			}
			if errors.Is(err, errMoved) || errors.Is(err, inbound.ErrNoAccount) {
				a.record(ctx, audit.Event{Kind: audit.SignInFailed, User: who.id, Detail: who.refused})
				return false, nil
			}
			return err == nil, err
		},
		locked: func(what string) {
			a.record(ctx, audit.Event{Kind: audit.Locked, User: who.id, Detail: what})
		},
	})
	switch {
	case err != nil:
		return inbound.TokenPair{}, err
	case who.user == nil:
		who.await(ctx)
		return inbound.TokenPair{}, inbound.ErrNoAccount
	}
	return a.begin(ctx, who.user, now)
}

// visitor is who tries to sign in.
type visitor struct {
	user    *user.User // nil when refused
	id      user.ID    // of the user with the address, if there is one
	refused string     // why, for the audit trail alone

	due <-chan time.Time // receives when a refusal may be answered; nil for at once
}

// await waits until the refusal has taken as long as every other, or ctx ends. The failure is counted
// by then, and no place is held.
func (v visitor) await(ctx context.Context) {
	if v.due == nil {
		return
	}
	select {
	case <-v.due:
	case <-ctx.Done():
	}
}

// holder returns the user with an email key, or nil when there is none.
func (a *Authentication) holder(ctx context.Context, key string, known bool) (*user.User, error) {
	if !known {
		return nil, nil
	}
	u, err := a.Users.ByEmail(ctx, key)
	if errors.Is(err, user.ErrNotFound) {
		return nil, nil
	}
	return u, err
}

// verified returns u, if active and the password fits, with the sign-in noted, or ErrNoAccount. Whatever is
// wrong, one verification is made, also where u is nil, and await ends as long after begun.
func (a *Authentication) verified(ctx context.Context, u *user.User, begun time.Duration, p credential.Password, now time.Time) (visitor, error) {
	var v visitor
	hash := credential.Unusable
	if u != nil {
		v.id = u.ID()
	}
	if u != nil && u.Active() { // else the right password would be refused sooner than a wrong one
		hash = u.Password()
	}
	tried, err := a.Hasher.Verify(ctx, p, hash)
	if err != nil {
		return v, err
	}
	if !tried.Fits {
		v.due = a.Clock.After(tried.Refusal - (a.Clock.Elapsed() - begun))
	}
	switch {
	case u == nil:
		v.refused = "no such user"
	case !u.Active():
		v.refused = "inactive user"
	case !tried.Fits:
		v.refused = "wrong password"
	}
	if v.refused != "" {
		return v, inbound.ErrNoAccount
	}
	better := hash
	if tried.Outdated {
		switch h, err := a.Hasher.Hash(ctx, p); {
		case err == nil:
			better = h
		case !errors.Is(err, credential.ErrBusy): // a better hash can wait for the next sign-in
			return v, err
		}
	}
	u, err = a.Users.Update(ctx, u.ID(), func(u *user.User) error {
		if u.Password() != hash {
			return errMoved
		}
		if !u.Active() {
			return inbound.ErrNoAccount
		}
		u.Rehash(hash, better)
		u.RecordSignIn(now)
		u.RecordNetwork(networkOf(ctx), now)
		return nil
	})
	if errors.Is(err, user.ErrNotFound) {
		err = inbound.ErrNoAccount
	}
	if err != nil {
		v.refused = "changed meanwhile"
		return v, err
	}
	v.user = u
	return v, nil
}

// emailKey returns the key that an address given to sign in with has, and whether a user can have it:
// any text may be given, and is counted by the guard.
func (a *Authentication) emailKey(text string) (key string, known bool) {
	e, err := user.ParseEmail(text, a.Domains.ToASCII)
	if err != nil {
		return "?" + user.Fold(field.Strip(text)), false
	}
	return e.Key(), true
}

func (a *Authentication) begin(ctx context.Context, u *user.User, now time.Time) (inbound.TokenPair, error) {
	s := session.Start(a.SessionIDs.NewSessionID(), u.ID(), u.SessionEpoch(), now, a.rules, inbound.OriginOf(ctx).Client)
	if err := a.Sessions.Add(ctx, s); err != nil {
		return inbound.TokenPair{}, err
	}
	pair, err := a.pair(ctx, s, now, nil)
	if err == nil {
		a.record(ctx, audit.Event{Kind: audit.SignedIn, Actor: u.ID(), User: u.ID(), Session: string(s.ID())})
		a.displace(ctx, u, s.ID(), now)
	}
	return pair, err
}

// displacedAtOnce is how many sessions one sign-in ends at most. Each ends one more than it begins, until those are
// gone that a lower maximum leaves no room for.
const displacedAtOnce = 20

// displace ends the oldest sessions of owner beyond the most that the rules allow, now that begun is one of them. It
// holds up no other sign-in: of several at once each sees those that were stored before it looked, so that the
// last to look sees all. What it cannot end is left to the next sign-in.
func (a *Authentication) displace(ctx context.Context, owner *user.User, begun session.ID, now time.Time) {
	q, ok := session.BeyondMax(owner, now, a.rules, displacedAtOnce)
	if !ok {
		return
	}
	found, err := a.Sessions.List(ctx, q)
	if err != nil {
		return
	}
	for _, old := range session.Displace(found, begun) {
		var ended bool
		_, err := a.Sessions.Update(ctx, old.ID(), func(s *session.Session) error {
			ended = !s.Revoked()
			s.Revoke(now, session.Displaced)
			return nil
		})
		if err == nil && ended {
			a.record(ctx, audit.Event{
				Kind: audit.SessionRevoked, Actor: owner.ID(), User: owner.ID(), Session: string(old.ID()), Detail: "too many sessions",
			})
		}
	}
}

// Refresh implements inbound.Authentication.
func (a *Authentication) Refresh(ctx context.Context, token field.Text) (inbound.TokenPair, error) {
	now := a.Clock.Now()
	c, err := a.parse(ctx, "refresh", token, session.Refresh, now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, g, err := a.sessionOf(ctx, c)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	if s != nil && s.Revoked() {
		return inbound.TokenPair{}, session.ErrBlacklisted
	}
	owner, err := a.owner(ctx, c)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	switch {
	case s == nil && a.sessionless(c, owner) != nil, s != nil && !s.Live(owner, now, a.rules):
		return inbound.TokenPair{}, session.ErrTokenInvalid
	case a.rules.Rotate:
		return a.rotate(ctx, c, s, g, owner, now)
	case s == nil:
		return a.renewed(ctx, "", owner.ID(), now, c.Extra)
	}
	if err := s.Check(g, now, a.rules); err != nil {
		return inbound.TokenPair{}, err
	}
	if s.Use(now) {
		// For the list of sessions alone: that it could not be noted is no reason to refuse.
		_, _ = a.Sessions.Update(ctx, s.ID(), func(s *session.Session) error {
			s.Use(now)
			return nil
		})
	}
	return a.renewed(ctx, s.ID(), owner.ID(), now, c.Extra)
}

// renewed answers a refresh that does not rotate.
func (a *Authentication) renewed(ctx context.Context, s session.ID, owner user.ID, now time.Time, extra []byte) (inbound.TokenPair, error) {
	access, err := a.access(ctx, s, owner, now, extra)
	if err == nil {
		a.refreshed(ctx, s, owner)
	}
	return inbound.TokenPair{Access: access}, err
}

func (a *Authentication) refreshed(ctx context.Context, s session.ID, owner user.ID) {
	a.record(ctx, audit.Event{Kind: audit.Refreshed, Actor: owner, User: owner, Session: string(s)})
}

func (a *Authentication) rotate(ctx context.Context, c session.Claims, s *session.Session, g int, owner *user.User, now time.Time) (inbound.TokenPair, error) {
	s, err := a.known(ctx, c, s, owner.ID(), owner.SessionEpoch(), now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, err = a.update(ctx, s.ID(), func(s *session.Session) error {
		if !s.Revoked() && !s.Live(owner, now, a.rules) {
			return session.ErrTokenInvalid
		}
		return s.Rotate(g, now, a.rules)
	})
	if err != nil {
		a.reused(ctx, s, g, err)
		return inbound.TokenPair{}, err
	}
	pair, err := a.pair(ctx, s, now, c.Extra)
	if err == nil {
		a.refreshed(ctx, s.ID(), owner.ID())
	}
	return pair, err
}

// reused records that a used refresh token came again, if that is why it was refused.
func (a *Authentication) reused(ctx context.Context, s *session.Session, g int, refusal error) {
	if s == nil || g >= s.Generation() || !errors.Is(refusal, session.ErrBlacklisted) {
		return
	}
	e := audit.Event{Kind: audit.Reused, User: s.User(), Session: string(s.ID()), Detail: "refused"}
	if s.Snapshot().Reason == session.Reused {
		e.Detail = "session ended"
	}
	a.record(ctx, e)
}

// update changes a session and stores it even when the change ends in a refusal, since a refusal may
// revoke.
func (a *Authentication) update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	var refusal error
	s, err := a.Sessions.Update(ctx, id, func(s *session.Session) error {
		refusal = change(s)
		return nil
	})
	switch {
	case errors.Is(err, session.ErrNotFound): // the user was deleted meanwhile
		return nil, session.ErrTokenInvalid
	case err != nil:
		return nil, err
	}
	return s, refusal
}

// known makes sure that there is a record to rotate or revoke: a token that another issuer gave out
// has none until now.
func (a *Authentication) known(ctx context.Context, c session.Claims, s *session.Session, owner user.ID, epoch int64, now time.Time) (*session.Session, error) {
	if s != nil {
		return s, nil
	}
	s = session.Adopt(c.Foreign, owner, epoch, c, now)
	if err := a.Sessions.Add(ctx, s); err != nil && !errors.Is(err, session.ErrExists) {
		return nil, err
	}
	return s, nil
}
