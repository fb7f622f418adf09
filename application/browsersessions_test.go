package application_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

func asked(email, password string) inbound.SignIn {
	return inbound.SignIn{Email: field.Given(email), Password: field.Given(password)}
}

// begins signs a browser in, which must succeed.
func begins(t *testing.T, s *fixture.Service, email, previous string) inbound.BrowserSession {
	t.Helper()
	b, err := s.Browsers.Begin(t.Context(), asked(email, fixture.Password), previous)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantValid fails unless the value of a cookie is valid, or not valid.
func wantValid(t *testing.T, s *fixture.Service, what, value string, valid bool) {
	t.Helper()
	switch b, err := s.Browsers.Authenticate(t.Context(), value); {
	case valid && err != nil:
		t.Errorf("%s: %v", what, err)
	case valid && (b.Actor.Anonymous() || b.Value != value):
		t.Errorf("%s: got %+v", what, b)
	case !valid && !errors.Is(err, inbound.ErrNoCredentials):
		t.Errorf("%s: is accepted: %v", what, err)
	}
}

func TestBrowserSession(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	b := begins(t, s, "a@example.com", "")
	if !b.Actor.Is(u.ID()) || !b.Actor.SignedIn.Equal(fixture.Epoch) || !b.Expires.Equal(fixture.Epoch.Add(12*time.Hour)) || b.Actor.Session == "" {
		t.Errorf("got %+v", b)
	}
	s.Clock.Advance(2 * time.Minute)
	again, err := s.Browsers.Authenticate(t.Context(), b.Value)
	if err != nil || !again.Actor.Is(u.ID()) || again.Actor.Session != b.Actor.Session ||
		!again.Actor.SignedIn.Equal(fixture.Epoch) || !again.Expires.Equal(b.Expires) {
		t.Errorf("%+v, %v", again, err)
	}
	xs := list(t, s, again.Actor, "")
	if len(xs) != 1 || !xs[0].LastUsed().Equal(s.Clock.Now()) {
		t.Errorf("%d sessions, or the last use is not %v", len(xs), s.Clock.Now())
	}
	if stored := xs[0].Snapshot().Browser; stored == "" || strings.Contains(b.Value, stored) {
		t.Errorf("stored %q", stored)
	}
	s.Clock.Advance(12*time.Hour - 2*time.Minute - time.Millisecond)
	wantValid(t, s, "just before its end", b.Value, true)
	s.Clock.Advance(time.Millisecond)
	wantValid(t, s, "at its end", b.Value, false)
}

// A value that differs in any part from one that was given out is not valid, whichever part it is.
func TestForgedCookieValues(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	s.Add(t, "b@example.com")
	a, b := begins(t, s, "a@example.com", ""), begins(t, s, "b@example.com", "")
	pair := s.SignsIn(t, "a@example.com", fixture.Password)
	mine, theirs := parts(a.Value), parts(b.Value)
	tokens := string(s.Claims(t, pair.Access).Session)
	for name, value := range map[string]string{
		"none":                             "",
		"no parts":                         "x",
		"two parts":                        mine[0] + "." + mine[1],
		"no secret":                        mine[0] + "." + mine[1] + ".",
		"other secret":                     mine[0] + "." + mine[1] + "." + theirs[2],
		"other owner":                      theirs[0] + "." + mine[1] + "." + mine[2],
		"other session":                    mine[0] + "." + theirs[1] + "." + mine[2],
		"no such user":                     "00000000-0000-7000-8000-00000000ffff." + mine[1] + "." + mine[2],
		"no such session":                  mine[0] + ".ffffffffffffffffffffffff." + mine[2],
		"session of tokens":                mine[0] + "." + tokens + "." + mine[2],
		"session of tokens, no secret":     mine[0] + "." + tokens + ".",
		"stored digest in place":           mine[0] + "." + mine[1] + "." + list(t, s, a.Actor, "")[1].Snapshot().Browser,
		"NUL":                              mine[0] + "." + mine[1][:23] + "\x00." + mine[2],
		"secret with a tail":               a.Value + "x",
		"a refresh token":                  pair.Refresh,
		"an access token of the same user": pair.Access,
	} {
		wantValid(t, s, name, value, false)
		if err := s.Browsers.End(t.Context(), value); err != nil {
			t.Errorf("%s: end: %v", name, err)
		}
	}
	wantValid(t, s, "the real one", a.Value, true)
}

func parts(value string) []string { return strings.Split(value, ".") }

// What ends a session of tokens ends one of a browser.
func TestBrowserSessionEnds(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error{
		"signed out": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			return s.Browsers.End(t.Context(), b.Value)
		},
		"ended in the list": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			return s.Devices.End(t.Context(), b.Actor, b.Actor.Session)
		},
		"all ended": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			return s.Devices.EndAll(t.Context(), b.Actor, "")
		},
		"password changed": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			_, err := s.Change(t.Context(), inbound.Actor{User: s.AddStaff(t, "s@example.com")}, b.Actor.ID(),
				fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("another-sound-one")}}))
			return err
		},
		"deactivated": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			s.Set(t, b.Actor.ID(), func(u *user.User) { u.SetActive(false) })
			return nil
		},
		"staff": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			s.Set(t, b.Actor.ID(), func(u *user.User) { u.SetStaff(true) })
			return nil
		},
		"deleted": func(t *testing.T, s *fixture.Service, b inbound.BrowserSession) error {
			return s.Administration.Delete(t.Context(), b.Actor.ID(), false)
		},
		"displaced": func(t *testing.T, s *fixture.Service, _ inbound.BrowserSession) error {
			for range 3 {
				s.Clock.Advance(time.Second)
				s.SignsIn(t, "a@example.com", fixture.Password)
			}
			return nil
		},
	} {
		for profile, settings := range map[string]application.Settings{"standard": fixture.Standard(), "django": fixture.Django()} {
			settings.Rules.MaxPerUser = 3
			s := fixture.New(t, settings)
			s.Add(t, "a@example.com")
			b := begins(t, s, "a@example.com", "")
			wantValid(t, s, name, b.Value, true)
			if err := end(t, s, b); err != nil {
				t.Fatalf("%s, %s: %v", profile, name, err)
			}
			wantValid(t, s, profile+", "+name, b.Value, false)
		}
	}
}

// A second sign-in of the same browser replaces its session and its value, whatever value it sent (ASVS 7.2.4), and takes
// no place of another session.
func TestSignInReplacesTheSession(t *testing.T) {
	s := fixture.New(t, atMost(2))
	s.Add(t, "a@example.com")
	s.Add(t, "b@example.com")
	phone := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(time.Second)
	first := begins(t, s, "a@example.com", "")
	s.Clock.Advance(time.Second)
	second := begins(t, s, "a@example.com", first.Value)
	if second.Value == first.Value || second.Actor.Session == first.Actor.Session {
		t.Error("the value is kept")
	}
	wantValid(t, s, "first", first.Value, false)
	wantValid(t, s, "second", second.Value, true)
	actorOf(t, s, phone.Access)
	third := begins(t, s, "b@example.com", second.Value) // another user at the same browser
	wantValid(t, s, "second", second.Value, false)
	wantValid(t, s, "third", third.Value, true)

	if _, err := s.Browsers.Begin(t.Context(), asked("b@example.com", "wrong"), third.Value); !errors.Is(err, inbound.ErrNoAccount) {
		t.Error(err)
	}
	wantValid(t, s, "third, after a failure", third.Value, true)
	planted := parts(third.Value)[0] + ".0123456789abcdef01234567.planted"
	if got := begins(t, s, "b@example.com", planted); got.Value == planted {
		t.Error("a planted value is taken over")
	}
}

// A browser's sign-ins share faults, lockout, limits and trail with those for tokens.
func TestBrowserSignInIsThatOfTokens(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	for range 10 {
		if _, err := s.Browsers.Begin(t.Context(), asked("a@example.com", "wrong"), ""); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatal(err)
		}
	}
	if _, err := s.SignIn(t.Context(), asked("a@example.com", fixture.Password)); !errors.Is(err, lockout.ErrLocked) {
		t.Errorf("tokens after failures of browsers: %v", err)
	}
	if _, err := s.Browsers.Begin(t.Context(), asked("a@example.com", fixture.Password), ""); !errors.Is(err, lockout.ErrLocked) {
		t.Errorf("browsers: %v", err)
	}
	if _, err := s.Browsers.Begin(t.Context(), inbound.SignIn{}, ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nothing: %v", err)
	}
	s.Clock.Advance(time.Hour)
	b := begins(t, s, "a@example.com", "")
	for range 2 { // the second ends nothing
		if err := s.Browsers.End(t.Context(), b.Value); err != nil {
			t.Fatal(err)
		}
	}
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	got := make(map[audit.Kind]int)
	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Filter: audit.Filter{User: u.ID()}, Limit: 50}))
	for _, e := range events {
		got[e.Kind]++
		if (e.Kind == audit.SignedIn || e.Kind == audit.SignedOut) && e.Session != string(b.Actor.Session) {
			t.Errorf("%+v", e)
		}
	}
	if err != nil || got[audit.SignedIn] != 1 || got[audit.SignedOut] != 1 || got[audit.SignInFailed] != 10 || got[audit.Locked] == 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// Deleting, changing the staff flag, and what ends sessions of others need a password given within five minutes.
func TestSensitiveOperationsNeedARecentSignIn(t *testing.T) {
	for name, do := range map[string]func(s *fixture.Service, a inbound.Actor, other *user.User) error{
		"delete": func(s *fixture.Service, a inbound.Actor, other *user.User) error {
			return s.Delete(t.Context(), a, other.ID(), fixture.Body(inbound.Deletion{}))
		},
		"delete oneself": func(s *fixture.Service, a inbound.Actor, _ *user.User) error {
			return s.Delete(t.Context(), a, a.ID(), fixture.Body(inbound.Deletion{}))
		},
		"make staff": func(s *fixture.Service, a inbound.Actor, other *user.User) error {
			_, err := s.Change(t.Context(), a, other.ID(), fixture.Body(setFlags(field.Text{}, field.Bool(true))))
			return err
		},
		"unmake staff": func(s *fixture.Service, a inbound.Actor, _ *user.User) error {
			_, err := s.Change(t.Context(), a, a.ID(), fixture.Body(setFlags(field.Text{}, field.Bool(false))))
			return err
		},
		"password of another": func(s *fixture.Service, a inbound.Actor, other *user.User) error {
			in := inbound.UserInput{Password: field.Given("another-sound-one")}
			_, err := s.Change(t.Context(), a, other.ID(), fixture.Body(inbound.Changes{UserInput: in}))
			return err
		},
		"password of oneself": func(s *fixture.Service, a inbound.Actor, _ *user.User) error {
			in := inbound.UserInput{Password: field.Given("another-sound-one")}
			_, err := s.Change(t.Context(), a, a.ID(), fixture.Body(inbound.Changes{UserInput: in}))
			return err
		},
		"address of another": func(s *fixture.Service, a inbound.Actor, other *user.User) error {
			in := inbound.UserInput{Email: field.Given("new@example.com")}
			_, err := s.Change(t.Context(), a, other.ID(), fixture.Body(inbound.Changes{UserInput: in}))
			return err
		},
		"end a session of another": func(s *fixture.Service, a inbound.Actor, other *user.User) error {
			return s.Devices.End(t.Context(), a, list(t, s, a, other.ID())[0].ID())
		},
		"end all sessions of another": func(s *fixture.Service, a inbound.Actor, other *user.User) error {
			return s.Devices.EndAll(t.Context(), a, other.ID())
		},
	} {
		for _, c := range []struct {
			late time.Duration
			want error
		}{{5 * time.Minute, nil}, {5*time.Minute + time.Millisecond, inbound.ErrSignInAgain}} {
			late, want := c.late, c.want
			s := fixture.New(t, fixture.Standard())
			s.AddStaff(t, "last@example.com")
			s.AddStaff(t, "s@example.com")
			other := s.Add(t, "a@example.com")
			s.SignsIn(t, "a@example.com", fixture.Password)
			value := begins(t, s, "s@example.com", "").Value
			tokens := s.SignsIn(t, "s@example.com", fixture.Password).Refresh
			s.Clock.Advance(late)
			b, err := s.Browsers.Authenticate(t.Context(), value)
			if err != nil {
				t.Fatal(err)
			}
			if err := do(s, b.Actor, other); !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s, %v after the sign-in: %v", name, late, err)
			}
			if want == nil {
				continue
			}
			again := begins(t, s, "s@example.com", value)
			if err := do(s, again.Actor, other); err != nil {
				t.Errorf("%s, signed in again: %v", name, err)
			}
			if name != "delete" { // tokens need no recent sign-in
				continue
			}
			other = s.Add(t, "b@example.com")
			if err := do(s, actorOf(t, s, s.Refreshes(t, tokens).Access), other); err != nil {
				t.Errorf("%s, with a token: %v", name, err)
			}
		}
	}
}

// What changes no rights and no sessions of others needs no recent sign-in.
func TestOrdinaryOperationsNeedNoRecentSignIn(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.AddStaff(t, "s@example.com")
	other := s.Add(t, "a@example.com")
	value := begins(t, s, "s@example.com", "").Value
	own := s.SignsIn(t, "s@example.com", fixture.Password)
	s.Clock.Advance(time.Hour)
	b, err := s.Browsers.Authenticate(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	in := inbound.UserInput{FirstName: field.Given("Zoe"), Active: field.Bool(false), Staff: field.Bool(false)} // staff as it is
	_, changed := s.Change(t.Context(), b.Actor, other.ID(), fixture.Body(inbound.Changes{UserInput: in}))
	ended := s.Devices.End(t.Context(), b.Actor, s.Claims(t, s.Refreshes(t, own.Refresh).Access).Session)
	if changed != nil || ended != nil {
		t.Errorf("%v, %v", changed, ended)
	}
	confirmed := inbound.Deletion{Confirm: true, Current: field.Given(fixture.Password)}
	s.AddStaff(t, "last@example.com")
	if err := s.Delete(t.Context(), b.Actor, b.Actor.ID(), fixture.Body(confirmed)); err != nil {
		t.Errorf("a deletion with the password: %v", err)
	}
}
