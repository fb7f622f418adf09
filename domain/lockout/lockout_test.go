package lockout_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"roster/domain/fault"
	"roster/domain/lockout"
)

var (
	t0      = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rules   = lockout.NewRules(10, 20, 30*time.Second, 15*time.Minute)
	account = lockout.ForAccount("a@example.com").At("192.0.2.1")
	address = lockout.ForAddress("192.0.2.1")
)

// waitOf returns how long an attempt at now must wait.
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
	r := lockout.New(account)
	now := t0
	for i, want := range []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 480} {
		locked := r.Fail(now, rules.Account)
		if got := waitOf(t, r, now, rules.Account); got != want*time.Second || locked != (want > 0) {
			t.Errorf("after %d failures: locked %t, wait %s; want %s", i+1, locked, got, want*time.Second)
		}
		now = now.Add(want * time.Second)
		if got := waitOf(t, r, now, rules.Account); got != 0 {
			t.Errorf("after %d failures and the wait: %s to wait", i+1, got)
		}
	}
	r.Fail(now, rules.Account)
	if got := waitOf(t, r, now, rules.Account); got != 15*time.Minute {
		t.Errorf("the longest wait: %s", got)
	}
}

func TestAllowance(t *testing.T) {
	r := lockout.New(account)
	for want := 10; want > 0; want-- {
		if room, err := r.Allowance(t0, rules.Account); room != want || err != nil {
			t.Errorf("room for %d, %v; want %d", room, err, want)
		}
		r.Fail(t0, rules.Account)
	}
	if room, err := r.Allowance(t0.Add(time.Minute), rules.Account); room != 1 || err != nil {
		t.Errorf("after the wait: room for %d, %v; want 1", room, err)
	}
}

// Each failure is forgiven after one more Leak, whatever follows it.
func TestFailuresAreForgiven(t *testing.T) {
	const leak = 15 * time.Minute
	r := lockout.New(account)
	left := func(at time.Duration, want int) {
		t.Helper()
		if n := r.Failures(t0.Add(at), rules.Account); n != want {
			t.Errorf("at %s: %d failures, want %d", at, n, want)
		}
	}
	r.Fail(t0, rules.Account)
	r.Fail(t0.Add(10*time.Minute), rules.Account)
	left(leak-time.Millisecond, 2)
	left(leak, 1) // the second failure does not reset the time of the first
	left(2*leak-time.Millisecond, 1)
	left(2*leak, 0)
	if at := r.Snapshot().Expires; !at.Equal(t0.Add(2 * leak)) {
		t.Errorf("expires at %s", at)
	}
	r.Fail(t0.Add(3*leak), rules.Account)
	left(3*leak, 1)
	r.Forgive()
	left(3*leak, 0)
	if s := r.Snapshot(); s.Expires.After(t0.Add(3 * leak)) {
		t.Errorf("forgiven, and kept until %s", s.Expires)
	}
}

func TestAddressPolicy(t *testing.T) {
	r := lockout.New(address)
	for i := range 20 {
		if wait := waitOf(t, r, t0, rules.Address); wait != 0 {
			t.Fatalf("after %d failures: %s to wait", i, wait)
		}
		if locked := r.Fail(t0, rules.Address); locked != (i == 19) {
			t.Errorf("failure %d: locked %t", i+1, locked)
		}
	}
	for _, at := range []time.Duration{0, time.Second, 29 * time.Second} {
		if wait := waitOf(t, r, t0.Add(at), rules.Address); wait != 30*time.Second-at {
			t.Errorf("at %s: %s to wait", at, wait)
		}
	}
	if room, err := r.Allowance(t0.Add(5*time.Minute), rules.Address); room != 10 || err != nil {
		t.Errorf("five minutes later: room for %d, %v", room, err)
	}
	r.ForgiveOne(rules.Address)
	if room, err := r.Allowance(t0, rules.Address); room != 1 || err != nil {
		t.Errorf("one taken back: room for %d, %v", room, err)
	}
	if room, err := r.Allowance(t0.Add(5*time.Minute), rules.Address); room != 11 || err != nil {
		t.Errorf("one taken back, five minutes later: room for %d, %v", room, err)
	}
}

// ForgiveOne undoes a failure exactly, at any time.
func TestForgiveOneUndoesOneFailure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		with, without := lockout.New(address), lockout.New(address)
		now := t0
		for range rapid.IntRange(1, 18).Draw(t, "failures") {
			with.Fail(now, rules.Address)
			without.Fail(now, rules.Address)
			now = now.Add(time.Duration(rapid.IntRange(0, 29_999).Draw(t, "ms")) * time.Millisecond)
		}
		with.Fail(now, rules.Address)
		with.ForgiveOne(rules.Address)
		for range 25 {
			if a, b := with.Failures(now, rules.Address), without.Failures(now, rules.Address); a != b {
				t.Fatalf("%s later: %d failures, want %d", now.Sub(t0), a, b)
			}
			now = now.Add(29 * time.Second)
		}
	})
}

// An address with one wrong password per 20 minutes never has to wait, nor one with one per 31 seconds.
func TestRareFailuresNeverLockAnAddress(t *testing.T) {
	for _, every := range []time.Duration{20 * time.Minute, 31 * time.Second} {
		r := lockout.New(address)
		for now := t0; now.Before(t0.AddDate(0, 0, 14)); now = now.Add(every) {
			if wait := waitOf(t, r, now, rules.Address); wait > 0 {
				t.Fatalf("one each %s: %s to wait after %s", every, wait, now.Sub(t0))
			}
			r.Fail(now, rules.Address)
		}
	}
}

// A guesser that uses every allowed attempt gets the free ones, five during the doubling waits and one per Leak, and
// gains nothing by staying below the limit.
func TestGuessingIsSlow(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		p    lockout.Policy
		most int
	}{"account": {rules.Account, 10 + 5 + 96}, "elsewhere": {rules.NewNetworks, 99 + 5 + 96}, "address": {rules.Address, 20 + 2880}} {
		for _, patient := range []bool{false, true} {
			r := lockout.New(account)
			n := 0
			for now := t0; now.Before(t0.Add(day)); now = now.Add(10 * time.Second) {
				for {
					room, err := r.Allowance(now, c.p)
					if err != nil || patient && room == 1 {
						break
					}
					r.Fail(now, c.p)
					n++
				}
			}
			if n > c.most {
				t.Errorf("%s: %d guesses in a day, want at most %d", name, n, c.most)
			}
		}
	}
}

// NIST SP 800-63B-4, 3.2.2: at most 100 attempts in a row, also from many networks.
func TestHundredthAttemptFromNewNetworksWaits(t *testing.T) {
	r := lockout.New(account)
	for i := range 99 {
		if wait := waitOf(t, r, t0, rules.NewNetworks); wait != 0 {
			t.Fatalf("after %d failures: %s to wait", i, wait)
		}
		r.Fail(t0, rules.NewNetworks)
	}
	if wait := waitOf(t, r, t0, rules.NewNetworks); wait != 30*time.Second {
		t.Errorf("the hundredth: %s to wait", wait)
	}
}

// Failures dated by a clock that was ahead lock no longer than the policy allows. After one more failure, all count
// as if dated by this clock.
func TestFailuresDatedAhead(t *testing.T) {
	for _, ahead := range []time.Duration{20 * time.Second, 10 * time.Minute, 100 * 24 * time.Hour, 365 * 24 * time.Hour} {
		for name, p := range map[string]lockout.Policy{"account": rules.Account, "elsewhere": rules.NewNetworks, "address": rules.Address} {
			r := lockout.New(account)
			for range 200 {
				r.Fail(t0.Add(ahead), p)
			}
			if wait := waitOf(t, r, t0, p); wait != 0 {
				t.Errorf("%s, %s ahead: %s to wait", name, ahead, wait)
			}
			if room, _ := r.Allowance(t0, p); room != 1 {
				t.Errorf("%s, %s ahead: room for %d", name, ahead, room)
			}
			r.Fail(t0, p)
			longest := max(p.MaxDelay, p.Leak)
			if wait := waitOf(t, r, t0, p); wait <= 0 || wait > longest {
				t.Errorf("%s, %s ahead, and failed again: %s to wait", name, ahead, wait)
			}
			if wait := waitOf(t, r, t0.Add(longest), p); wait != 0 {
				t.Errorf("%s, %s ahead, %s later: %s to wait", name, ahead, longest, wait)
			}
			if at := r.Snapshot().Expires; at.After(t0.Add(110 * 15 * time.Minute)) {
				t.Errorf("%s, %s ahead: kept until %s", name, ahead, at)
			}
		}
	}
}

func TestFewFailuresDatedAheadAreAllowed(t *testing.T) {
	r := lockout.New(account)
	r.Fail(t0.AddDate(1, 0, 0), rules.Account)
	if room, err := r.Allowance(t0, rules.Account); room != 9 || err != nil {
		t.Errorf("room for %d, %v", room, err)
	}
	r.Fail(t0, rules.Account)
	if n := r.Failures(t0.Add(30*time.Minute), rules.Account); n != 0 {
		t.Errorf("%d failures after half an hour", n)
	}
}

// Failures counted under other settings wait no longer than the current ones demand.
func TestChangedPolicyAppliesToStoredFailures(t *testing.T) {
	before := lockout.NewRules(10, 20, 15*time.Minute, time.Hour)
	for name, c := range map[string]struct{ before, now lockout.Policy }{
		"account": {before.Account, rules.Account}, "elsewhere": {before.NewNetworks, rules.NewNetworks}, "address": {before.Address, rules.Address},
	} {
		r := lockout.New(account)
		for range 200 {
			r.Fail(t0, c.before)
		}
		if wait := waitOf(t, r, t0, c.now); wait <= 0 || wait > max(c.now.MaxDelay, c.now.Leak) {
			t.Errorf("%s: %s to wait", name, wait)
		}
	}
}

// ASVS 6.3.1: no account is locked permanently. At any pace, and with a clock that jumps, no wait exceeds MaxDelay,
// and the next attempt is allowed.
func TestNoLockIsPermanent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := lockout.New(account)
		for _, p := range []lockout.Policy{rules.Account, rules.NewNetworks, rules.Address} {
			now := t0
			for range 150 {
				wait := waitOf(t, r, now, p)
				if wait > max(p.MaxDelay, p.Leak) {
					t.Fatalf("%s to wait", wait)
				}
				if now = now.Add(wait); waitOf(t, r, now, p) > 0 {
					t.Fatal("the wait is over, and there is another")
				}
				r.Fail(now, p)
				now = now.Add(time.Duration(rapid.IntRange(-600_000, 60_000).Draw(t, "ms")) * time.Millisecond)
			}
		}
	})
}

func TestZeroPolicyNeverRefuses(t *testing.T) {
	r := lockout.New(account)
	for range 1000 {
		if r.Fail(t0, lockout.Policy{}) {
			t.Fatal("locked")
		}
	}
	if off := lockout.NewRules(0, 0, time.Second, time.Second); !off.Account.Off() || !off.NewNetworks.Off() || !off.Address.Off() {
		t.Errorf("%+v", off)
	}
}

func TestSubjects(t *testing.T) {
	ann, bob := lockout.ForAccount("a@example.com"), lockout.ForAccount("b@example.com")
	same := [][2]lockout.Subject{
		{lockout.ForAddress("192.0.2.1"), lockout.ForAddress("::ffff:192.0.2.1")},
		{lockout.ForAddress("2001:db8:1:2::1"), lockout.ForAddress("2001:db8:1:2:ffff::9")},
		{lockout.ForAddress("fe80::1%eth0"), lockout.ForAddress("fe80::2%eth1")},
		{ann.At("2001:db8:1:2::1"), ann.At("2001:db8:1:2:ffff::9")},
		{ann.At(lockout.Network("2001:db8:1:2::1")), ann.At("2001:db8:1:2:ffff::9")},
	}
	for _, c := range same {
		if c[0] != c[1] {
			t.Errorf("%s and %s should be one", c[0], c[1])
		}
	}
	all := map[lockout.Subject]bool{}
	for _, s := range []lockout.Subject{
		lockout.ForAddress("192.0.2.1"), lockout.ForAddress("192.0.2.2"), lockout.ForAddress("2001:db8:1:2::1"),
		lockout.ForAddress("2001:db8:1:3::1"), lockout.ForAddress(""), lockout.ForAddress("unix"), lockout.ForAccount("").FromNewNetworks(),
		lockout.ForAccount("192.0.2.1").At(""), ann.At("192.0.2.1"), ann.At("192.0.2.2"), ann.At(""), ann.FromNewNetworks(), bob.At("192.0.2.1"), bob.FromNewNetworks(),
	} {
		if all[s] || len(s) > 80 || strings.Contains(string(s), "192") || strings.Contains(string(s), "example") {
			t.Errorf("%q comes twice, is long or says what was given", s)
		}
		all[s] = true
		first, end := ann.Range()
		if within := first <= s && s < end; within != ann.Has(s) || within != strings.HasPrefix(string(s), string(ann)) {
			t.Errorf("%q is in the range of the account: %t", s, within)
		}
	}
}

func TestRestore(t *testing.T) {
	r := lockout.New(account)
	r.Fail(t0, rules.Account)
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
