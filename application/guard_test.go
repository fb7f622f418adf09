package application_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// from returns the context of a request from a client address.
func from(t *testing.T, address string) context.Context {
	t.Helper()
	return inbound.WithOrigin(t.Context(), inbound.Origin{Channel: audit.API, Client: session.Client{Address: address, UserAgent: "test"}, RequestID: "r1"})
}

func try(ctx context.Context, s *fixture.Service, email, password string) error {
	_, err := s.SignIn(ctx, inbound.SignIn{Email: field.Given(email), Password: field.Given(password)})
	return err
}

func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	var f *fault.Error
	if !errors.Is(err, lockout.ErrLocked) || !errors.As(err, &f) {
		t.Fatalf("got %v, want a lock", err)
	}
	return f.RetryAfter
}

func TestGuessingOneAccountIsLimited(t *testing.T) {
	for _, email := range []string{"a@example.com", "unknown@example.com", "no address at all"} {
		t.Run(email, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			s.Add(t, "a@example.com")
			for i := range 10 {
				if err := try(from(t, fmt.Sprintf("2001:db8::%d", i)), s, email, "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
					t.Fatalf("try %d: %v", i, err)
				}
			}
			verified := s.Hasher.Verified.Load()
			for _, password := range []string{"wrong", fixture.Password} { // the right one is refused too
				if d := retryAfter(t, try(from(t, "2001:db8::1"), s, email, password)); d != 30*time.Second {
					t.Errorf("to wait: %s", d)
				}
			}
			if s.Hasher.Verified.Load() != verified {
				t.Error("passwords are looked at while locked")
			}
			s.Clock.Advance(30 * time.Second)
			if err := try(from(t, "2001:db8::1"), s, email, "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Errorf("after the wait: %v", err)
			}
			if d := retryAfter(t, try(from(t, "2001:db8::2"), s, email, "wrong")); d != time.Minute {
				t.Errorf("the second wait: %s", d)
			}
			if err := try(from(t, "2001:db8:0:1::1"), s, email, "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Errorf("another network has to wait too: %v", err)
			}
		})
	}
}

func TestSpellingsOfAnAddressAreOneAccount(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "anna@example.com")
	for i, email := range []string{
		"anna@example.com", "ANNA@example.com", "Anna@Example.COM", " anna@example.com", "anna@example.com ", "aNNa@example.com",
		"anna@EXAMPLE.com", "annA@example.com", "anNa@example.com", "anna@example.coM",
	} {
		if err := try(from(t, "198.51.100.1"), s, email, "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	retryAfter(t, try(from(t, "198.51.100.1"), s, "anna@example.com", fixture.Password))
}

func TestSuccessForgivesTheAccount(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	for range 3 {
		for range 9 {
			if err := try(t.Context(), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Fatal(err)
			}
		}
		s.SignsIn(t, "a@example.com", fixture.Password)
		s.Clock.Advance(4 * time.Minute) // the address: one failure was forgiven by the success, the others by time
	}
}

// Of many concurrent wrong passwords, no more are verified than may fail.
func TestConcurrentAttemptsAreCounted(t *testing.T) {
	const crowd = 200
	for name, c := range map[string]struct {
		networks, accounts int
		want               int
	}{
		"one account, one network":   {1, 1, 10},
		"one account, many networks": {crowd, 1, 99},
		"many accounts, one network": {1, crowd, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := fixture.New(t, fixture.Standard())
				s.Add(t, "u0@example.com")
				release := make(chan struct{})
				s.Hasher.During = func() { <-release }
				errs := make([]error, crowd)
				var wg sync.WaitGroup
				for i := range crowd {
					wg.Go(func() {
						errs[i] = try(from(t, fmt.Sprintf("192.0.2.%d", i%c.networks)), s, fmt.Sprintf("u%d@example.com", i%c.accounts), "wrong")
					})
				}
				synctest.Wait() // each is being verified or waits for a slot
				if n := s.Hasher.Verified.Load(); int(n) != c.want {
					t.Errorf("%d passwords looked at at once, want %d", n, c.want)
				}
				close(release)
				wg.Wait()
				refused, locked := 0, 0
				for _, err := range errs {
					switch {
					case errors.Is(err, inbound.ErrNoAccount):
						refused++
					case errors.Is(err, lockout.ErrLocked):
						locked++
					default:
						t.Error(err)
					}
				}
				if n := s.Hasher.Verified.Load(); int(n) != c.want || refused != c.want || locked != crowd-c.want {
					t.Errorf("%d passwords looked at, %d refused, %d locked; want %d", n, refused, locked, c.want)
				}
			})
		})
	}
}

// An attempt reads the failures again when another attempt failed after its read.
func TestAttemptReadsAgainAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := fixture.Standard()
		set.Lockout.Account.Free = 1
		s := fixture.New(t, set)
		first, second := make(chan struct{}), make(chan struct{})
		s.Hasher.During = func() { <-first }
		p := s.Ports
		slow := &slowReads{Attempts: s.Attempts}
		p.Attempts = slow
		a := application.NewAuthentication(p, set, application.NewGuard(p, set))
		signIn := func(err *error) {
			_, *err = a.SignIn(from(t, "192.0.2.1"), inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given("wrong")})
		}
		var errs [2]error
		var wg sync.WaitGroup
		wg.Go(func() { signIn(&errs[0]) })
		synctest.Wait() // the first is being verified
		slow.hold = second
		wg.Go(func() { signIn(&errs[1]) })
		synctest.Wait() // the second has read that there are no failures
		slow.hold = nil
		close(first)
		synctest.Wait() // the first has failed
		close(second)
		wg.Wait()
		if !errors.Is(errs[0], inbound.ErrNoAccount) || !errors.Is(errs[1], lockout.ErrLocked) || s.Hasher.Verified.Load() != 1 {
			t.Errorf("%v; %d passwords looked at", errs, s.Hasher.Verified.Load())
		}
	})
}

// slowReads delays the result of Get until hold is closed, if hold is set.
type slowReads struct {
	outbound.Attempts
	hold chan struct{}
}

func (r *slowReads) Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error) {
	x, err := r.Attempts.Get(ctx, s)
	if r.hold != nil && lockout.ForAccount("a@example.com").Has(s) {
		<-r.hold
	}
	return x, err
}

// Many concurrent sign-ins of one account with the right password all succeed, and do not lock it.
func TestConcurrentRightPasswordsSucceed(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	errs := make([]error, 100)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = try(t.Context(), s, "a@example.com", fixture.Password) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestWaitingForASlotEndsWithTheRequest(t *testing.T) {
	set := fixture.Standard()
	set.Lockout.Account.Free = 1
	s := fixture.New(t, set)
	s.Add(t, "a@example.com")
	ctx, cancel := context.WithCancel(from(t, "192.0.2.1"))
	inside, done := make(chan struct{}), make(chan error)
	s.Hasher.During = func() { // the second waits during the verification of the first, and is cancelled
		s.Hasher.During = nil
		close(inside)
		go func() { done <- try(ctx, s, "a@example.com", "wrong") }()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the waiting attempt: %v", err)
		}
	}
	if err := try(from(t, "192.0.2.1"), s, "a@example.com", fixture.Password); err != nil {
		t.Error(err)
	}
	<-inside
	s.SignsIn(t, "a@example.com", fixture.Password)
}

// A password that could not be verified does not count as a failure.
func TestBusyHasherIsNoFailure(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	s.Hasher.Busy.Store(true)
	for range 20 {
		if err := try(t.Context(), s, "a@example.com", fixture.Password); fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
	}
	s.Hasher.Busy.Store(false)
	s.SignsIn(t, "a@example.com", fixture.Password)
}

// The current password of a change is protected against guessing too.
func TestGuessingTheCurrentPasswordIsLimited(t *testing.T) {
	set := fixture.Standard()
	set.Passwords.RequireCurrent = true
	s := fixture.New(t, set)
	u := s.Add(t, "a@example.com")
	actor := inbound.Actor{User: u}
	for i := range 10 {
		var err error
		if i%2 == 0 {
			err = s.ChangePassword(t.Context(), actor, fixture.PasswordChange(field.Given("wrong"), field.Given(fixture.Password+"2")))
		} else {
			_, err = s.Change(t.Context(), actor, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{
				Email: field.Given("b@example.com"), CurrentPassword: field.Given("wrong"),
			}}))

		}
		if fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	}
	retryAfter(t, s.ChangePassword(t.Context(), actor, fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))))
	retryAfter(t, try(t.Context(), s, "a@example.com", fixture.Password))
	if err := s.ChangePassword(from(t, "192.0.2.1"), actor, fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))); err != nil {
		t.Errorf("from another network: %v", err)
	}
}

func TestZeroRulesSetNoLimit(t *testing.T) {
	set := fixture.Standard()
	set.Lockout = lockout.Rules{}
	s := fixture.New(t, set)
	for range 200 {
		if err := try(t.Context(), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatal(err)
		}
	}
}

// Of many concurrent wrong passwords, as many are verified at once as may fail, and no others before these end.
func TestConcurrentGuessesAreLimited(t *testing.T) {
	const crowd = 100
	synctest.Test(t, func(t *testing.T) {
		s := fixture.New(t, fixture.Standard())
		s.Add(t, "a@example.com")
		end := make(chan struct{})
		s.Hasher.During = func() { <-end }
		errs := make(chan error, crowd)
		for range crowd {
			go func() { errs <- try(from(t, "192.0.2.1"), s, "a@example.com", "wrong") }()
		}
		synctest.Wait() // each attempt is being verified or waits
		if n := s.Hasher.Verified.Load(); n != 10 {
			t.Errorf("%d passwords are looked at, want 10", n)
		}
		close(end)
		refused, locked := 0, 0
		for range crowd {
			switch err := <-errs; {
			case errors.Is(err, inbound.ErrNoAccount):
				refused++
			case errors.Is(err, lockout.ErrLocked):
				locked++
			default:
				t.Error(err)
			}
		}
		if n := s.Hasher.Verified.Load(); n != 10 || refused != 10 || locked != crowd-10 {
			t.Errorf("%d passwords looked at, %d refused, %d locked", n, refused, locked)
		}
	})
}
