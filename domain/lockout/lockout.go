// Package lockout slows the guessing of passwords down. Failed sign-ins are counted for an account at one
// network, for an account from all networks new to it, and for a client's address. All three follow one
// rule with different numbers: failures are forgiven at a steady pace, and when too many are left the next
// attempt has to wait (NIST SP 800-63B-4, 3.2.2; OWASP ASVS 6.3.1).
package lockout

import (
	"time"

	"roster/domain/fault"
)

// ErrLocked is the refusal of an attempt that comes too early. Its RetryAfter says how long to wait;
// it is the same whether or not there is such a user, and whatever the password was.
var ErrLocked = fault.New(fault.RateLimited, "sign_in_locked", "Too many failed sign-ins.")

// Policy says how many failures are let pass and how long the next attempt waits then. The zero value is
// no limit. Leak is positive in every other.
type Policy struct {
	Free     int           // failures before the first wait; 0 for no limit
	Leak     time.Duration // one failure is forgiven each time it passes
	Delay    time.Duration // the first wait; each failure more doubles it. 0: until fewer than Free are left
	MaxDelay time.Duration // the longest wait, at most Leak: no account is locked for good
}

// Off reports whether p is no limit.
func (p Policy) Off() bool { return p.Free <= 0 }

// wait returns how long the attempt after n failures has to wait since the last of them.
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

// most returns how many failures are counted at most: more would make no wait longer, and be remembered
// longer.
func (p Policy) most() int {
	n := p.Free
	for d := p.Delay; d > 0 && d < p.MaxDelay; d *= 2 {
		n++
	}
	return n
}

// Rules is the policies for what a failure is counted for.
type Rules struct {
	Account   Policy // an account at one network
	Elsewhere Policy // an account from all networks that are new to it, together
	Address   Policy // a client's address, whatever the account
}

// elsewhereFree makes the hundredth attempt in a row wait, however many networks it comes from (NIST SP
// 800-63B-4, 3.2.2).
const elsewhereFree = 99

// NewRules returns the rules with so many free failures for an account at one network and for an address,
// 0 for no limit. Waits of an account double from delay to longest, and one of its failures is forgiven
// each longest: a guesser gains nothing by staying below the limit. One failure of an address is forgiven
// each delay.
func NewRules(account, address int, delay, longest time.Duration) Rules {
	r := Rules{
		Account: Policy{Free: account, Leak: longest, Delay: delay, MaxDelay: longest},
		Address: Policy{Free: address, Leak: delay},
	}
	if account > 0 {
		r.Elsewhere = Policy{Free: elsewhereFree, Leak: longest, Delay: delay, MaxDelay: longest}
	}
	return r
}

// Record is the aggregate root: the failures of one subject.
type Record struct{ s Snapshot }

// Snapshot is a Record's whole state, for storage. Times are UTC in whole milliseconds; the zero time
// means never.
type Snapshot struct {
	Subject  Subject
	Failures int       // that were not forgiven at Last
	Last     time.Time // when the last failure was
	Expires  time.Time // when all are forgiven, and the record may be removed
	Version  int64     // counted up by each stored change, from 1; 0 is not stored yet
}

// New returns the record of a subject without failures.
func New(s Subject) *Record { return &Record{Snapshot{Subject: s}} }

// Restore rebuilds a record from storage. What is stored has failed at least once.
func Restore(s Snapshot) (*Record, error) {
	if s.Subject == "" || s.Failures < 0 || s.Last.IsZero() || s.Expires.IsZero() || s.Version < 1 {
		return nil, fault.New(fault.Internal, "bad_lockout", "stored failures break a rule")
	}
	return &Record{s}, nil
}

// Snapshot returns the record's state.
func (r *Record) Snapshot() Snapshot { return r.s }

// Failures returns how many failures are not forgiven at now.
func (r *Record) Failures(now time.Time, p Policy) int {
	left := r.end(p).Sub(now)
	if p.Off() || left <= 0 {
		return 0
	}
	return min(r.counted(p), int((left-1)/p.Leak)+1) // a part of a Leak that is left is one failure too
}

// counted returns how many failures count of those that there were at the last one.
func (r *Record) counted(p Policy) int { return min(r.s.Failures, p.most()) }

// end returns when all failures are forgiven: never later than they last by p, although other settings or
// a clock that was ahead may have put Expires there.
func (r *Record) end(p Policy) time.Time {
	end := r.s.Last.Add(time.Duration(r.counted(p)) * p.Leak)
	if end.After(r.s.Expires) {
		return r.s.Expires
	}
	return end
}

// Allowance returns how many attempts may be made at the same time at now. When none may, it fails
// with ErrLocked and the time to wait.
//
// A last failure after now is one that another clock dated, or ours before it was set back. It is not
// waited for, because that could take as long as the clocks differ: one attempt is allowed, and if it fails
// it is dated by the present clock.
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

// Fail counts a failure at now, and reports whether the next attempt has to wait.
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

// TakeBack forgives one failure.
func (r *Record) TakeBack(p Policy) {
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
