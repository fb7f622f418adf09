package lockout_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"roster/domain/fault"
	"roster/domain/lockout"
)

var (
	t0     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	policy = lockout.Policy{Free: 3, Delay: 30 * time.Second, MaxDelay: 15 * time.Minute}
)

// waitOf returns how long an attempt at now has to wait.
func waitOf(t interface{ Fatalf(string, ...any) }, r *lockout.Record, now time.Time, p lockout.Policy) time.Duration {
	room, err := r.Allowance(now, p)
	if err == nil {
		if room < 1 {
			t.Fatalf("no refusal, and room for %d", room)
		}
		return 0
	}
	var refusal *fault.Error
	if !errors.Is(err, lockout.ErrLocked) || !errors.As(err, &refusal) || refusal.RetryAfter <= 0 {
		t.Fatalf("refused with %v", err)
	}
	return refusal.RetryAfter
}

func TestWaitsDoubleUpToTheLongest(t *testing.T) {
	r := lockout.New("account:x")
	now := t0
	for i, want := range []time.Duration{0, 0, 30, 60, 120, 240, 480, 900, 900} {
		locked := r.Fail(now, policy)
		if got := waitOf(t, r, now, policy); got != want*time.Second || locked != (want > 0) {
			t.Errorf("after %d failures: locked %t, wait %s; want %s", i+1, locked, got, want*time.Second)
		}
		now = now.Add(want * time.Second)
		if got := waitOf(t, r, now, policy); got != 0 {
			t.Errorf("after %d failures and the wait: %s to wait", i+1, got)
		}
	}
}

func TestRoomForAttemptsAtTheSameTime(t *testing.T) {
	r := lockout.New("account:x")
	for _, want := range []int{3, 2, 1} {
		if room, err := r.Allowance(t0, policy); room != want || err != nil {
			t.Errorf("room for %d, %v; want %d", room, err, want)
		}
		r.Fail(t0, policy)
	}
	if room, err := r.Allowance(t0.Add(time.Minute), policy); room != 1 || err != nil {
		t.Errorf("after the wait: room for %d, %v; want 1", room, err)
	}
}

func TestFailuresAreForgottenAndForgiven(t *testing.T) {
	r := lockout.New("account:x")
	r.Fail(t0, policy)
	r.Fail(t0, policy)
	if room, _ := r.Allowance(t0.Add(time.Hour-time.Millisecond), policy); room != 1 {
		t.Errorf("just within the hour: room for %d", room)
	}
	if room, _ := r.Allowance(t0.Add(time.Hour), policy); room != 3 {
		t.Errorf("an hour later: room for %d", room)
	}
	r.Fail(t0, policy)
	if room, _ := r.Allowance(t0.Add(24*time.Hour-time.Millisecond), policy); room != 1 {
		t.Errorf("within a day of a lock: room for %d", room)
	}
	if r.Fail(t0.Add(24*time.Hour), policy) {
		t.Error("the first failure after a day locks")
	}
	r.Forgive()
	if room, _ := r.Allowance(t0.Add(24*time.Hour), policy); room != 3 {
		t.Errorf("forgiven: room for %d", room)
	}
}

func TestZeroPolicyNeverRefuses(t *testing.T) {
	r := lockout.New("account:x")
	for range 1000 {
		if r.Fail(t0, lockout.Policy{}) {
			t.Fatal("locked")
		}
	}
}

// NIST SP 800-63B-4, 3.2.2: no more than 100 failures in a row; ASVS 6.3.1: nobody is locked out for
// good. Whatever the pace, and a clock that jumps back, a hundred failures take hours, and no wait is
// longer than the longest.
func TestGuessingIsSlowAndNobodyIsLockedOutForGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := lockout.Policy{Free: rapid.IntRange(1, 100).Draw(t, "free"), Delay: 30 * time.Second, MaxDelay: 15 * time.Minute}
		r := lockout.New("account:x")
		now := t0
		inARow := 0
		for range 120 {
			wait := waitOf(t, r, now, p)
			if wait > p.MaxDelay+time.Minute { // what the clock was set back by
				t.Fatalf("%s to wait", wait)
			}
			if wait > 0 {
				inARow = 0
				now = now.Add(wait)
			}
			r.Fail(now, p)
			if inARow++; inARow > 100 {
				t.Fatal("more than a hundred failures without a wait")
			}
			now = now.Add(time.Duration(rapid.IntRange(-60_000, 5_000).Draw(t, "ms")) * time.Millisecond)
		}
	})
}

func TestSubjects(t *testing.T) {
	same := [][2]lockout.Subject{
		{lockout.ForAddress("192.0.2.1"), lockout.ForAddress("::ffff:192.0.2.1")},
		{lockout.ForAddress("2001:db8:1:2::1"), lockout.ForAddress("2001:db8:1:2:ffff::9")},
		{lockout.ForAddress("fe80::1%eth0"), lockout.ForAddress("fe80::2%eth1")},
	}
	for _, c := range same {
		if c[0] != c[1] {
			t.Errorf("%s and %s should be one", c[0], c[1])
		}
	}
	all := map[lockout.Subject]bool{}
	for _, s := range []lockout.Subject{
		lockout.ForAddress("192.0.2.1"), lockout.ForAddress("192.0.2.2"), lockout.ForAddress("2001:db8:1:2::1"),
		lockout.ForAddress("2001:db8:1:3::1"), lockout.ForAddress(""), lockout.ForAddress("unix"), lockout.ForAccount(""),
		lockout.ForAccount("192.0.2.1"), lockout.ForAccount("a@example.com"), lockout.ForAccount("b@example.com"),
	} {
		if all[s] || len(s) > 48 {
			t.Errorf("%q comes twice or is long", s)
		}
		all[s] = true
	}
}

func TestRestore(t *testing.T) {
	r := lockout.New("account:x")
	r.Fail(t0, policy)
	s := r.Snapshot()
	if _, err := lockout.Restore(s); err == nil {
		t.Error("restored what was never stored")
	}
	s.Version = 1
	back, err := lockout.Restore(s)
	if err != nil || back.Snapshot() != s {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range []lockout.Snapshot{{}, {Subject: "x"}, {Subject: "x", Version: 1, Failures: -1}, {Version: 1}} {
		if _, err := lockout.Restore(bad); fault.KindOf(err) != fault.Internal {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
