package application_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"roster/application"
	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// The actor may lose rights, or its session may end, while the body of its request arrives. The request is refused
// then.
func TestRightsAreCheckedAgainAfterTheBody(t *testing.T) {
	takeover := inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("the-thief-s-own-1")}}
	for name, c := range map[string]struct {
		during func(s *fixture.Service, u *user.User)
		want   error
	}{
		"the password is changed": {func(s *fixture.Service, u *user.User) { u.ChangePassword(credential.Unusable, s.Clock.Now()) }, session.ErrTokenInvalid},
		"signed out everywhere":   {func(s *fixture.Service, u *user.User) { u.EndSessions(s.Clock.Now()) }, session.ErrTokenInvalid},
		"deactivated":             {func(_ *fixture.Service, u *user.User) { u.SetActive(false) }, inbound.ErrUserInactive},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			u := s.Add(t, "a@example.com")
			actor, err := s.Authenticate(t.Context(), s.SignsIn(t, "a@example.com", fixture.Password).Access)
			if err != nil {
				t.Fatal(err)
			}
			s.Clock.Advance(time.Second)
			s.Set(t, u.ID(), func(u *user.User) { c.during(s, u) })
			before, _ := s.Users.Get(t.Context(), u.ID())
			if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(takeover)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if after, _ := s.Users.Get(t.Context(), u.ID()); after.Snapshot() != before.Snapshot() {
				t.Error("refused, yet changed")
			}
		})
	}
	// Only this session ends: by its refresh token, or by its id.
	for name, end := range map[string]func(s *fixture.Service, p inbound.TokenPair, id session.ID) error{
		"signed out": func(s *fixture.Service, p inbound.TokenPair, _ session.ID) error {
			return s.SignOut(t.Context(), field.Given(p.Refresh))
		},
		"ended from the list": func(s *fixture.Service, _ inbound.TokenPair, id session.ID) error {
			return s.Devices.End(t.Context(), actorOf(t, s, s.SignsIn(t, "a@example.com", fixture.Password).Access), id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			u := s.Add(t, "a@example.com")
			p, third := s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
			actor := actorOf(t, s, p.Access)
			if err := end(s, p, actor.Session); err != nil {
				t.Fatal(err)
			}
			before := mustGet(t, s, u.ID()).Snapshot()
			for what, do := range map[string]func() error{
				"change": func() error { _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(takeover)); return err },
				"password": func() error {
					return s.ChangePassword(t.Context(), actor, fixture.PasswordChange(field.Given(fixture.Password), field.Given("the-thief-s-own-1")))
				},
				"delete":  func() error { return s.Delete(t.Context(), actor, u.ID(), fixture.Body(inbound.Deletion{})) },
				"end all": func() error { return s.Devices.EndAll(t.Context(), actor, "") },
				"end one": func() error { return s.Devices.End(t.Context(), actor, actorOf(t, s, third.Access).Session) },
			} {
				if err := do(); !errors.Is(err, session.ErrTokenInvalid) {
					t.Errorf("%s: got %v", what, err)
				}
			}
			if after := mustGet(t, s, u.ID()).Snapshot(); after != before {
				t.Error("refused, yet changed")
			}
			actorOf(t, s, third.Access)
		})
	}
	t.Run("deleting when no longer staff", func(t *testing.T) {
		s := fixture.New(t, fixture.Standard())
		s.AddStaff(t, "root@example.com")
		u, staff := s.Add(t, "a@example.com"), s.AddStaff(t, "s@example.com")
		actor := actorOf(t, s, s.SignsIn(t, "s@example.com", fixture.Password).Access)
		s.Set(t, staff.ID(), func(u *user.User) { u.SetStaff(false) })
		if err := s.Delete(t.Context(), actor, u.ID(), fixture.Body(inbound.Deletion{})); !errors.Is(err, inbound.ErrForbidden) {
			t.Errorf("delete: %v", err)
		}
		if err := s.Devices.EndAll(t.Context(), actor, u.ID()); !errors.Is(err, inbound.ErrForbidden) {
			t.Errorf("end all: %v", err)
		}
	})
	t.Run("no longer staff", func(t *testing.T) {
		s := fixture.New(t, fixture.Standard())
		u, staff := s.Add(t, "a@example.com"), s.AddStaff(t, "s@example.com")
		actor := inbound.Actor{User: staff}
		s.Set(t, staff.ID(), func(u *user.User) { u.SetStaff(false) })
		if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(takeover)); !errors.Is(err, inbound.ErrForbidden) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("just before the update", func(t *testing.T) {
		s := fixture.New(t, fixture.Standard())
		u := s.Add(t, "a@example.com")
		actor, err := s.Authenticate(t.Context(), s.SignsIn(t, "a@example.com", fixture.Password).Access)
		if err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Second)
		p := s.Ports
		p.Users = &interrupted{Users: p.Users, first: func() {
			s.Set(t, u.ID(), func(u *user.User) { u.EndSessions(s.Clock.Now()) })
		}}
		if _, err := application.NewAccounts(p, fixture.Standard(), application.NewGuard(p, fixture.Standard())).Change(t.Context(), actor, u.ID(), fixture.Body(takeover)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

// interrupted runs a function just before an update.
type interrupted struct {
	outbound.Users
	first func()
}

func (i *interrupted) Update(ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects) (*user.User, error) {
	i.first()
	return i.Users.Update(ctx, id, change, events...)
}

// Where only staff register users, a request fails when its actor loses the staff flag or signs out during it.
func TestRegistrationChecksStaffAgain(t *testing.T) {
	settings := fixture.Standard()
	settings.Registration = application.RegistrationStaff
	for name, c := range map[string]struct {
		first func(s *fixture.Service, u *user.User)
		want  error
	}{
		"still staff":           {func(*fixture.Service, *user.User) {}, nil},
		"demoted":               {func(_ *fixture.Service, u *user.User) { u.SetStaff(false) }, inbound.ErrForbidden},
		"deactivated":           {func(_ *fixture.Service, u *user.User) { u.SetActive(false) }, inbound.ErrUserInactive},
		"signed out everywhere": {func(s *fixture.Service, u *user.User) { u.EndSessions(s.Clock.Now()) }, session.ErrTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, settings)
			staff := s.AddStaff(t, "s@example.com")
			actor := actorOf(t, s, s.SignsIn(t, "s@example.com", fixture.Password).Access)
			s.Set(t, staff.ID(), func(u *user.User) { c.first(s, u) })
			if _, err := s.Register(t.Context(), actor, fixture.Body(fixture.Input("new@example.com"))); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := s.Users.ByEmail(t.Context(), "new@example.com"); (err == nil) != (c.want == nil) {
				t.Errorf("the new user: %v", err)
			}
		})
	}
}
