package application_test

import (
	"errors"
	"testing"

	"roster/application"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/fixture"
)

// TestWhoMayDoWhat is the whole of authorization: each operation, actor and access policy.
func TestWhoMayDoWhat(t *testing.T) {
	var (
		no        = inbound.ErrNoCredentials
		forbidden = inbound.ErrForbidden
		hidden    = user.ErrNotFound
		gone      = user.ErrNotFound
	)
	type row struct {
		policy                                  application.AccessPolicy
		op                                      string
		anonymous, self, other, staff, ofNobody error // who asks; ofNobody: any user about an id that no one has
	}
	for _, c := range []row{
		{application.Open, "read", no, nil, nil, nil, gone},
		{application.Open, "change", no, nil, nil, nil, gone},
		{application.Open, "delete", no, nil, nil, nil, gone},
		{application.Directory, "read", no, nil, nil, nil, gone},
		{application.Directory, "change", no, nil, forbidden, nil, gone},
		{application.Directory, "delete", no, nil, forbidden, nil, gone},
		{application.Private, "read", no, nil, hidden, nil, gone},
		{application.Private, "change", no, nil, hidden, nil, gone},
		{application.Private, "delete", no, nil, hidden, nil, gone},
	} {
		t.Run(string(c.policy)+"/"+c.op, func(t *testing.T) {
			for who, want := range map[string]error{"anonymous": c.anonymous, "self": c.self, "other": c.other, "staff": c.staff, "of nobody": c.ofNobody} {
				set := fixture.Standard()
				set.Access = c.policy
				s := fixture.New(t, set)
				target := s.Add(t, "target@example.com")
				actor := inbound.Actor{}
				id := target.ID()
				switch who {
				case "self":
					actor.User = target
				case "other":
					actor.User = s.Add(t, "other@example.com")
				case "staff":
					actor.User = s.AddStaff(t, "staff@example.com")
				case "of nobody":
					actor.User = s.Add(t, "other@example.com")
					id = "00000000-0000-7000-8000-ffffffffffff"
				}
				var err error
				switch c.op {
				case "read":
					_, err = s.Accounts.Get(t.Context(), actor, id)
				case "change":
					_, err = s.Change(t.Context(), actor, id, inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("New")}})
					if authorized := s.Authorize(t.Context(), actor, id); !errors.Is(authorized, want) {
						t.Errorf("%s: Authorize says %v, want %v", who, authorized, want)
					}
				case "delete":
					err = s.Accounts.Delete(t.Context(), actor, id, nil)
				}
				if !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", who, err, want)
				}
				u, getErr := s.Users.Get(t.Context(), target.ID())
				if stillThere := getErr == nil && u.Version() == target.Version(); want != nil && !stillThere {
					t.Errorf("%s: refused, yet the user is changed or gone", who)
				}
			}
		})
	}
}

func TestWhomAListShows(t *testing.T) {
	for policy, want := range map[application.AccessPolicy][2]int{ // to a plain user, to staff
		application.Open: {3, 3}, application.Directory: {3, 3}, application.Private: {1, 3},
	} {
		set := fixture.Standard()
		set.Access = policy
		s := fixture.New(t, set)
		plain, staff := s.Add(t, "a@example.com"), s.AddStaff(t, "b@example.com")
		s.Add(t, "c@example.com")
		for i, actor := range []inbound.Actor{{User: plain}, {User: staff}} {
			users, err := s.Accounts.List(t.Context(), actor, inbound.List{Order: user.Ordering(""), Limit: 10})
			if err != nil || len(users) != want[i] {
				t.Errorf("%s: %d users, %v; want %d", policy, len(users), err, want[i])
			}
			n, err := s.Accounts.Count(t.Context(), actor, user.Filter{})
			if err != nil || n != want[i] {
				t.Errorf("%s: count %d, %v; want %d", policy, n, err, want[i])
			}
		}
		if _, err := s.Accounts.List(t.Context(), inbound.Actor{}, inbound.List{Order: user.Ordering(""), Limit: 10}); !errors.Is(err, inbound.ErrNoCredentials) {
			t.Errorf("%s: anonymous got %v", policy, err)
		}
		if _, err := s.Accounts.Count(t.Context(), inbound.Actor{}, user.Filter{}); !errors.Is(err, inbound.ErrNoCredentials) {
			t.Errorf("%s: anonymous got %v", policy, err)
		}
	}
}

func TestWhoMayRegister(t *testing.T) {
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
			_, err := s.Register(t.Context(), actor, fixture.Input(string(rune('x'+i))+"@example.com"))
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
