package application_test

import (
	"context"
	"testing"

	"roster/application"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// countedUsers counts the reads of users, alone and with a session.
type countedUsers struct {
	outbound.Users
	reads *int
}

func (c countedUsers) Get(ctx context.Context, id user.ID) (*user.User, error) {
	*c.reads++
	return c.Users.Get(ctx, id)
}

func (c countedUsers) WithSession(ctx context.Context, id user.ID, s session.ID) (*user.User, *session.Session, error) {
	*c.reads++
	return c.Users.WithSession(ctx, id, s)
}

func (c countedUsers) ByEmail(ctx context.Context, key string) (*user.User, error) {
	*c.reads++
	return c.Users.ByEmail(ctx, key)
}

// countedSessions counts the reads of sessions alone.
type countedSessions struct {
	outbound.Sessions
	reads *int
}

func (c countedSessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	*c.reads++
	return c.Sessions.Get(ctx, id)
}

// TestStorageReadsOfARequest bounds the reads of a request, each of which is one round trip. A change reads the actor
// with its session again after the body, since a client controls how long its body takes to arrive.
func TestStorageReadsOfARequest(t *testing.T) {
	settings := fixture.Standard()
	settings.Rules.Rotate = true
	s := fixture.New(t, settings)
	s.AddStaff(t, "staff@example.com")
	ann := s.Add(t, "ann@example.com")
	pair := s.SignsIn(t, "staff@example.com", fixture.Password)
	cookie := begins(t, s, "staff@example.com", "").Value

	var users, sessions int
	p := s.Ports
	p.Users, p.Sessions = countedUsers{p.Users, &users}, countedSessions{p.Sessions, &sessions}
	guard := application.NewGuard(p, settings)
	accounts, authentication := application.NewAccounts(p, settings, guard), application.NewAuthentication(p, settings, guard)
	as := func(do func(actor inbound.Actor) error) func() error {
		return func() error {
			actor, err := authentication.Authenticate(t.Context(), pair.Access)
			if err != nil {
				return err
			}
			return do(actor)
		}
	}
	for _, c := range []struct {
		name  string
		reads int // of a user, with or without its session; no session is read alone
		do    func() error
	}{
		{"authentication", 1, as(func(inbound.Actor) error { return nil })},
		{"read of oneself", 1, as(func(actor inbound.Actor) error {
			_, err := accounts.Get(t.Context(), actor, actor.ID())
			return err
		})},
		{"read of another", 2, as(func(actor inbound.Actor) error {
			_, err := accounts.Get(t.Context(), actor, ann.ID())
			return err
		})},
		{"change of another", 3, as(func(actor inbound.Actor) error {
			in := inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("Ann")}}
			_, err := accounts.Change(t.Context(), actor, ann.ID(), fixture.Body(in))
			return err
		})},
		{"authentication of a browser", 1, func() error {
			_, err := application.NewBrowserSessions(authentication).Authenticate(t.Context(), cookie)
			return err
		}},
		{"verify", 1, func() error { return authentication.Verify(t.Context(), field.Given(pair.Access)) }},
		{"refresh", 1, func() error {
			_, err := authentication.Refresh(t.Context(), field.Given(pair.Refresh))
			return err
		}},
	} {
		users, sessions = 0, 0
		if err := c.do(); err != nil || users != c.reads || sessions != 0 {
			t.Errorf("%s: %d reads of users and %d of sessions alone, want %d and 0; error %v", c.name, users, sessions, c.reads, err)
		}
	}
}
