package application_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// A password that changes during a sign-in with the old one stays changed, even when the sign-in was to store a new
// hash. The sign-in fails.
func TestPasswordChangeDuringSignInIsKept(t *testing.T) {
	const next = "wqzxvkjpm-2"
	for name, before := range map[string]credential.Hash{
		"outdated hash": fixture.Old(fixture.Password), "current hash": credential.RestoreHash("new$" + fixture.Password),
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			u := s.Add(t, "a@example.com")
			s.Set(t, u.ID(), func(u *user.User) { u.Rehash(u.Password(), before) })
			s.Hasher.During = func() {
				s.Hasher.During = nil
				s.Clock.Advance(time.Second)
				if err := s.Administration.SetPassword(t.Context(), u.ID(), field.Given(next)); err != nil {
					t.Error(err)
				}
			}
			s.Refused(t, "a@example.com", fixture.Password)
			if got, _ := s.Users.Get(t.Context(), u.ID()); got.Password().Encoded() != "new$"+next {
				t.Error("the changed password is gone")
			}
			s.SignsIn(t, "a@example.com", next)
		})
	}
}

// busySessions runs a function before a session is updated.
type busySessions struct {
	outbound.Sessions
	before func() error
}

func (b *busySessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects) (*session.Session, error) {
	if err := b.before(); err != nil {
		return nil, err
	}
	return b.Sessions.Update(ctx, id, change, events...)
}

// over returns the use cases with another storage of sessions.
func over(s *fixture.Service, sessions outbound.Sessions) *application.Authentication {
	ports := s.Ports
	ports.Sessions = sessions
	return application.NewAuthentication(ports, fixture.Standard(), application.NewGuard(ports, fixture.Standard()))
}

// A refresh in progress does not restore a session that is ended during it.
func TestSignOutDuringRefreshIsKept(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	_, err := over(s, &busySessions{s.Ports.Sessions, func() error { return s.SignOut(t.Context(), field.Given(p.Refresh)) }}).
		Refresh(t.Context(), field.Given(p.Refresh))
	if !errors.Is(err, session.ErrBlacklisted) {
		t.Errorf("got %v", err)
	}
	s.RefreshFails(t, p.Refresh, session.ErrBlacklisted)
	if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("access: %v", err)
	}
}

// A sign-out or the end of a session that cannot be stored fails, and succeeds when it is repeated.
func TestFailedSignOutReturnsTheError(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	actor := actorOf(t, s, p.Access)
	away := &busySessions{s.Ports.Sessions, func() error { return fault.ErrUnavailable }}
	if err := over(s, away).SignOut(t.Context(), field.Given(p.Refresh)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("sign out: %v", err)
	}
	ports := s.Ports
	ports.Sessions = away
	if err := application.NewSessions(ports, fixture.Standard()).End(t.Context(), actor, actor.Session); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("end: %v", err)
	}
	ports = s.Ports
	ports.Users = &failing{s.Ports.Users}
	if err := application.NewSessions(ports, fixture.Standard()).EndAll(t.Context(), actor, ""); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("end all: %v", err)
	}
	actorOf(t, s, p.Access)
	if err := s.SignOut(t.Context(), field.Given(p.Refresh)); err != nil {
		t.Errorf("once the storage is back: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("access: %v", err)
	}
}

// failing is a storage of users whose updates fail.
type failing struct{ outbound.Users }

func (failing) Update(context.Context, user.ID, func(*user.User) error, ...outbound.Effects) (*user.User, error) {
	return nil, fault.ErrUnavailable
}

// A sign-in fails with the storage's error when its wrong password cannot be counted.
func TestUncountedFailureReturnsTheError(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	ports := s.Ports
	ports.Attempts = &uncounted{s.Ports.Attempts}
	a := application.NewAuthentication(ports, fixture.Standard(), application.NewGuard(ports, fixture.Standard()))
	if _, err := a.SignIn(t.Context(), inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given("wrong")}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

type uncounted struct{ outbound.Attempts }

func (uncounted) Update(context.Context, lockout.Subject, func(*lockout.Record) error) (*lockout.Record, error) {
	return nil, fault.ErrUnavailable
}

// A sign-in fails as with a wrong password when its user is deactivated or deleted during it.
func TestDeactivationDuringSignInRefusesIt(t *testing.T) {
	for name, happens := range map[string]func(t *testing.T, s *fixture.Service, id user.ID){
		"deactivated": func(t *testing.T, s *fixture.Service, id user.ID) {
			s.Set(t, id, func(u *user.User) { u.SetActive(false) })
		},
		"deleted": func(t *testing.T, s *fixture.Service, id user.ID) {
			if err := s.Ports.Users.Delete(t.Context(), id, func(*user.User) error { return nil }); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			u := s.Add(t, "a@example.com")
			s.Hasher.During = func() {
				s.Hasher.During = nil
				happens(t, s, u.ID())
			}
			s.Refused(t, "a@example.com", fixture.Password)
			if after, err := s.Users.Get(t.Context(), u.ID()); err == nil && !after.Snapshot().LastLogin.IsZero() {
				t.Error("a sign-in is noted")
			}
			if xs, err := s.Ports.Sessions.List(t.Context(), session.Query{Owner: u.ID(), LiveAt: s.Clock.Now(), Limit: 9}); err != nil || len(xs) > 0 {
				t.Errorf("%d sessions, %v", len(xs), err)
			}
			wantTrail(t, s, audit.SignedIn)
			wantTrail(t, s, audit.SignInFailed, "changed during the sign-in")
		})
	}
}
