package application_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// Each way to unlock an account unlocks it for all networks and is recorded. Other accounts stay locked.
func TestUnlock(t *testing.T) {
	const renewed = fixture.Password + "2"
	for name, unlock := range map[string]func(t *testing.T, s *fixture.Service, staff inbound.Actor, u *user.User) (by user.ID, password string){
		"by an operator": func(t *testing.T, s *fixture.Service, _ inbound.Actor, u *user.User) (user.ID, string) {
			if had, err := s.Administration.Unlock(t.Context(), u.ID()); !had || err != nil {
				t.Errorf("Unlock: %t, %v", had, err)
			}
			if had, err := s.Administration.Unlock(t.Context(), u.ID()); had || err != nil {
				t.Errorf("again: %t, %v", had, err)
			}
			return "", fixture.Password
		},
		"by staff": func(t *testing.T, s *fixture.Service, staff inbound.Actor, u *user.User) (user.ID, string) {
			if had, err := s.Accounts.Unlock(t.Context(), staff, u.ID()); !had || err != nil {
				t.Errorf("Unlock: %t, %v", had, err)
			}
			if had, err := s.Accounts.Unlock(t.Context(), staff, u.ID()); had || err != nil {
				t.Errorf("again: %t, %v", had, err)
			}
			return staff.ID(), fixture.Password
		},
		"with a new password by an operator": func(t *testing.T, s *fixture.Service, _ inbound.Actor, u *user.User) (user.ID, string) {
			if err := s.Administration.SetPassword(t.Context(), u.ID(), field.Given(renewed)); err != nil {
				t.Error(err)
			}
			return "", renewed
		},
		"with a new password by staff": func(t *testing.T, s *fixture.Service, staff inbound.Actor, u *user.User) (user.ID, string) {
			_, err := s.Change(t.Context(), staff, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given(renewed)}}))
			if err != nil {
				t.Error(err)
			}
			return staff.ID(), renewed
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			u, staff := s.Add(t, "a@example.com"), inbound.Actor{User: s.AddStaff(t, "root@example.com")}
			s.Add(t, "b@example.com")
			for i := range 99 { // locks one network and all new ones
				_ = try(from(t, fmt.Sprintf("192.0.2.%d", min(i, 90))), s, "a@example.com", "wrong")
			}
			for range 10 {
				_ = try(from(t, "203.0.113.1"), s, "b@example.com", "wrong")
			}
			retryAfter(t, try(from(t, "192.0.2.90"), s, "a@example.com", fixture.Password))
			by, password := unlock(t, s, staff, u)
			for _, address := range []string{"192.0.2.90", "198.51.100.1"} {
				if err := try(from(t, address), s, "a@example.com", password); err != nil {
					t.Errorf("from %s: %v", address, err)
				}
			}
			retryAfter(t, try(from(t, "203.0.113.1"), s, "b@example.com", fixture.Password))
			events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.Unlocked}}, Limit: 9}))
			if err != nil || len(events) != 1 || events[0].User != u.ID() || events[0].Actor != by {
				t.Errorf("recorded %+v, %v", events, err)
			}
		})
	}
}

func TestNothingToUnlock(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	staff := inbound.Actor{User: s.AddStaff(t, "root@example.com")}
	if had, err := s.Administration.Unlock(t.Context(), staff.ID()); had || err != nil {
		t.Errorf("%t, %v", had, err)
	}
	if _, err := s.Administration.Unlock(t.Context(), "4711"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("unknown user: %v", err)
	}
	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.Unlocked}}, Limit: 9}))
	if err != nil || len(events) > 0 {
		t.Errorf("recorded %+v, %v", events, err)
	}
}

// A change of the own password does not reset the failures of the account.
func TestOwnPasswordChangeDoesNotUnlock(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	self := inbound.Actor{User: s.Add(t, "a@example.com")}
	for range 10 {
		_ = try(from(t, "192.0.2.1"), s, "a@example.com", "wrong")
	}
	if _, err := s.Change(t.Context(), self, self.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given(fixture.Password + "2")}})); err != nil {
		t.Fatal(err)
	}
	retryAfter(t, try(from(t, "192.0.2.1"), s, "a@example.com", fixture.Password+"2"))
}

// trips counts the storage calls about failed sign-ins and users.
type trips struct {
	outbound.Attempts
	users        usersTrips
	gets, writes int
}

type usersTrips struct {
	outbound.Users
	reads, updates int
}

func (t *trips) Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error) {
	t.gets++
	return t.Attempts.Get(ctx, s)
}

func (t *trips) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	t.writes++
	return t.Attempts.Update(ctx, s, change)
}

func (t *usersTrips) ByEmail(ctx context.Context, key string) (*user.User, error) {
	t.reads++
	return t.Users.ByEmail(ctx, key)
}

func (t *usersTrips) Update(ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects) (*user.User, error) {
	t.updates++
	return t.Users.Update(ctx, id, change, events...)
}

// Recording the network costs no extra write, and a right password without earlier failures writes nothing about
// failures.
func TestPortCallsOfASignIn(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	var n trips
	n.Attempts, n.users.Users = s.Attempts, s.Users
	p, set := s.Ports, fixture.Standard()
	p.Attempts, p.Users = &n, &n.users
	a := application.NewAuthentication(p, set, application.NewGuard(p, set))
	for _, c := range []struct {
		what, address, email, password         string
		gets, writes, usersReads, usersUpdates int
	}{
		{"right, new network", "192.0.2.1", "a@example.com", fixture.Password, 3, 0, 1, 1},
		{"right, known network", "192.0.2.1", "a@example.com", fixture.Password, 2, 0, 1, 1},
		{"wrong, known network", "192.0.2.1", "a@example.com", "wrong", 2, 2, 1, 0},
		{"right after wrong", "192.0.2.1", "a@example.com", fixture.Password, 2, 2, 1, 1},
		{"wrong, new network", "192.0.2.2", "a@example.com", "wrong", 3, 3, 1, 0},
		{"no such user", "192.0.2.2", "b@example.com", "wrong", 3, 3, 1, 0},
		{"no address", "192.0.2.2", "b", "wrong", 3, 3, 0, 0},
	} {
		n.gets, n.writes, n.users.reads, n.users.updates = 0, 0, 0, 0
		_, err := a.SignIn(from(t, c.address), inbound.SignIn{Email: field.Given(c.email), Password: field.Given(c.password)})
		if (err == nil) != (c.password == fixture.Password) {
			t.Errorf("%s: %v", c.what, err)
		}
		if n.gets != c.gets || n.writes != c.writes || n.users.reads != c.usersReads || n.users.updates != c.usersUpdates {
			t.Errorf("%s: failures read %d and written %d times, users %d and %d", c.what, n.gets, n.writes, n.users.reads, n.users.updates)
		}
	}
}
