package application_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"roster/application"
	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/fixture"
)

// refusals counts the verifications that fit nothing: those whose cost is the same for all.
type refusals struct {
	outbound.PasswordHasher
	refused, fitted int
}

func (r *refusals) Verify(ctx context.Context, p credential.Password, c credential.Hash) (fits, outdated bool, err error) {
	fits, outdated, err = r.PasswordHasher.Verify(ctx, p, c)
	if fits {
		r.fitted++
	} else {
		r.refused++
	}
	return fits, outdated, err
}

// Each refused sign-in takes exactly one verification, and one that fits nothing.
func TestEveryRefusalIsOneVerificationThatFitsNothing(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann := s.Add(t, "ann@example.com")
	bob := s.Add(t, "bob@example.com")
	s.Set(t, bob.ID(), func(u *user.User) { u.SetActive(false) })
	cyd := s.Add(t, "cyd@example.com")
	s.Set(t, cyd.ID(), func(u *user.User) { u.ChangePassword(credential.Unusable, s.Clock.Now()) })
	dee := s.Add(t, "dee@example.com")
	s.Set(t, dee.ID(), func(u *user.User) { u.ChangePassword(fixture.Old("lantern"), s.Clock.Now()) })

	for name, c := range map[string]struct{ email, password string }{
		"wrong":                   {ann.Snapshot().Email, "wrong"},
		"unknown":                 {"nobody@example.com", fixture.Password},
		"no address":              {"nobody", fixture.Password},
		"inactive, right":         {"bob@example.com", fixture.Password},
		"inactive, wrong":         {"bob@example.com", "wrong"},
		"no usable password":      {"cyd@example.com", fixture.Password},
		"imported, wrong":         {"dee@example.com", "wrong"},
		"a megabyte, known":       {"ann@example.com", strings.Repeat("x", 1<<20)},
		"a megabyte, for nobody":  {"nobody@example.com", strings.Repeat("x", 1<<20)},
		"a megabyte, no password": {"cyd@example.com", strings.Repeat("x", 1<<20)},
	} {
		r := &refusals{PasswordHasher: s.Ports.Hasher}
		ports := s.Ports
		ports.Hasher = r
		_, err := application.NewAuthentication(ports, fixture.Standard(), application.NewGuard(ports, fixture.Standard())).
			SignIn(t.Context(), inbound.SignIn{Email: field.Given(c.email), Password: field.Given(c.password)})
		if !errors.Is(err, inbound.ErrNoAccount) || r.refused != 1 || r.fitted != 0 {
			t.Errorf("%s: %v, %d refused, %d fitted", name, err, r.refused, r.fitted)
		}
	}
}
