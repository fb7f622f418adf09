package application

import (
	"context"
	"errors"
	"time"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Authentication is the use cases about tokens.
type Authentication struct {
	Ports
	trim  bool
	rules session.Rules
}

var _ inbound.Authentication = (*Authentication)(nil)

// NewAuthentication returns the use cases over p.
func NewAuthentication(p Ports, s Settings) *Authentication {
	return &Authentication{p, s.Passwords.Trim, s.Rules}
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
	err := errMoved
	for try := 0; try < signInTries && errors.Is(err, errMoved); try++ {
		var u *user.User
		// The session dates from before the password is looked at, so that a change of password
		// under way ends it.
		now := a.Clock.Now()
		if u, err = a.verified(ctx, email, credential.NewPassword(plain), now); err == nil {
			return a.begin(ctx, u, now, in.Client)
		}
	}
	if errors.Is(err, errMoved) {
		err = inbound.ErrNoAccount
	}
	return inbound.TokenPair{}, err
}

// verified returns the active user whom the password fits, with the sign-in noted, or ErrNoAccount.
// Whatever is wrong, the same work is done.
func (a *Authentication) verified(ctx context.Context, email string, p credential.Password, now time.Time) (*user.User, error) {
	u, err := a.byEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	hash := credential.Unusable
	if u != nil && u.Active() { // else the right password would be refused sooner than a wrong one
		hash = u.Password()
	}
	fits, outdated, err := a.Hasher.Verify(ctx, p, hash)
	if err != nil {
		return nil, err
	}
	if u == nil || !fits || !u.Active() {
		return nil, inbound.ErrNoAccount
	}
	better := hash
	if outdated {
		switch h, err := a.Hasher.Hash(ctx, p); {
		case err == nil:
			better = h
		case !errors.Is(err, credential.ErrBusy): // a better hash can wait for the next sign-in
			return nil, err
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
		return nil
	})
	if errors.Is(err, user.ErrNotFound) {
		err = inbound.ErrNoAccount
	}
	return u, err
}

// byEmail returns the user with that address, or nil: any text may be given to sign in with.
func (a *Authentication) byEmail(ctx context.Context, text string) (*user.User, error) {
	e, err := user.ParseEmail(text, a.Domains.ToASCII)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // no address is no user, not a failure
	}
	u, err := a.Users.ByEmail(ctx, e.Key())
	if errors.Is(err, user.ErrNotFound) {
		return nil, nil //nolint:nilnil // see above
	}
	return u, err
}

func (a *Authentication) begin(ctx context.Context, u *user.User, now time.Time, c session.Client) (inbound.TokenPair, error) {
	s := session.Start(a.SessionIDs.NewSessionID(), u.ID(), now, a.rules, c)
	if err := a.Sessions.Add(ctx, s); err != nil {
		return inbound.TokenPair{}, err
	}
	return a.pair(ctx, s, now, nil)
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
	case s == nil && a.sessionless(c, owner) != nil, s != nil && !s.Live(owner, now):
		return inbound.TokenPair{}, session.ErrTokenInvalid
	case a.rules.Rotate:
		return a.rotate(ctx, c, s, g, owner, now)
	case s == nil:
		access, err := a.access(ctx, "", owner.ID(), now, c.Extra)
		return inbound.TokenPair{Access: access}, err
	}
	if err := s.Check(g, now); err != nil {
		return inbound.TokenPair{}, err
	}
	access, err := a.access(ctx, s.ID(), owner.ID(), now, c.Extra)
	return inbound.TokenPair{Access: access}, err
}

func (a *Authentication) rotate(ctx context.Context, c session.Claims, s *session.Session, g int, owner *user.User, now time.Time) (inbound.TokenPair, error) {
	s, err := a.known(ctx, c, s, owner.ID(), now)
	if err != nil {
		return inbound.TokenPair{}, err
	}
	s, err = a.update(ctx, s.ID(), func(s *session.Session) error {
		if !s.Revoked() && !s.Live(owner, now) {
			return session.ErrTokenInvalid
		}
		return s.Rotate(g, now, a.rules)
	})
	if err != nil {
		return inbound.TokenPair{}, err
	}
	return a.pair(ctx, s, now, c.Extra)
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
func (a *Authentication) known(ctx context.Context, c session.Claims, s *session.Session, owner user.ID, now time.Time) (*session.Session, error) {
	if s != nil {
		return s, nil
	}
	s = session.Adopt(c.Foreign, owner, c, now, a.rules)
	if err := a.Sessions.Add(ctx, s); err != nil && !errors.Is(err, session.ErrExists) {
		return nil, err
	}
	return s, nil
}
