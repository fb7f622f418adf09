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

// errCredentialReplaced says that the credential was replaced between its verification and the sign-in.
var errCredentialReplaced = errors.New("credential replaced meanwhile")

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
				if who, err = a.verified(ctx, holder, begun, credential.NewPassword(plain), now); !errors.Is(err, errCredentialReplaced) {
					break
				}
			}
			if errors.Is(err, errCredentialReplaced) || errors.Is(err, inbound.ErrNoAccount) {
				a.Record(ctx, audit.Event{Kind: audit.SignInFailed, User: who.id, Detail: who.refused})
				return false, nil
			}
			return err == nil, err
		},
		locked: func(what string) {
			a.Record(ctx, audit.Event{Kind: audit.Locked, User: who.id, Detail: what})
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
			return errCredentialReplaced
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
		a.Record(ctx, audit.Event{Kind: audit.SignedIn, Actor: u.ID(), User: u.ID(), Session: string(s.ID())})
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
			a.Record(ctx, audit.Event{
				Kind: audit.SessionRevoked, Actor: owner.ID(), User: owner.ID(), Session: string(old.ID()), Detail: "too many sessions",
			})
		}
	}
}
