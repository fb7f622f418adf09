// Package lockout slows the guessing of passwords down: failed sign-ins are counted for the address
// that was given and for where the attempt came from, and after some of them each further one has to
// wait longer (NIST SP 800-63B-4, 3.2.2; OWASP ASVS 6.3.1).
package lockout

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"roster/domain/fault"
)

// ErrLocked is the refusal of an attempt that comes too early. Its RetryAfter says how long to wait;
// it is the same whether or not there is such a user, and whatever the password was.
var ErrLocked = fault.New(fault.RateLimited, "sign_in_locked", "Too many failed sign-ins.")

// Subject is what failures are counted for. It holds no text that anybody gave: what people type in
// the wrong field must not end in a database.
type Subject string

// ForAccount returns the subject of all attempts with one email key, whether or not a user has it.
func ForAccount(emailKey string) Subject { return digest("account", emailKey) }

// ForAddress returns the subject of all attempts from one client's network.
func ForAddress(address string) Subject { return digest("address", Network(address)) }

// Network returns what of a client's address tells it from other clients: of IPv6 the network, since
// whoever has one address there has all of them (RFC 6177). Text that is no address is taken as it is.
func Network(address string) string {
	const ipv6Site = 64 // bits
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, ipv6Site).Masked().String()
	}
	return a.String()
}

func digest(kind, text string) Subject {
	sum := sha256.Sum256([]byte(kind + "\x00" + text))
	return Subject(kind + ":" + hex.EncodeToString(sum[:16]))
}

// Policy says how guessing is slowed down. The zero value never does.
type Policy struct {
	Free     int           // failures in a row before the first wait; 0 for no limit
	Delay    time.Duration // the first wait; each failure more doubles it
	MaxDelay time.Duration // the longest wait: nobody is locked out for good
}

// How long failures are remembered after the last one: longer once they led to a wait, so that
// waiting a little does not buy all free tries again.
const (
	rememberFew  = time.Hour
	rememberMany = 24 * time.Hour
)

// Record is the aggregate root: the failures of one subject.
type Record struct{ s Snapshot }

// Snapshot is a Record's whole state, for storage. Times are UTC in whole milliseconds; the zero time
// means never.
type Snapshot struct {
	Subject  Subject
	Failures int       // in a row
	Last     time.Time // of the failures
	Expires  time.Time // when the record may be forgotten
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

// failures returns how many count at now.
func (r *Record) failures(now time.Time) int {
	if !now.Before(r.s.Expires) {
		return 0
	}
	return r.s.Failures
}

// Allowance returns how many attempts may be made at the same time at now. When none may, it fails
// with ErrLocked and the time to wait.
func (r *Record) Allowance(now time.Time, p Policy) (int, error) {
	n := r.failures(now)
	if p.Free <= 0 || n < p.Free {
		return p.Free - n, nil
	}
	if wait := r.s.Last.Add(p.wait(n)).Sub(now); wait > 0 {
		return 0, ErrLocked.After(wait)
	}
	return 1, nil
}

// Fail counts a failure at now, and reports whether the next attempt has to wait.
func (r *Record) Fail(now time.Time, p Policy) (locked bool) {
	r.s.Failures = r.failures(now) + 1
	if now.After(r.s.Last) { // a clock that was set back shortens no wait
		r.s.Last = now
	}
	locked = p.Free > 0 && r.s.Failures >= p.Free
	keep := rememberFew
	if locked {
		keep = max(rememberMany, p.MaxDelay)
	}
	r.s.Expires = r.s.Last.Add(keep)
	return locked
}

// Forgive forgets all failures: somebody who knows the password was here.
func (r *Record) Forgive() { r.s.Failures = 0 }

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
