package application_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roster/application"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// breaches contains one breached password and counts lookups.
type breaches struct {
	password string
	err      error
	asked    int
}

func (b *breaches) Breached(_ context.Context, p credential.Password) (bool, error) {
	b.asked++
	return p.Reveal() == b.password, b.err
}

// hashing counts calls of the hasher.
type hashing struct {
	outbound.PasswordHasher
	calls int
}

func (h *hashing) Hash(ctx context.Context, p credential.Password) (credential.Hash, error) {
	h.calls++
	return h.PasswordHasher.Hash(ctx, p)
}

func (h *hashing) Verify(ctx context.Context, p credential.Password, c credential.Hash) (outbound.Verification, error) {
	h.calls++
	return h.PasswordHasher.Verify(ctx, p, c)
}

// newPasswords returns every way to set a password, by name.
func newPasswords(s *fixture.Service, accounts *application.Accounts, u *user.User) map[string]func(ctx context.Context, password string) error {
	admin := application.NewAdministration(accounts)
	fresh := func(password string) inbound.UserInput {
		in := fixture.Input("new@example.com")
		in.Password = field.Given(password)
		return in
	}
	return map[string]func(ctx context.Context, password string) error{
		"registration": func(ctx context.Context, password string) error {
			_, err := accounts.Register(ctx, inbound.Actor{}, fixture.Body(fresh(password)))
			return err
		},
		"change": func(ctx context.Context, password string) error {
			_, err := accounts.Change(ctx, inbound.Actor{User: u}, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{
				Password: field.Given(password), CurrentPassword: field.Given(fixture.Password),
			}}))

			return err
		},
		"replacement": func(ctx context.Context, password string) error {
			in := fresh(password)
			in.Email, in.CurrentPassword = field.Given("ann@example.com"), field.Given(fixture.Password)
			_, err := accounts.Change(ctx, inbound.Actor{User: u}, u.ID(), fixture.Body(inbound.Changes{UserInput: in, Full: true}))
			return err
		},
		"createsuperuser": func(ctx context.Context, password string) error {
			_, err := admin.Create(ctx, fresh(password))
			return err
		},
		"set-password": func(ctx context.Context, password string) error {
			return admin.SetPassword(ctx, u.ID(), field.Given(password))
		},
	}
}

func fieldsOf(err error) []fault.Field {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Fields
	}
	return nil
}

func TestBreachedPasswordsAreRefused(t *testing.T) {
	away := errors.New("away")
	want := []fault.Field{{Name: "password", Code: "password_breached", Message: "This password has appeared in a data breach. Choose another one."}}
	for _, name := range []string{"registration", "change", "replacement", "createsuperuser", "set-password"} {
		s := fixture.New(t, fixture.Standard())
		u := s.Add(t, "ann@example.com")
		b, h := &breaches{password: "Breached-long-ago-1"}, &hashing{PasswordHasher: s.Ports.Hasher}
		ports := s.Ports
		ports.Breached, ports.Hasher = b, h
		set := newPasswords(s, application.NewAccounts(ports, fixture.Standard(), application.NewGuard(ports, fixture.Standard())), u)[name]

		if err := set(t.Context(), "Breached-long-ago-1"); !errors.Is(err, fault.ErrInvalid) || !cmp.Equal(fieldsOf(err), want) || h.calls != 0 {
			t.Errorf("%s: %v, %d hashed", name, err, h.calls)
		}
		b.asked = 0
		if err := set(t.Context(), "short"); !errors.Is(err, fault.ErrInvalid) || b.asked != 0 {
			t.Errorf("%s of what another rule refuses: %v, asked %d times", name, err, b.asked)
		}
		b.err = away
		if err := set(t.Context(), "Never-breached-at-all"); !errors.Is(err, away) {
			t.Errorf("%s while the port fails: %v", name, err)
		}
		b.err = nil
		if err := set(t.Context(), "Never-breached-at-all"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only a client with a good link makes the service ask whether a password was breached.
func TestBreachesOfMailedLinks(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "ann@example.com")
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("ann@example.com")), nil)
	good := fixture.LinkOf(s.Received(t, "password_reset ann@example.com")[0])
	b := &breaches{password: "Breached-long-ago-1"}
	p, set := s.Ports, fixture.Standard()
	p.Breached, set.Mail = b, fixture.Mailing(application.VerificationOff)
	links := application.NewLinks(application.NewAccounts(p, set, application.NewGuard(p, set)))
	bad := good
	bad.Token = field.Given("bad")
	want(t, "bad link", links.ResetPassword(t.Context(), bad, newPassword("Breached-long-ago-1")), link.ErrBadToken)
	if b.asked != 0 {
		t.Errorf("asked %d times", b.asked)
	}
	want(t, "breached", links.ResetPassword(t.Context(), good, newPassword("Breached-long-ago-1")), fault.ErrInvalid)
	want(t, "good", links.ResetPassword(t.Context(), good, newPassword("Never-breached-at-all")), nil)
}

// A password of a megabyte is refused everywhere before any work is done on it.
func TestHugePasswordsAreNotHashed(t *testing.T) {
	asked := 0
	settings := fixture.Standard()
	settings.Passwords.Policy = credential.NewPolicy(8, func(string) bool { asked++; return false })
	settings.Passwords.RequireCurrent = true
	s := fixture.New(t, settings)
	u := s.Add(t, "ann@example.com")
	b, h := &breaches{}, &hashing{PasswordHasher: s.Ports.Hasher}
	ports := s.Ports
	ports.Breached, ports.Hasher = b, h
	accounts := application.NewAccounts(ports, settings, application.NewGuard(ports, settings))
	ways := newPasswords(s, accounts, u)
	ways["current password"] = func(ctx context.Context, password string) error {
		_, err := accounts.Change(ctx, inbound.Actor{User: u}, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{
			Email: field.Given("anne@example.com"), CurrentPassword: field.Given(password),
		}}))

		return err
	}
	asked = 0
	for name, give := range ways {
		for _, p := range []string{strings.Repeat("x", 1<<20), strings.Repeat("é", 1<<19), strings.Repeat(" ", 1<<20) + "x"} {
			err := give(t.Context(), p)
			if fs := fieldsOf(err); !errors.Is(err, fault.ErrInvalid) || len(fs) == 0 || fs[len(fs)-1].Code != "max_length" {
				t.Errorf("%s: %.200v", name, err)
			}
		}
	}
	if h.calls != 0 || asked != 0 || b.asked != 0 {
		t.Errorf("%d times hashed, %d looked up, %d asked about breaches", h.calls, asked, b.asked)
	}
}
