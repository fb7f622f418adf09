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
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// errCredentialReplaced reports that the credential changed between its verification and the update of the user.
var errCredentialReplaced = errors.New("credential replaced during the sign-in")

// signInTries is the maximum number of tries after errCredentialReplaced. The common cause is two sign-ins that
// rehash at the same time, which needs one more try.
const signInTries = 3

func (a *Authentication) SignIn(ctx context.Context, in inbound.SignIn) (inbound.TokenPair, error) {
	u, now, err := a.verifySignIn(ctx, in)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s := session.Start(a.SessionIDs.NewSessionID(), u.ID(), u.SessionEpoch(), now, a.rules, inbound.OriginOf(ctx).Client)
	pair, err := a.signPair(ctx, s, now, nil)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	if err := a.addSession(ctx, s, u, now); err != nil {
		return inbound.TokenPair{}, err
	}
	return pair, nil
}

// verifySignIn verifies the address and the password of a sign-in, within the limits of the guard, and records it with the
// user. It returns the user as stored after that, and the time of the sign-in.
func (a *Authentication) verifySignIn(ctx context.Context, in inbound.SignIn) (*user.User, time.Time, error) {
	email, _, faults := field.Rule{Name: user.FieldEmail, Required: true}.Check(in.Email)
	plain, _, more := field.Rule{Name: user.FieldPassword, Required: true, KeepSpace: !a.trim}.Check(in.Password)
	key, valid := a.emailKey(email)
	if in.OnlyAddresses && !valid && len(faults) == 0 {
		faults = []fault.Field{{Name: user.FieldEmail, Code: "invalid", Message: user.ErrBadEmail.Message}}
	}
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, time.Time{}, fault.ErrInvalid.With(faults...)
	}
	var (
		owner   *user.User
		result  signInResult
		now     time.Time
		started time.Duration
	)
	find := func() (err error) {
		started = a.Clock.Elapsed() // before the read, since reading a user takes longer than finding none
		owner, err = a.userByKey(ctx, key, valid)
		return err
	}
	err := a.guard.attempt(ctx, passwordAttempt{
		account: lockout.ForAccount(key),
		knownNetwork: func(network string) (_ bool, err error) {
			err = find()
			return owner != nil && owner.SignedInFrom(network, a.Clock.Now()), err
		},
		check: func() (_ bool, err error) {
			for try := range signInTries {
				if try > 0 {
					if err = find(); err != nil {
						break
					}
				}
				now = a.Clock.Now()
				if result, err = a.verifyPassword(ctx, owner, started, credential.NewPassword(plain), now); !errors.Is(err, errCredentialReplaced) {
					break
				}
			}
			if errors.Is(err, errCredentialReplaced) || errors.Is(err, inbound.ErrNoAccount) {
				a.Record(ctx, audit.Event{Kind: audit.SignInFailed, User: result.id, Detail: result.refusal})
				return false, nil
			}
			return err == nil, err
		},
		onLocked: func(detail string) {
			a.Record(ctx, audit.Event{Kind: audit.Locked, User: result.id, Detail: detail})
		},
	})
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case result.user == nil:
		result.waitUntilDue(ctx)
		return nil, time.Time{}, inbound.ErrNoAccount
	}
	return result.user, now, nil
}

// signInResult is the result of verifying a password.
type signInResult struct {
	user    *user.User // nil when refused
	id      user.ID    // of the user with the address, even if refused; "" for none
	refusal string     // why it was refused, for the audit trail only

	due <-chan time.Time // receives when a refusal may be answered; nil for at once
}

// waitUntilDue waits until the refusal has taken as long as every other, or ctx ends. The failure is counted and the
// slots of the guard are released before.
func (v signInResult) waitUntilDue(ctx context.Context) {
	if v.due != nil {
		waitUntil(ctx, v.due)
	}
}

// waitUntil waits until due receives, or ctx ends.
func waitUntil(ctx context.Context, due <-chan time.Time) {
	select {
	case <-due:
	case <-ctx.Done():
	}
}

// userByKey returns the user with an email key, or nil when there is none.
func (a *Authentication) userByKey(ctx context.Context, key string, valid bool) (*user.User, error) {
	if !valid {
		return nil, nil
	}
	u, err := a.Users.ByEmail(ctx, key)
	if errors.Is(err, user.ErrNotFound) {
		return nil, nil
	}
	return u, err
}

// verifyPassword verifies p for u and records the sign-in. It fails with ErrNoAccount when u is nil or inactive, or
// the password is wrong. It makes one verification in each case, so that all refusals take the same time, measured
// from started; see waitUntilDue.
func (a *Authentication) verifyPassword(
	ctx context.Context, u *user.User, started time.Duration, p credential.Password, now time.Time,
) (signInResult, error) {
	var v signInResult
	hash := credential.Unusable
	if u != nil {
		v.id = u.ID()
	}
	if u != nil && u.Active() { // otherwise a right password would be refused sooner than a wrong one
		hash = u.Password()
	}
	tried, err := a.Hasher.Verify(ctx, p, hash)
	if err != nil {
		return v, err
	}
	if !tried.Matches {
		v.due = a.Clock.After(tried.Refusal - (a.Clock.Elapsed() - started))
	}
	switch {
	case u == nil:
		v.refusal = "no such user"
	case !u.Active():
		v.refusal = "inactive user"
	case !tried.Matches:
		v.refusal = "wrong password"
	}
	if v.refusal != "" {
		return v, inbound.ErrNoAccount
	}
	newHash := hash
	if tried.NeedsRehash {
		switch h, err := a.Hasher.Hash(ctx, p); {
		case err == nil:
			newHash = h
		case !errors.Is(err, credential.ErrBusy): // rehash at the next sign-in instead
			return v, err
		}
	}
	record, effects := a.recordDevice(ctx, now)
	u, err = a.Users.Update(ctx, u.ID(), func(u *user.User) error {
		if u.Password() != hash {
			return errCredentialReplaced
		}
		if !u.Active() {
			return inbound.ErrNoAccount
		}
		u.Rehash(hash, newHash)
		record(u)
		u.RecordSignIn(now)
		u.RecordNetwork(networkOf(ctx), now)
		return nil
	}, effects...)
	if errors.Is(err, user.ErrNotFound) {
		err = inbound.ErrNoAccount
	}
	if err != nil {
		v.refusal = "changed during the sign-in"
		return v, err
	}
	v.user = u
	return v, nil
}

// recordDevice returns what records the device of a sign-in with the user, and the effects of that: a notice to a user that
// signed in before, but not from this network and client within 90 days.
func (a *Authentication) recordDevice(ctx context.Context, now time.Time) (record func(*user.User), effects []outbound.Effects) {
	if m := a.mail.settings; !m.On || !m.NotifyDevice {
		return func(*user.User) {}, nil
	}
	client := inbound.OriginOf(ctx).Client.UserAgent
	device := user.Device(networkOf(ctx), client)
	var notice []*mail.Mail
	record = func(u *user.User) {
		notice = nil
		if s := u.Snapshot(); !s.LastLogin.IsZero() && !u.SignedInFrom(device, now) {
			notice = a.mail.compose(ctx, mail.NewDevice, s, user.RestoreEmail(s.Email, s.EmailKey), client)
		}
		u.RecordNetwork(device, now)
	}
	return record, []outbound.Effects{func() ([]audit.Event, []*mail.Mail) { return nil, notice }}
}

// emailKey returns the email key of an address, and whether a user can have it. Text that is no address gets a key
// too, under which the guard counts failures.
func (a *Authentication) emailKey(text string) (key string, valid bool) {
	e, err := user.ParseEmail(text, a.Domains.ToASCII)
	if err != nil {
		return "?" + user.Fold(field.Strip(text)), false
	}
	return e.Key(), true
}

// addSession stores the session of a sign-in of u, records it, and ends the sessions of u beyond the maximum.
func (a *Authentication) addSession(ctx context.Context, s *session.Session, u *user.User, now time.Time) error {
	signedIn := audit.Event{Kind: audit.SignedIn, Actor: u.ID(), User: u.ID(), Session: string(s.ID())}
	if err := a.Sessions.Add(ctx, s, a.event(ctx, signedIn)); err != nil {
		return err
	}
	a.displace(ctx, u, s.ID(), now)
	return nil
}

// maxDisplaced is how many sessions one sign-in ends at most. It is more than one, so that sign-ins reach a lowered
// maximum.
const maxDisplaced = 20

// displace ends the oldest sessions of owner beyond the maximum of the rules, after the session started was stored.
// It takes no lock: of several concurrent sign-ins, the last to list the sessions sees all of them. Errors are
// ignored; the next sign-in ends the rest.
func (a *Authentication) displace(ctx context.Context, owner *user.User, started session.ID, now time.Time) {
	q, ok := session.DisplaceQuery(owner, now, a.rules, maxDisplaced)
	if !ok {
		return
	}
	found, err := a.Sessions.List(ctx, q)
	if err != nil {
		return
	}
	for _, old := range session.Displace(found, started) {
		var ended bool
		_, _ = a.Sessions.Update(ctx, old.ID(), func(s *session.Session) error {
			ended = !s.Revoked()
			s.Revoke(now, session.Displaced)
			return nil
		}, a.events(ctx, func() []audit.Event {
			if !ended {
				return nil
			}
			return []audit.Event{{
				Kind: audit.SessionRevoked, Actor: owner.ID(), User: owner.ID(), Session: string(old.ID()), Detail: "too many sessions",
			}}
		}))
	}
}
