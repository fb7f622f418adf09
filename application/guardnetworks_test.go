package application_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"roster/application"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// Guesses from many networks are allowed 99 times in a row and then limited as from a single network. The owner in a
// known network is not affected.
func TestGuessingFromManyNetworksIsLimited(t *testing.T) {
	for _, email := range []string{"a@example.com", "unknown@example.com", "no address at all"} {
		t.Run(email, func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			s.Add(t, "a@example.com")
			home := from(t, "198.51.100.1")
			if err := try(home, s, "a@example.com", fixture.Password); err != nil {
				t.Fatal(err)
			}
			for i := range 99 {
				if err := try(from(t, fmt.Sprintf("192.0.2.%d", i)), s, email, "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
					t.Fatalf("try %d: %v", i, err)
				}
			}
			for _, password := range []string{"wrong", fixture.Password} {
				if d := retryAfter(t, try(from(t, "203.0.113.1"), s, email, password)); d != 30*time.Second {
					t.Errorf("to wait: %s", d)
				}
			}
			if err := try(home, s, "a@example.com", fixture.Password); err != nil {
				t.Errorf("the owner at a known place: %v", err)
			}
			s.Clock.Advance(30 * time.Second)
			if err := try(from(t, "203.0.113.1"), s, email, "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Errorf("after the wait: %v", err)
			}
			if d := retryAfter(t, try(from(t, "203.0.113.2"), s, email, "wrong")); d != time.Minute {
				t.Errorf("the second wait: %s", d)
			}
		})
	}
}

// Wrong passwords in a known network do not count for the account's new networks.
func TestFailuresInKnownNetworkDoNotCountForNewOnes(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	for i := range 8 {
		if err := try(from(t, fmt.Sprintf("198.51.100.%d", i)), s, "a@example.com", fixture.Password); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 {
		for range 10 {
			if err := try(from(t, fmt.Sprintf("198.51.100.%d", i)), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Fatal(err)
			}
		}
	}
	for i := range 99 {
		if err := try(from(t, fmt.Sprintf("192.0.2.%d", i)), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	s.Clock.Advance(91 * 24 * time.Hour) // after the 90 days of a known network
	for i := range 99 {
		if err := try(from(t, fmt.Sprintf("198.51.100.%d", i)), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	retryAfter(t, try(from(t, "198.51.100.7"), s, "a@example.com", fixture.Password))
}

// For a week, guessers use every allowed attempt. The owner signs in once an hour from a known network, sometimes
// after a wrong password, and succeeds each time; from a new network too, unless the guessers use several networks.
func TestGuessingForAWeekDoesNotLockTheOwnerOut(t *testing.T) {
	const owner = "a@example.com"
	for _, guessers := range []int{1, 200} {
		t.Run(fmt.Sprint(guessers), func(t *testing.T) {
			s := fixture.New(t, fixture.Standard())
			s.Add(t, owner)
			home := from(t, "198.51.100.1")
			if err := try(home, s, owner, fixture.Password); err != nil {
				t.Fatal(err)
			}
			next := make([]time.Time, guessers)
			looked := 0
			end := s.Clock.Now().AddDate(0, 0, 7)
			for hour := 0; s.Clock.Now().Before(end); hour++ {
				for range 60 * 6 {
					for i := range next {
						for !s.Clock.Now().Before(next[i]) {
							err := try(from(t, fmt.Sprintf("203.0.113.%d", i)), s, owner, "wrong")
							if !errors.Is(err, lockout.ErrLocked) {
								looked++
								continue
							}
							next[i] = s.Clock.Now().Add(retryAfter(t, err))
						}
					}
					s.Clock.Advance(10 * time.Second)
				}
				if hour%5 == 0 {
					if err := try(home, s, owner, "typo"); !errors.Is(err, inbound.ErrNoAccount) {
						t.Fatalf("the owner's typo: %v", err)
					}
				}
				if err := try(home, s, owner, fixture.Password); err != nil {
					t.Fatalf("hour %d, after %d wrong passwords: %v", hour, looked, err)
				}
			}
			if most := min(guessers*15, 99+5) + 7*24*4; looked > most {
				t.Errorf("%d wrong passwords were looked at, want at most %d", looked, most)
			}
			err := try(from(t, "192.0.2.1"), s, owner, fixture.Password)
			if guessers == 1 && err != nil {
				t.Errorf("the owner at a new place: %v", err)
			}
			if guessers > 1 {
				retryAfter(t, err)
			}
		})
	}
}

// An address with one wrong password per 20 minutes, and sometimes five at once, is never locked.
func TestSharedAddressIsNotLocked(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	office := from(t, "198.51.100.7")
	for i := range 50 {
		s.Add(t, fmt.Sprintf("u%d@example.com", i))
	}
	for n := range 7 * 24 * 3 {
		typos := 1
		if n%10 == 0 {
			typos = 5
		}
		for i := range typos {
			email := fmt.Sprintf("u%d@example.com", (n+i)%50)
			if err := try(office, s, email, "typo"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Fatalf("after %d: %v", n, err)
			}
			if n%3 > 0 { // others try again later
				if err := try(office, s, email, fixture.Password); err != nil {
					t.Fatalf("after %d: %v", n, err)
				}
			}
		}
		s.Clock.Advance(20 * time.Minute)
	}
}

func TestSuccessForgivesFailuresFromNewNetworks(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	for place := range 3 {
		for i := range 98 {
			if err := try(from(t, fmt.Sprintf("192.0.%d.%d", place, i)), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Fatalf("try %d: %v", i, err)
			}
		}
		if err := try(from(t, fmt.Sprintf("198.51.100.%d", place)), s, "a@example.com", fixture.Password); err != nil {
			t.Fatal(err)
		}
	}
}

// Of 40 wrong passwords for 40 accounts from one address, the first 20 are verified at once, and each further one 30
// seconds later.
func TestPasswordSprayingIsLimited(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "own@example.com")
	for i := range 20 {
		if err := try(from(t, "2001:db8::1"), s, fmt.Sprintf("u%d@example.com", i), "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("try %d: %v", i, err)
		}
		if err := try(from(t, "2001:db8::1"), s, "own@example.com", fixture.Password); err != nil && i < 19 {
			t.Fatal(err) // a success for the sprayer's own account forgives nothing
		}
	}
	for i := range 20 {
		if d := retryAfter(t, try(from(t, "2001:db8::2"), s, "another@example.com", "wrong")); d != 30*time.Second { // the same network
			t.Errorf("%d: %s to wait", i, d)
		}
		s.Clock.Advance(30 * time.Second)
		if err := try(from(t, "2001:db8::1"), s, fmt.Sprintf("v%d@example.com", i), "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("after the wait: %v", err)
		}
	}
	if err := try(from(t, "2001:db8:0:1::1"), s, "own@example.com", fixture.Password); err != nil {
		t.Errorf("others are kept out too: %v", err)
	}
	s.Clock.Advance(10 * time.Minute)
	for i := range 20 {
		if err := try(from(t, "2001:db8::1"), s, fmt.Sprintf("w%d@example.com", i), "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("ten minutes later, try %d: %v", i, err)
		}
	}
}

// A right password after a wrong one forgives one failure of the address.
func TestSuccessForgivesOneFailureOfTheAddress(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	office := from(t, "198.51.100.7")
	for i := range 60 {
		email := fmt.Sprintf("u%d@example.com", i)
		s.Add(t, email)
		if err := try(office, s, email, "typo"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatalf("%d: %v", i, err)
		}
		if err := try(office, s, email, fixture.Password); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
}

// Failures counted while the clock was ahead lock no longer than others.
func TestFailuresDatedAheadDoNotLockLonger(t *testing.T) {
	for _, ahead := range []time.Duration{10 * time.Minute, 100 * 24 * time.Hour} {
		s := fixture.New(t, fixture.Standard())
		s.Add(t, "a@example.com")
		s.Clock.Advance(ahead)
		for range 10 {
			if err := try(from(t, "198.51.100.7"), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
				t.Fatal(err)
			}
		}
		for i := range 10 {
			_ = try(from(t, "198.51.100.7"), s, fmt.Sprintf("u%d@example.com", i), "wrong")
		}
		retryAfter(t, try(from(t, "198.51.100.7"), s, "a@example.com", fixture.Password))
		s.Clock.Advance(-ahead)
		if err := try(from(t, "198.51.100.7"), s, "a@example.com", fixture.Password); err != nil {
			t.Errorf("%s ahead: %v", ahead, err)
		}
	}
}

// A locked account stays locked, however many other accounts are tried and while records are swept. The records of
// the others are removed when they expire.
func TestLockSurvivesFloodOfOtherAccounts(t *testing.T) {
	const flood = 10_000
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	for range 10 {
		if err := try(t.Context(), s, "a@example.com", "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatal(err)
		}
	}
	waits := func(when string) {
		t.Helper()
		if err := try(t.Context(), s, "a@example.com", fixture.Password); !errors.Is(err, lockout.ErrLocked) {
			t.Fatalf("%s: %v", when, err)
		}
	}
	for i := range flood {
		if err := try(from(t, fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xFFFF)), s, fmt.Sprintf("u%d@example.com", i), "wrong"); !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatal(err)
		}
		if i%(flood/10) == 0 {
			waits(fmt.Sprintf("after %d others", i))
		}
	}
	swept, err := s.Housekeeping.Sweep(t.Context())
	if err != nil || swept.Attempts != 0 {
		t.Errorf("swept %+v, %v: none has expired", swept, err)
	}
	waits("after the sweep")
	s.Clock.Advance(25 * time.Hour)
	s.Add(t, "later@example.com") // adds an event, since sweeps advance to the newest event
	if swept, err = application.NewHousekeeping(s.Ports, fixture.Standard()).Sweep(t.Context()); err != nil || swept.Attempts != 3*flood+3 {
		t.Errorf("swept %+v, %v a day later, want all %d", swept, err, 3*flood+3)
	}
}

// In a known network the current password is accepted, whatever guessers do from other networks.
func TestCurrentPasswordInKnownNetwork(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	home := from(t, "198.51.100.1")
	if err := try(home, s, "a@example.com", fixture.Password); err != nil {
		t.Fatal(err)
	}
	for i := range 99 {
		_ = try(from(t, fmt.Sprintf("192.0.2.%d", i)), s, "a@example.com", "wrong")
	}
	u, err := s.Users.ByEmail(t.Context(), "a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	change := func(ctx context.Context) error {
		return s.ChangePassword(ctx, inbound.Actor{User: u}, fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2")))
	}
	retryAfter(t, change(from(t, "203.0.113.1")))
	if err := change(home); err != nil {
		t.Error(err)
	}
}

// A wrong password counts even if its client disconnects during the verification.
func TestDisconnectedClientIsCounted(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	away := &leaving{Attempts: s.Attempts}
	p := s.Ports
	p.Attempts = away
	a := application.NewAuthentication(p, fixture.Standard(), application.NewGuard(p, fixture.Standard()))
	for range 10 {
		ctx, cancel := context.WithCancel(from(t, "192.0.2.1"))
		away.leave = cancel
		_, err := a.SignIn(ctx, inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given("wrong")})
		if !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatal(err)
		}
	}
	retryAfter(t, try(from(t, "192.0.2.1"), s, "a@example.com", fixture.Password))
}

// leaving cancels a request just before its failure is counted.
type leaving struct {
	outbound.Attempts
	leave func()
}

func (l *leaving) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	l.leave()
	return l.Attempts.Update(ctx, s, change)
}
