package application_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

func atMost(n int) application.Settings {
	s := fixture.Standard()
	s.Rules.MaxPerUser = n
	return s
}

// A sign-in beyond MaxPerUser ends the oldest valid session at once and records it. Ended sessions and those of
// other users do not count.
func TestSignInEndsTheOldestSession(t *testing.T) {
	s := fixture.New(t, atMost(3))
	s.Add(t, "a@example.com")
	s.Add(t, "b@example.com")
	other := s.SignsIn(t, "b@example.com", fixture.Password)
	var pairs []inbound.TokenPair
	for range 4 {
		s.Clock.Advance(time.Second)
		pairs = append(pairs, s.SignsIn(t, "a@example.com", fixture.Password))
	}
	oldest := s.Claims(t, pairs[0].Refresh).Session
	if _, err := s.Authenticate(t.Context(), pairs[0].Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("the oldest: %v", err)
	}
	s.RefreshFails(t, pairs[0].Refresh, session.ErrBlacklisted)
	a := actorOf(t, s, pairs[3].Access)
	if n := len(list(t, s, a, "")); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	for _, p := range append(pairs[1:], other) {
		actorOf(t, s, p.Access)
	}
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.SessionRevoked}}, Limit: 9}))
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	want := audit.Event{Kind: audit.SessionRevoked, Actor: a.ID(), User: a.ID(), Session: string(oldest), Detail: "too many sessions"}
	if e := events[0]; e.Kind != want.Kind || e.Actor != want.Actor || e.User != want.User || e.Session != want.Session || e.Detail != want.Detail {
		t.Errorf("got %+v, want %+v", e, want)
	}
	if x, err := s.Ports.Sessions.Get(t.Context(), oldest); err != nil || x.Snapshot().Reason != session.Displaced {
		t.Errorf("the oldest is stored as %+v, %v", x, err)
	}

	if err := s.SignOut(t.Context(), field.Given(pairs[3].Refresh)); err != nil {
		t.Fatal(err)
	}
	last := s.SignsIn(t, "a@example.com", fixture.Password)
	for _, p := range append(pairs[1:3], last) {
		actorOf(t, s, p.Access)
	}
}

// When clocks differ, the sign-in does not end its own session, but another one.
func TestSignInWithClockBehindKeepsItsSession(t *testing.T) {
	s := fixture.New(t, atMost(2))
	s.Add(t, "a@example.com")
	for range 2 {
		s.Clock.Advance(time.Second)
		s.SignsIn(t, "a@example.com", fixture.Password)
	}
	s.Clock.Advance(-time.Hour)
	a := actorOf(t, s, s.SignsIn(t, "a@example.com", fixture.Password).Access)
	if n := len(list(t, s, a, "")); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
}

// Sign-ins reach a lowered MaxPerUser. Each ends at most twenty sessions, so that none takes long.
func TestLoweredMaxPerUserIsReached(t *testing.T) {
	s := fixture.New(t, atMost(0))
	s.Add(t, "a@example.com")
	for range 50 {
		s.SignsIn(t, "a@example.com", fixture.Password)
	}
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	a := actorOf(t, s, p.Access)
	lower := application.NewAuthentication(s.Ports, atMost(5), application.NewGuard(s.Ports, atMost(5)))
	for _, want := range []int{32, 13, 5, 5} {
		if _, err := lower.SignIn(t.Context(), credentials("a@example.com")); err != nil {
			t.Fatal(err)
		}
		if n := len(list(t, s, a, "")); n != want {
			t.Errorf("%d sessions, want %d", n, want)
		}
	}
}

// Concurrent sign-ins at two instances leave no more sessions than MaxPerUser, and each returns a pair of tokens.
func TestConcurrentSignInsRespectMaxPerUser(t *testing.T) {
	s := fixture.New(t, atMost(5))
	u := s.Add(t, "a@example.com")
	other := application.NewAuthentication(s.Ports, atMost(5), application.NewGuard(s.Ports, atMost(5)))
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			a := s.Authentication
			if i%2 == 0 {
				a = other
			}
			if _, err := a.SignIn(t.Context(), credentials("a@example.com")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	found, err := s.Ports.Sessions.List(t.Context(), session.Query{Owner: u.ID(), LiveAt: s.Clock.Now(), Limit: 100})
	if err != nil || len(found) != 5 {
		t.Errorf("%d sessions, %v; want 5", len(found), err)
	}
}

// A sign-in succeeds when the storage fails after its session was stored. The next one ends the sessions beyond the
// maximum.
func TestFailedDisplacementIsLeftToTheNextSignIn(t *testing.T) {
	s := fixture.New(t, atMost(1))
	s.Add(t, "a@example.com")
	s.SignsIn(t, "a@example.com", fixture.Password)
	away := &unlisted{Sessions: s.Ports.Sessions}
	ports := s.Ports
	ports.Sessions = away
	if _, err := application.NewAuthentication(ports, atMost(1), application.NewGuard(ports, atMost(1))).SignIn(t.Context(), credentials("a@example.com")); err != nil {
		t.Fatal(err)
	}
	a := actorOf(t, s, s.SignsIn(t, "a@example.com", fixture.Password).Access)
	if n := len(list(t, s, a, "")); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

type unlisted struct{ outbound.Sessions }

func (unlisted) List(context.Context, session.Query) ([]*session.Session, error) {
	return nil, errors.New("away")
}

// counted counts calls of a port.
type counted struct {
	outbound.Sessions
	calls []string
}

func (c *counted) Add(ctx context.Context, x *session.Session, events ...outbound.Effects) error {
	c.calls = append(c.calls, "add")
	return c.Sessions.Add(ctx, x, events...)
}

func (c *counted) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	c.calls = append(c.calls, fmt.Sprintf("list %d beyond %d", q.Limit, q.Skip))
	return c.Sessions.List(ctx, q)
}

func (c *counted) Update(ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects) (*session.Session, error) {
	c.calls = append(c.calls, "update")
	return c.Sessions.Update(ctx, id, change, events...)
}

// A sign-in lists the sessions once, and only when there is a maximum. It updates a session only beyond the maximum.
func TestPortCallsOfMaxPerUser(t *testing.T) {
	for maximum, want := range map[int][]string{
		0: {"[add]", "[add]", "[add]"},
		2: {"[add list 21 beyond 1]", "[add list 21 beyond 1]", "[add list 21 beyond 1 update]"},
	} {
		s := fixture.New(t, atMost(maximum))
		s.Add(t, "a@example.com")
		ports := s.Ports
		sessions := &counted{Sessions: s.Ports.Sessions}
		ports.Sessions = sessions
		a := application.NewAuthentication(ports, atMost(maximum), application.NewGuard(ports, atMost(maximum)))
		for i := range want {
			sessions.calls = nil
			if _, err := a.SignIn(t.Context(), credentials("a@example.com")); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(sessions.calls); got != want[i] {
				t.Errorf("at most %d, sign-in %d: %s, want %s", maximum, i+1, got, want[i])
			}
		}
	}
}

func credentials(email string) inbound.SignIn {
	return inbound.SignIn{Email: field.Given(email), Password: field.Given(fixture.Password)}
}

// Sessions from before all sessions of a user ended do not count.
func TestEndedSessionsDoNotCount(t *testing.T) {
	s := fixture.New(t, atMost(2))
	u := s.Add(t, "a@example.com")
	for range 2 {
		s.SignsIn(t, "a@example.com", fixture.Password)
	}
	s.Set(t, u.ID(), func(u *user.User) { u.EndSessions(s.Clock.Now()) })
	first := s.SignsIn(t, "a@example.com", fixture.Password)
	s.SignsIn(t, "a@example.com", fixture.Password)
	actorOf(t, s, first.Access)
}
