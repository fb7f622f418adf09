package application_test

import (
	"context"
	"errors"
	"testing"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// operations are the requests of one user about another, with a token.
var operations = map[string]func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, its session.ID) error{
	"read": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		_, err := s.Accounts.Get(ctx, a, id)
		return err
	},
	"may change": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		return s.MayChange(ctx, a, id)
	},
	"change": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		_, err := s.Change(ctx, a, id, fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("New")}}))
		return err
	},
	"change password": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		_, err := s.Change(ctx, a, id, fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given(fixture.Password + "2")}}))
		return err
	},
	"delete": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		return s.Accounts.Delete(ctx, a, id, fixture.Body(inbound.Deletion{}))
	},
	"list sessions": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		_, err := s.Devices.List(ctx, a, session.Query{Owner: id, Limit: 1})
		return err
	},
	"end session": func(ctx context.Context, s *fixture.Service, a inbound.Actor, _ user.ID, its session.ID) error {
		return s.Devices.End(ctx, a, its)
	},
	"end all sessions": func(ctx context.Context, s *fixture.Service, a inbound.Actor, id user.ID, _ session.ID) error {
		return s.Devices.EndAll(ctx, a, id)
	},
	"read the trail": func(ctx context.Context, s *fixture.Service, a inbound.Actor, _ user.ID, _ session.ID) error {
		_, err := s.Trail.Events(ctx, a, fixture.Body(audit.Query{Limit: 1}))
		return err
	},
	"list": func(ctx context.Context, s *fixture.Service, a inbound.Actor, _ user.ID, _ session.ID) error {
		_, err := s.Accounts.List(ctx, a, inbound.UserQuery{Query: user.Query{Order: user.Ordering(""), Limit: 10}})
		return err
	},
	"count": func(ctx context.Context, s *fixture.Service, a inbound.Actor, _ user.ID, _ session.ID) error {
		_, err := s.Accounts.Count(ctx, a, inbound.UserQuery{})
		return err
	},
}

// TestAccess covers each operation, actor and access policy.
func TestAccess(t *testing.T) {
	var (
		no        = inbound.ErrNoCredentials
		forbidden = inbound.ErrForbidden
		hidden    = user.ErrNotFound
		all       = []application.AccessPolicy{application.Open, application.Directory, application.Private}
	)
	type row struct {
		policies                      []application.AccessPolicy
		ops                           []string
		anonymous, self, other, staff error
	}
	rows := []row{
		{all[:2], []string{"read"}, no, nil, nil, nil},
		{all[:1], []string{"may change", "change", "change password", "delete"}, no, nil, nil, nil},
		{all[1:2], []string{"may change", "change", "change password", "delete"}, no, nil, forbidden, nil},
		{all[2:], []string{"read", "may change", "change", "change password", "delete"}, no, nil, hidden, nil},
		{all, []string{"list sessions", "end all sessions"}, no, nil, forbidden, nil},
		{all, []string{"end session"}, no, nil, session.ErrNotFound, nil},
		{all, []string{"read the trail"}, no, forbidden, forbidden, nil},
		{all, []string{"list", "count"}, no, nil, nil, nil},
	}
	seen := map[string]int{}
	for _, c := range rows {
		for _, policy := range c.policies {
			for _, op := range c.ops {
				seen[op]++
				for role, want := range map[string]error{
					"anonymous": c.anonymous, "self": c.self, "other": c.other, "staff": c.staff,
					"deleted": inbound.ErrUserNotFound, "deactivated": inbound.ErrUserInactive,
				} {
					t.Run(string(policy)+"/"+op+"/"+role, func(t *testing.T) { mayDo(t, policy, op, role, want) })
				}
			}
		}
	}
	for op := range operations {
		if seen[op] != len(all) {
			t.Errorf("%s: %d rows, want one for each policy", op, seen[op])
		}
	}
}

// mayDo checks one operation of one actor, with a token from a sign-in.
func mayDo(t *testing.T, policy application.AccessPolicy, op, role string, want error) {
	t.Helper()
	set := fixture.Standard()
	set.Access = policy
	s := fixture.New(t, set)
	target := s.Add(t, "target@example.com")
	its := s.Claims(t, s.SignsIn(t, "target@example.com", fixture.Password).Refresh).Session
	s.AddStaff(t, "staff@example.com")
	s.Add(t, "other@example.com")
	before, err := s.Ports.Users.Get(t.Context(), target.ID())
	if err != nil {
		t.Fatal(err)
	}
	err = func() error {
		if role == "anonymous" {
			return operations[op](t.Context(), s, inbound.Actor{}, target.ID(), its)
		}
		email := map[string]string{"self": "target", "other": "other", "staff": "staff", "deleted": "other", "deactivated": "staff"}[role] + "@example.com"
		token := s.SignsIn(t, email, fixture.Password).Access
		if role == "self" {
			before, _ = s.Ports.Users.Get(t.Context(), target.ID()) // after the sign-in, which changes the user
		}
		switch u, err := s.Administration.Find(t.Context(), email); {
		case err != nil:
			t.Fatal(err)
		case role == "deleted":
			err = s.Administration.Delete(t.Context(), u.ID(), false)
			if err != nil {
				t.Fatal(err)
			}
		case role == "deactivated":
			s.Set(t, u.ID(), func(u *user.User) { u.SetActive(false) })
		}
		actor, err := s.Authenticate(t.Context(), token)
		if err != nil {
			return err
		}
		return operations[op](t.Context(), s, actor, target.ID(), its)
	}()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	u, getErr := s.Ports.Users.Get(t.Context(), target.ID())
	if unharmed := getErr == nil && u.Snapshot() == before.Snapshot(); want != nil && !unharmed {
		t.Error("refused, yet the user is changed or gone")
	}
	if x, err := s.Ports.Sessions.Get(t.Context(), its); want != nil && (err != nil || x.Revoked()) {
		t.Error("refused, yet the session is ended")
	}
}

// With an id that no user has, every operation fails with the same error under every policy.
func TestUnknownUserIsNotFound(t *testing.T) {
	for _, policy := range []application.AccessPolicy{application.Open, application.Directory, application.Private} {
		set := fixture.Standard()
		set.Access = policy
		s := fixture.New(t, set)
		for _, u := range []*user.User{s.Add(t, "a@example.com"), s.AddStaff(t, "s@example.com")} {
			for _, op := range []string{"read", "may change", "change", "delete"} {
				err := operations[op](t.Context(), s, inbound.Actor{User: u}, "00000000-0000-7000-8000-ffffffffffff", "")
				if !errors.Is(err, user.ErrNotFound) {
					t.Errorf("%s, %s: %v", policy, op, err)
				}
			}
		}
	}
}

func TestListIsScoped(t *testing.T) {
	for policy, want := range map[application.AccessPolicy][2]int{ // to a plain user, to staff
		application.Open: {3, 3}, application.Directory: {3, 3}, application.Private: {1, 3}, application.Listed: {3, 3},
	} {
		set := fixture.Standard()
		set.Access = policy
		s := fixture.New(t, set)
		plain, staff := s.Add(t, "a@example.com"), s.AddStaff(t, "b@example.com")
		s.Add(t, "c@example.com")
		for i, actor := range []inbound.Actor{{User: plain}, {User: staff}} {
			// The policy sets Only: the caller's value has no effect.
			for _, f := range []user.Filter{{}, {Only: staff.ID()}} {
				users, err := s.Accounts.List(t.Context(), actor, inbound.UserQuery{Query: user.Query{Filter: f, Order: user.Ordering(""), Limit: 10}})
				if err != nil || len(users) != want[i] {
					t.Errorf("%s, only %q: %d users, %v; want %d", policy, f.Only, len(users), err, want[i])
				}
				n, err := s.Accounts.Count(t.Context(), actor, inbound.UserQuery{Query: user.Query{Filter: f}})
				if err != nil || n != want[i] {
					t.Errorf("%s, only %q: count %d, %v; want %d", policy, f.Only, n, err, want[i])
				}
			}
		}
		if _, err := s.Accounts.List(t.Context(), inbound.Actor{}, inbound.UserQuery{Query: user.Query{Order: user.Ordering(""), Limit: 10}}); !errors.Is(err, inbound.ErrNoCredentials) {
			t.Errorf("%s: anonymous got %v", policy, err)
		}
		if _, err := s.Accounts.Count(t.Context(), inbound.Actor{}, inbound.UserQuery{}); !errors.Is(err, inbound.ErrNoCredentials) {
			t.Errorf("%s: anonymous got %v", policy, err)
		}
	}
}

func TestRegistration(t *testing.T) {
	closed := "closed"
	for registration, want := range map[application.Registration][3]any{ // anonymous, user, staff
		application.RegistrationOpen:   {nil, nil, nil},
		application.RegistrationStaff:  {inbound.ErrNoCredentials, inbound.ErrForbidden, nil},
		application.RegistrationClosed: {closed, closed, closed},
	} {
		set := fixture.Standard()
		set.Registration = registration
		s := fixture.New(t, set)
		for i, actor := range []inbound.Actor{{}, {User: s.Add(t, "a@example.com")}, {User: s.AddStaff(t, "b@example.com")}} {
			_, err := s.Register(t.Context(), actor, fixture.Body(fixture.Input(string(rune('x'+i))+"@example.com")))
			switch w := want[i].(type) {
			case nil:
				if err != nil {
					t.Errorf("%s, actor %d: %v", registration, i, err)
				}
			case error:
				if !errors.Is(err, w) {
					t.Errorf("%s, actor %d: got %v, want %v", registration, i, err, w)
				}
			case string:
				if err == nil || err.Error() != "Registration is closed." {
					t.Errorf("%s, actor %d: got %v", registration, i, err)
				}
			}
		}
	}
}
