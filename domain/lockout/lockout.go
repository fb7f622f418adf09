package lockout

import (
	"time"

	"roster/domain/fault"
)

// ErrLocked is the error of an attempt that comes too early. RetryAfter is the time to wait. It does not depend on
// whether the user exists or the password is right.
var ErrLocked = fault.New(fault.RateLimited, "sign_in_locked", "Too many failed sign-ins.")

// Policy sets how many failures are allowed and how long the next attempt must wait after that. The zero value is no
// limit. In any other, Leak is positive.
type Policy struct {
	Free     int           // failures before the first wait; 0 for no limit
	Leak     time.Duration // one failure is forgiven per Leak
	Delay    time.Duration // the first wait, doubled by each further failure; 0 to wait until fewer than Free are left
	MaxDelay time.Duration // the longest wait, at most Leak, so that no account is locked for ever
}

// Off reports whether p sets no limit.
func (p Policy) Off() bool { return p.Free <= 0 }

// wait returns how long the next attempt must wait after the last of n failures.
func (p Policy) wait(n int) time.Duration {
	d := p.Delay
	for range n - p.Free {
		if d >= p.MaxDelay {
			break
		}
		d *= 2
	}
	return min(d, p.MaxDelay)
}

// maxCounted returns the maximum number of failures counted. More would not make the wait longer, only the record.
func (p Policy) maxCounted() int {
	n := p.Free
	for d := p.Delay; d > 0 && d < p.MaxDelay; d *= 2 {
		n++
	}
	return n
}

// Rules are the policies for the three subjects of a failure.
type Rules struct {
	Account     Policy // an account from one network
	NewNetworks Policy // an account from all networks new to it together
	Address     Policy // a client network, for all accounts
}

// newNetworksFree makes the hundredth failed attempt in a row wait, from however many networks (NIST SP 800-63B-4,
// 3.2.2).
const newNetworksFree = 99

// NewRules returns rules with this many free failures for an account from one network and for an address, 0 for no
// limit. The waits of an account double from delay to longest. One of its failures is forgiven per longest, so that
// a guesser gains nothing by staying below the limit. One failure of an address is forgiven per delay.
func NewRules(account, address int, delay, longest time.Duration) Rules {
	r := Rules{
		Account: Policy{Free: account, Leak: longest, Delay: delay, MaxDelay: longest},
		Address: Policy{Free: address, Leak: delay},
	}
	if account > 0 {
		r.NewNetworks = Policy{Free: newNetworksFree, Leak: longest, Delay: delay, MaxDelay: longest}
	}
	return r
}

// Record is the aggregate root: the failures of one subject.
type Record struct{ s Snapshot }

// Snapshot is the whole state of a Record, for storage. Times are UTC in whole milliseconds. The zero time means
// never.
type Snapshot struct {
	Subject  Subject
	Failures int       // failures not yet forgiven at Last
	Last     time.Time // time of the last failure
	Expires  time.Time // when all failures are forgiven and the record may be removed
	Version  int64     // incremented by each stored change, from 1; 0 for a record not stored yet
}

// New returns a record without failures.
func New(s Subject) *Record { return &Record{Snapshot{Subject: s}} }

// Restore returns the record with the stored state s. It fails when s is not the state of any record that failed at
// least once.
func Restore(s Snapshot) (*Record, error) {
	if s.Subject == "" || s.Failures < 0 || s.Last.IsZero() || s.Expires.IsZero() || s.Version < 1 {
		return nil, fault.New(fault.Internal, "bad_lockout", "stored failures break a rule")
	}
	return &Record{s}, nil
}

// Snapshot returns the state of the record.
func (r *Record) Snapshot() Snapshot { return r.s }

// Failures returns the number of failures not forgiven at now.
func (r *Record) Failures(now time.Time, p Policy) int {
	left := r.end(p).Sub(now)
	if p.Off() || left <= 0 {
		return 0
	}
	return min(r.counted(p), int((left-1)/p.Leak)+1) // rounded up
}

// counted returns the number of failures at Last that p counts.
func (r *Record) counted(p Policy) int { return min(r.s.Failures, p.maxCounted()) }

// end returns when all failures are forgiven. It follows from p and Last, since Expires may have been set with other
// settings or by a clock that was ahead, and is never later than Expires.
func (r *Record) end(p Policy) time.Time {
	end := r.s.Last.Add(time.Duration(r.counted(p)) * p.Leak)
	if end.After(r.s.Expires) {
		return r.s.Expires
	}
	return end
}

// Allowance returns how many attempts may be in progress at now. When none may, it fails with ErrLocked and the time
// to wait.
//
// The last failure may be dated after now, by another clock or before this clock was set back. Waiting for it could
// take as long as the clocks differ. One attempt is allowed instead; if it fails, it is dated now.
func (r *Record) Allowance(now time.Time, p Policy) (int, error) {
	n := r.Failures(now, p)
	switch {
	case p.Off() || n < p.Free:
		return p.Free - n, nil
	case r.s.Last.After(now):
		return 1, nil
	}
	free := r.s.Last.Add(p.wait(n))
	if p.Delay == 0 {
		free = r.end(p).Add(-time.Duration(p.Free-1) * p.Leak)
	}
	if wait := free.Sub(now); wait > 0 {
		return 0, ErrLocked.After(wait)
	}
	return 1, nil
}

// Fail counts a failure at now and reports whether the next attempt must wait.
func (r *Record) Fail(now time.Time, p Policy) (locked bool) {
	if p.Off() {
		return false
	}
	n, end := r.Failures(now, p), now
	if n > 0 {
		end = r.end(p)
	}
	r.s.Failures, r.s.Last, r.s.Expires = n+1, now, end.Add(p.Leak)
	r.s.Expires = r.end(p)
	return r.s.Failures >= p.Free
}

// ForgiveOne forgives one failure.
func (r *Record) ForgiveOne(p Policy) {
	if r.s.Failures = r.counted(p); r.s.Failures > 0 {
		r.s.Expires = r.end(p).Add(-p.Leak)
		r.s.Failures--
	}
}

// Forgive forgives all failures.
func (r *Record) Forgive() {
	if r.s.Failures > 0 {
		r.s.Failures, r.s.Expires = 0, r.s.Last
	}
}
