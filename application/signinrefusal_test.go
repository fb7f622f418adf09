package application_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roster/application"
	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// refusals counts verifications that no password can match.
type refusals struct {
	outbound.PasswordHasher
	refused, fitted int
}

func (r *refusals) Verify(ctx context.Context, p credential.Password, c credential.Hash) (outbound.Verification, error) {
	v, err := r.PasswordHasher.Verify(ctx, p, c)
	if v.Matches {
		r.fitted++
	} else {
		r.refused++
	}
	return v, err
}

// reading advances the clock when a user is found.
type reading struct {
	outbound.Users
	clock *fixture.Clock
}

func (r reading) ByEmail(ctx context.Context, key string) (*user.User, error) {
	u, err := r.Users.ByEmail(ctx, key)
	if err == nil {
		r.clock.Advance(7 * time.Millisecond)
	}
	return u, err
}

// Each refused sign-in makes one verification, which no password matches, and waits once for the rest of the time of
// a refusal.
func TestEveryRefusalVerifiesOnce(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Hasher.Refusal = 123 * time.Millisecond
	s.Hasher.During = func() { s.Clock.Advance(23 * time.Millisecond) } // duration of the verification
	ann := s.Add(t, "ann@example.com")
	bob := s.Add(t, "bob@example.com")
	s.Set(t, bob.ID(), func(u *user.User) { u.SetActive(false) })
	cyd := s.Add(t, "cyd@example.com")
	s.Set(t, cyd.ID(), func(u *user.User) { u.ChangePassword(credential.Unusable, s.Clock.Now()) })
	dee := s.Add(t, "dee@example.com")
	s.Set(t, dee.ID(), func(u *user.User) { u.ChangePassword(fixture.Old("lantern"), s.Clock.Now()) })

	for name, c := range map[string]struct{ email, password string }{
		"wrong":                           {ann.Snapshot().Email, "wrong"},
		"unknown":                         {"unknown@example.com", fixture.Password},
		"no address":                      {"no-address", fixture.Password},
		"inactive, right":                 {"bob@example.com", fixture.Password},
		"inactive, wrong":                 {"bob@example.com", "wrong"},
		"no usable password":              {"cyd@example.com", fixture.Password},
		"imported, wrong":                 {"dee@example.com", "wrong"},
		"a megabyte, known":               {"ann@example.com", strings.Repeat("x", 1<<20)},
		"a megabyte, for an unknown user": {"unknown@example.com", strings.Repeat("x", 1<<20)},
		"a megabyte, no password":         {"cyd@example.com", strings.Repeat("x", 1<<20)},
	} {
		r := &refusals{PasswordHasher: s.Ports.Hasher}
		ports := s.Ports
		ports.Hasher, ports.Users = r, reading{s.Ports.Users, s.Clock}
		begun := s.Clock.Elapsed()
		_, err := application.NewAuthentication(ports, fixture.Standard(), application.NewGuard(ports, fixture.Standard())).
			SignIn(t.Context(), inbound.SignIn{Email: field.Given(c.email), Password: field.Given(c.password)})
		if !errors.Is(err, inbound.ErrNoAccount) || r.refused != 1 || r.fitted != 0 {
			t.Errorf("%s: %v, %d refused, %d fitted", name, err, r.refused, r.fitted)
		}
		if got := s.Clock.Waits(); len(got) != 1 || s.Clock.Elapsed()-begun+got[0] != s.Hasher.Refusal {
			t.Errorf("%s: after %v, waits of %v", name, s.Clock.Elapsed()-begun, got)
		}
	}
	s.SignsIn(t, "ann@example.com", fixture.Password)
	s.SignsIn(t, "dee@example.com", "lantern")
	if got := s.Clock.Waits(); len(got) > 0 {
		t.Errorf("sign-ins wait %v", got)
	}
}

// A delayed refusal is counted already and does not block other attempts. The delay ends with the request.
func TestDelayedRefusalHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := fixture.Standard()
		settings.Lockout.Account.Free = 3
		s := fixture.New(t, settings)
		s.Add(t, "ann@example.com")
		s.Clock.Hold = make(chan time.Time)
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := s.SignIn(ctx, inbound.SignIn{Email: field.Given("ann@example.com"), Password: field.Given("wrong")})
				answers <- err
			}()
		}
		synctest.Wait()
		if len(answers) > 0 {
			t.Fatal("a refusal does not wait")
		}
		if r, err := s.Attempts.Get(t.Context(), lockout.ForAccount("ann@example.com").FromNewNetworks()); err != nil || r.Snapshot().Failures != 2 {
			t.Errorf("%+v, %v", r, err)
		}
		s.SignsIn(t, "ann@example.com", fixture.Password) // the delayed refusals hold no slot, so one is free
		s.Clock.Hold <- time.Time{}
		synctest.Wait()
		if err := <-answers; !errors.Is(err, inbound.ErrNoAccount) || len(answers) > 0 {
			t.Errorf("%v, and %d more", err, len(answers))
		}
		cancel()
		if err := <-answers; !errors.Is(err, inbound.ErrNoAccount) {
			t.Error(err)
		}
	})
}
