package application

import (
	"context"
	"errors"
	"sync"
	"time"

	"roster/domain/fault"
	"roster/domain/lockout"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Guard limits password attempts. It counts failures by lockout.Rules, whether or not the account exists, and
// refuses attempts that come too early. A process has one Guard. Failures are counted in the storage, for all
// instances. Attempts in progress are counted in memory: n instances may together allow up to n times the free
// failures at once.
type Guard struct {
	attempts outbound.Attempts
	clock    outbound.Clock
	rules    lockout.Rules

	mu     sync.Mutex
	queues map[lockout.Subject]*queue
}

// queue counts the attempts for one subject.
type queue struct {
	refs    int           // attempts waiting or in progress
	pending int           // attempts in progress
	changed chan struct{} // closed when the next attempt ends
}

// NewGuard returns a guard on the ports p.
func NewGuard(p Ports, s Settings) *Guard {
	return &Guard{attempts: p.Attempts, clock: p.Clock, rules: s.Lockout, queues: map[lockout.Subject]*queue{}}
}

// passwordAttempt is an attempt to verify a password.
type passwordAttempt struct {
	account      lockout.Account
	knownNetwork func(network string) (bool, error) // whether the user signed in from the network recently
	check        func() (right bool, err error)     // an error counts neither as success nor as failure
	onLocked     func(detail string)                // called for each subject whose next attempt must wait
}

// attempt runs t.check and counts its result. It fails with lockout.ErrLocked, without running it, after too many
// failures.
func (g *Guard) attempt(ctx context.Context, t passwordAttempt) error {
	// All attempts acquire their slots in the same order, so that they cannot deadlock.
	network := networkOf(ctx)
	address, err := g.acquire(ctx, "address", lockout.ForAddress(network), g.rules.Address)
	if err != nil {
		return err
	}
	defer address.release()
	account, err := g.acquire(ctx, "account", t.account.At(network), g.rules.Account)
	if err != nil {
		return err
	}
	defer account.release()
	slots := []*slot{address, account}
	known, err := t.knownNetwork(network)
	if err != nil {
		return err
	}
	if !known {
		newNetworks, err := g.acquire(ctx, "account from new networks", t.account.FromNewNetworks(), g.rules.NewNetworks)
		if err != nil {
			return err
		}
		defer newNetworks.release()
		slots = append(slots, newNetworks)
	}
	right, err := t.check()
	switch {
	case err != nil:
		return err
	case right:
		return g.succeeded(ctx, address, slots[1:])
	}
	return g.failed(context.WithoutCancel(ctx), slots, t.onLocked) // count the failure even if the client disconnects
}

// status returns the number of failures of a subject now, and until when its attempts are refused, or the zero time.
func (g *Guard) status(ctx context.Context, s lockout.Subject, p lockout.Policy) (failures int, until time.Time, err error) {
	r, err := g.attempts.Get(ctx, s)
	if err != nil {
		return 0, until, err
	}
	now := g.clock.Now()
	if _, err := r.Allowance(now, p); err != nil {
		refused, _ := errors.AsType[*fault.Error](err)
		until = now.Add(refused.RetryAfter)
	}
	return r.Failures(now, p), until, nil
}

// networkOf returns the client network of a request.
func networkOf(ctx context.Context) string {
	return lockout.Network(inbound.OriginOf(ctx).Client.Address)
}

// failed counts a failure for each subject.
func (g *Guard) failed(ctx context.Context, slots []*slot, onLocked func(detail string)) error {
	var errs []error
	for _, p := range slots {
		locksOut := false
		errs = append(errs, g.change(ctx, p, func(r *lockout.Record) { locksOut = r.Fail(g.clock.Now(), p.policy) }))
		if locksOut {
			onLocked(p.detail)
		}
	}
	return errors.Join(errs...)
}

// succeeded forgives all failures of the account and, if the account had failures from this network, one failure of
// the address. It does not forgive all of the address: an attacker with one account could otherwise reset it.
// Without failures it writes nothing.
func (g *Guard) succeeded(ctx context.Context, address *slot, account []*slot) error {
	var errs []error
	for _, p := range account {
		if p.failures > 0 {
			errs = append(errs, g.change(ctx, p, (*lockout.Record).Forgive))
		}
	}
	if account[0].failures > 0 && address.failures > 0 {
		errs = append(errs, g.change(ctx, address, func(r *lockout.Record) { r.ForgiveOne(address.policy) }))
	}
	return errors.Join(errs...)
}

// change changes the record of a slot, unless its policy sets no limit.
func (g *Guard) change(ctx context.Context, p *slot, change func(*lockout.Record)) error {
	if p.policy.Off() {
		return nil
	}
	_, err := g.attempts.Update(ctx, p.subject, func(r *lockout.Record) error {
		change(r)
		return nil
	})
	return err
}

// slot is the right of an attempt to be in progress for a subject.
type slot struct {
	detail   string // the subject in words, for the audit trail
	subject  lockout.Subject
	policy   lockout.Policy
	failures int // failures when the slot was acquired
	release  func()
}

// acquire waits until fewer attempts are in progress for the subject than it allows, and returns a slot, which the
// caller must release. It reads the record again whenever an attempt ends, since the record may have changed.
func (g *Guard) acquire(ctx context.Context, detail string, s lockout.Subject, p lockout.Policy) (*slot, error) {
	acquired := &slot{detail: detail, subject: s, policy: p, release: func() {}}
	if p.Off() {
		return acquired, nil
	}
	q := g.join(s)
	for {
		g.mu.Lock()
		changed := q.changed
		g.mu.Unlock()
		r, err := g.attempts.Get(ctx, s)
		allowed := 0
		if err == nil {
			now := g.clock.Now()
			acquired.failures = r.Failures(now, p)
			allowed, err = r.Allowance(now, p)
		}
		if err != nil {
			g.release(s, q, false)
			return nil, err
		}
		g.mu.Lock()
		if changed == q.changed && q.pending < allowed {
			q.pending++
			g.mu.Unlock()
			acquired.release = func() { g.release(s, q, true) }
			return acquired, nil
		}
		outdated := changed != q.changed
		g.mu.Unlock()
		if outdated {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			g.release(s, q, false)
			return nil, ctx.Err()
		}
	}
}

// join returns the queue of a subject and adds a reference.
func (g *Guard) join(s lockout.Subject) *queue {
	g.mu.Lock()
	defer g.mu.Unlock()
	q, ok := g.queues[s]
	if !ok {
		q = &queue{changed: make(chan struct{})}
		g.queues[s] = q
	}
	q.refs++
	return q
}

// release removes a reference from a queue and, if its attempt had started, wakes the waiting attempts.
func (g *Guard) release(s lockout.Subject, q *queue, started bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if q.refs--; q.refs == 0 {
		delete(g.queues, s)
	}
	if started {
		q.pending--
		close(q.changed)
		q.changed = make(chan struct{})
	}
}
