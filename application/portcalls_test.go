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

// countedUsers counts the reads of users.
type countedUsers struct {
	outbound.Users
	reads *int
}

func (c countedUsers) Get(ctx context.Context, id user.ID) (*user.User, error) {
	*c.reads++
	return c.Users.Get(ctx, id)
}

func (c countedUsers) ByEmail(ctx context.Context, key string) (*user.User, error) {
	*c.reads++
	return c.Users.ByEmail(ctx, key)
}

// countedSessions counts the reads of sessions.
type countedSessions struct {
	outbound.Sessions
	reads *int
}

func (c countedSessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	*c.reads++
	return c.Sessions.Get(ctx, id)
}

// TestStorageReadsOfARequest bounds the reads of a request. A change reads the actor and the session again after the
// body, since a client controls how long its body takes to arrive.
func TestStorageReadsOfARequest(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.AddStaff(t, "staff@example.com")
	ann := s.Add(t, "ann@example.com")
	token := s.SignsIn(t, "staff@example.com", fixture.Password).Access

	var users, sessions int
	p := s.Ports
	p.Users, p.Sessions = countedUsers{p.Users, &users}, countedSessions{p.Sessions, &sessions}
	guard := application.NewGuard(p, fixture.Standard())
	accounts, authentication := application.NewAccounts(p, fixture.Standard(), guard), application.NewAuthentication(p, fixture.Standard(), guard)

	for name, c := range map[string]struct {
		users, sessions int
		do              func(actor inbound.Actor) error
	}{
		"authentication": {1, 1, func(inbound.Actor) error { return nil }},
		"read of oneself": {1, 1, func(actor inbound.Actor) error {
			_, err := accounts.Get(t.Context(), actor, actor.ID())
			return err
		}},
		"read of another": {2, 1, func(actor inbound.Actor) error {
			_, err := accounts.Get(t.Context(), actor, ann.ID())
			return err
		}},
		"change of another": {3, 2, func(actor inbound.Actor) error {
			in := inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("Ann")}}
			_, err := accounts.Change(t.Context(), actor, ann.ID(), fixture.Body(in))
			return err
		}},
	} {
		users, sessions = 0, 0
		actor, err := authentication.Authenticate(t.Context(), token)
		if err == nil {
			err = c.do(actor)
		}
		if err != nil || users != c.users || sessions != c.sessions {
			t.Errorf("%s: %d reads of users and %d of sessions, want %d and %d; error %v", name, users, sessions, c.users, c.sessions, err)
		}
	}
}
