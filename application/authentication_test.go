package application_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"roster/application"
	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

func TestSignInRefusalsAreEqual(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	inactive := s.Add(t, "inactive@example.com")
	unusable := s.Add(t, "unusable@example.com")
	s.Set(t, inactive.ID(), func(u *user.User) { u.SetActive(false) })
	s.Set(t, unusable.ID(), func(u *user.User) { u.ChangePassword(credential.Unusable, s.Clock.Now()) })
	for name, c := range map[string][2]string{
		"wrong password": {"a@example.com", "wrong"}, "unknown": {"unknown@example.com", fixture.Password},
		"inactive": {"inactive@example.com", fixture.Password}, "unusable": {"unusable@example.com", "!"},
		"no address": {"nonsense", fixture.Password}, "other case of the password": {"a@example.com", "qZ7!WVKj-93XU tB"},
	} {
		before := s.Hasher.Verified.Load()
		_, err := s.SignIn(t.Context(), inbound.SignIn{Email: field.Given(c[0]), Password: field.Given(c[1])})
		if !errors.Is(err, inbound.ErrNoAccount) {
			t.Errorf("%s: got %v", name, err)
		}
		if n := s.Hasher.Verified.Load() - before; n != 1 {
			t.Errorf("%s: %d verifications, want 1: the cost reveals which users exist", name, n)
		}
	}
	_, err := s.SignIn(t.Context(), inbound.SignIn{Email: field.Null()})
	expectFaults(t, err, "email: This field may not be null.", "password: This field is required.")
}

func TestSignInRecordsItAndRehashes(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	s.Set(t, u.ID(), func(u *user.User) { u.Rehash(u.Password(), fixture.Old(fixture.Password)) })
	s.Clock.Advance(time.Minute)
	s.SignsIn(t, "a@example.com", fixture.Password)
	got, _ := s.Users.Get(t.Context(), u.ID())
	if !got.Snapshot().LastLogin.Equal(fixture.Epoch.Add(time.Minute)) {
		t.Errorf("last login %v", got.Snapshot().LastLogin)
	}
	if got.Password().Encoded() != "new$"+fixture.Password {
		t.Error("the outdated hash stayed")
	}
}

func TestConcurrentSignInsWithOutdatedHash(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	s.Set(t, u.ID(), func(u *user.User) { u.Rehash(u.Password(), fixture.Old(fixture.Password)) })
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := s.SignIn(t.Context(), inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given(fixture.Password)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestBusyHasherFailsTheSignIn(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	s.Hasher.Busy.Store(true)
	if _, err := s.SignIn(t.Context(), inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given(fixture.Password)}); !errors.Is(err, credential.ErrBusy) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(fixture.Input("b@example.com"))); !errors.Is(err, credential.ErrBusy) {
		t.Errorf("got %v", err)
	}
	if n, _ := s.Users.Count(t.Context(), user.Filter{}); n != 1 {
		t.Errorf("%d users", n)
	}
}

func TestRotation(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	first := s.SignsIn(t, "a@example.com", fixture.Password)
	second := s.Refreshes(t, first.Refresh)
	if second.Refresh == "" || second.Refresh == first.Refresh {
		t.Fatal("no new refresh token")
	}
	// After a lost answer, a second refresh returns the same successor, which stays valid.
	again := s.Refreshes(t, first.Refresh)
	if s.TokenID(t, again.Refresh) != s.TokenID(t, second.Refresh) {
		t.Error("asking again began a second branch")
	}
	third := s.Refreshes(t, second.Refresh)
	// The first token is two generations old: another client used it. The session is revoked.
	s.RefreshFails(t, first.Refresh, session.ErrBlacklisted)
	s.RefreshFails(t, third.Refresh, session.ErrBlacklisted)
	if _, err := s.Authenticate(t.Context(), third.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("access: got %v", err)
	}
	s.SignsIn(t, "a@example.com", fixture.Password)
}

func TestReuseAfterTheGraceEndsTheSession(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	first := s.SignsIn(t, "a@example.com", fixture.Password)
	other := s.SignsIn(t, "a@example.com", fixture.Password)
	second := s.Refreshes(t, first.Refresh)
	s.Clock.Advance(10*time.Second + time.Millisecond)
	s.RefreshFails(t, first.Refresh, session.ErrBlacklisted)
	s.RefreshFails(t, second.Refresh, session.ErrBlacklisted)
	s.Refreshes(t, other.Refresh)
}

func TestConcurrentRefreshesGiveOneSuccessor(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	first := s.SignsIn(t, "a@example.com", fixture.Password)
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		ids = map[string]bool{}
	)
	for range 32 {
		wg.Go(func() {
			p, err := s.Refresh(t.Context(), field.Given(first.Refresh))
			if err != nil {
				t.Error(err)
				return
			}
			id := s.TokenID(t, p.Refresh)
			mu.Lock()
			defer mu.Unlock()
			ids[id] = true
		})
	}
	wg.Wait()
	if len(ids) != 1 {
		t.Errorf("%d successors", len(ids))
	}
}

func TestSessionsExpire(t *testing.T) {
	set := fixture.Standard()
	set.Rules.MaxLifetime = 30 * time.Hour
	s := fixture.New(t, set)
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(5 * time.Minute)
	if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("an access token that ends now: got %v", err)
	}
	s.Clock.Advance(20 * time.Hour)
	p = s.Refreshes(t, p.Refresh)
	s.Clock.Advance(10 * time.Hour) // within the 24 hours of the token, after the 30 hours of the session
	s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
	s.Add(t, "later@example.com") // adds an event, since sweeps advance to the newest event
	if n, err := s.Housekeeping.Sweep(t.Context()); n != (application.Swept{Sessions: 1}) || err != nil {
		t.Errorf("swept %+v, %v", n, err)
	}
	s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
}

func TestSignOutEndsTheSessionAndOnlyThat(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	first := s.SignsIn(t, "a@example.com", fixture.Password)
	other := s.SignsIn(t, "a@example.com", fixture.Password)
	second := s.Refreshes(t, first.Refresh)
	if err := s.SignOut(t.Context(), field.Given(first.Refresh)); err != nil { // the successor's answer was lost
		t.Fatal(err)
	}
	s.RefreshFails(t, first.Refresh, session.ErrBlacklisted)
	s.RefreshFails(t, second.Refresh, session.ErrBlacklisted)
	if err := s.SignOut(t.Context(), field.Given(second.Refresh)); !errors.Is(err, session.ErrBlacklisted) {
		t.Errorf("twice: got %v", err)
	}
	for _, tok := range []string{second.Access, first.Access} {
		if _, err := s.Authenticate(t.Context(), tok); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("access: got %v", err)
		}
	}
	for _, tok := range []string{second.Access, second.Refresh} {
		if err := s.Verify(t.Context(), field.Given(tok)); err == nil {
			t.Error("a token of an ended session verifies")
		}
	}
	s.Refreshes(t, other.Refresh)
	if err := s.SignOut(t.Context(), field.Given(other.Access)); !errors.Is(err, session.ErrWrongType) {
		t.Errorf("access token: got %v", err)
	}
}

func TestChangedPasswordEndsEverySession(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	own, thief := s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
	actor, err := s.Authenticate(t.Context(), own.Access)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Millisecond)
	if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("wqzxvkjpm-2")}})); err != nil {
		t.Fatal(err)
	}
	for _, p := range []inbound.TokenPair{own, thief} {
		s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
		if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("access: got %v", err)
		}
	}
	s.Refused(t, "a@example.com", fixture.Password)
	p := s.SignsIn(t, "a@example.com", "wqzxvkjpm-2") // in the same millisecond
	s.Refreshes(t, p.Refresh)
}

func TestReactivationDoesNotRestoreSessions(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	s.Clock.Advance(time.Millisecond)
	if _, err := s.Administration.Set(t.Context(), u.ID(), inbound.AdminChanges{Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, inbound.ErrUserInactive) {
		t.Errorf("got %v", err)
	}
	s.RefreshFails(t, p.Refresh, inbound.ErrTokenOrphaned)
	if _, err := s.Administration.Set(t.Context(), u.ID(), inbound.AdminChanges{Active: new(true)}); err != nil {
		t.Fatal(err)
	}
	s.RefreshFails(t, p.Refresh, session.ErrTokenInvalid)
	if _, err := s.Authenticate(t.Context(), p.Access); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("got %v", err)
	}
}

// TestDjangoProfile covers the rules of SimpleJWT.
func TestDjangoProfile(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	u := s.Add(t, "a@example.com")
	p, other := s.SignsIn(t, "a@example.com", fixture.Password), s.SignsIn(t, "a@example.com", fixture.Password)
	if r := s.Refreshes(t, p.Refresh); r.Refresh != "" {
		t.Error("rotation is off, yet there is a new refresh token")
	}
	s.Refreshes(t, p.Refresh)

	t.Run("a changed password leaves the session that asked for it", func(t *testing.T) {
		actor, err := s.Authenticate(t.Context(), p.Access)
		if err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(2 * time.Second)
		if _, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Password: field.Given("wqzxvkjpm-2")}})); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), p.Access); err != nil {
			t.Errorf("access: %v", err)
		}
		s.Refreshes(t, p.Refresh)
		s.RefreshFails(t, other.Refresh, session.ErrTokenInvalid)
	})
	t.Run("tokens are good again when the user is let in again", func(t *testing.T) {
		for _, active := range []bool{false, true} {
			s.Clock.Advance(time.Second)
			if _, err := s.Administration.Set(t.Context(), u.ID(), inbound.AdminChanges{Active: &active}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(t.Context(), p.Access); (err == nil) != active {
				t.Errorf("active %v: %v", active, err)
			}
		}
	})
	t.Run("an access token outlives the sign-out, a refresh token verifies on", func(t *testing.T) {
		if err := s.SignOut(t.Context(), field.Given(p.Refresh)); err != nil {
			t.Fatal(err)
		}
		s.RefreshFails(t, p.Refresh, session.ErrBlacklisted)
		if _, err := s.Authenticate(t.Context(), p.Access); err != nil {
			t.Errorf("access: %v", err)
		}
		if err := s.Verify(t.Context(), field.Given(p.Refresh)); err != nil {
			t.Errorf("verify: %v", err)
		}
	})
}

func TestTokensOfAnotherIssuer(t *testing.T) {
	for name, rotate := range map[string]bool{"without rotation": false, "with rotation": true} {
		t.Run(name, func(t *testing.T) {
			set := fixture.Django()
			set.Rules.Rotate = rotate
			s := fixture.New(t, set)
			u := s.Add(t, "a@example.com")
			s.Clock.Advance(time.Hour)
			mint := func(typ session.TokenType, jti string) string {
				return s.Mint(t, session.Claims{
					Type: typ, ID: jti, User: string(u.ID()), HasUser: true, IssuedAt: s.Clock.Now().Add(-time.Minute),
					ExpiresAt: s.Clock.Now().Add(time.Hour), Extra: []byte(`{"role":"auditor"}`),
				})
			}
			if _, err := s.Authenticate(t.Context(), mint(session.Access, "6f1ed002ab5595859014ebf0951522d9")); err != nil {
				t.Errorf("access: %v", err)
			}
			refresh := mint(session.Refresh, "7f1ed002ab5595859014ebf0951522d9")
			p := s.Refreshes(t, refresh)
			if string(s.Claims(t, p.Access).Extra) != `{"role":"auditor"}` {
				t.Error("further claims are not carried over")
			}
			if rotate {
				s.RefreshFails(t, refresh, session.ErrBlacklisted)
				p = s.Refreshes(t, p.Refresh)
				if err := s.SignOut(t.Context(), field.Given(p.Refresh)); err != nil {
					t.Error(err)
				}
				s.RefreshFails(t, p.Refresh, session.ErrBlacklisted)
			} else {
				s.Refreshes(t, refresh)
				if err := s.SignOut(t.Context(), field.Given(refresh)); err != nil {
					t.Error(err)
				}
				s.RefreshFails(t, refresh, session.ErrBlacklisted)
			}
			old := mint(session.Access, "8f1ed002ab5595859014ebf0951522d9")
			s.Set(t, u.ID(), func(u *user.User) { u.EndSessions(s.Clock.Now()) })
			if _, err := s.Authenticate(t.Context(), old); !errors.Is(err, session.ErrTokenInvalid) {
				t.Errorf("from before the sessions were ended: got %v", err)
			}
		})
	}
	t.Run("not honoured in standard", func(t *testing.T) {
		s := fixture.New(t, fixture.Standard())
		u := s.Add(t, "a@example.com")
		c := session.Claims{
			Type: session.Access, ID: "6f1ed002ab5595859014ebf0951522d9", User: string(u.ID()), HasUser: true,
			IssuedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(time.Hour),
		}
		if _, err := s.Authenticate(t.Context(), s.Mint(t, c)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("access: got %v", err)
		}
		c.Session = "0123456789abcdef01234567" // a session that never existed
		if _, err := s.Authenticate(t.Context(), s.Mint(t, c)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("access with a session: got %v", err)
		}
		c.Type, c.Session = session.Refresh, ""
		tok := s.Mint(t, c)
		s.RefreshFails(t, tok, session.ErrTokenInvalid)
		if err := s.SignOut(t.Context(), field.Given(tok)); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("sign-out: got %v", err)
		}
	})
}

func TestAuthenticateRefusesInvalidUserClaims(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	base := session.Claims{Type: session.Access, ID: "a", IssuedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(time.Hour)}
	if _, err := s.Authenticate(t.Context(), s.Mint(t, base)); !errors.Is(err, session.ErrNoUserClaim) {
		t.Errorf("no user: got %v", err)
	}
	base.HasUser = true
	for _, id := range []string{"abc", "2000000000", "99999999999999999999"} {
		base.User = id
		if _, err := s.Authenticate(t.Context(), s.Mint(t, base)); !errors.Is(err, inbound.ErrUserNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
	}
}
