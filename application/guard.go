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

// Guard stands before every check of a password: it counts failures by lockout.Rules, whether or not there
// is an account, and refuses attempts that come too early. There is one Guard in a process. Failures are
// counted in the storage, for all instances; that attempts under way at the same time do not slip through
// together is seen to here, so that many instances at once may allow as many free failures each.
type Guard struct {
	attempts outbound.Attempts
	clock    outbound.Clock
	rules    lockout.Rules

	mu    sync.Mutex
	lanes map[lockout.Subject]*lane
}

// lane is the attempts under way for one subject.
type lane struct {
	users   int           // under way or waiting
	pending int           // under way
	changed chan struct{} // closed at the next end of an attempt
}

// NewGuard returns the guard over p.
func NewGuard(p Ports, s Settings) *Guard {
	return &Guard{attempts: p.Attempts, clock: p.Clock, rules: s.Lockout, lanes: map[lockout.Subject]*lane{}}
}

// trial is one check of a password.
type trial struct {
	account lockout.Account
	known   func(network string) (bool, error) // whether the account signed in from there lately
	check   func() (right bool, err error)     // a failure of check itself counts neither way
	locked  func(what string)                  // called when further attempts have to wait after this one
}

// attempt runs the check of t, unless too many attempts failed before: lockout.ErrLocked.
func (g *Guard) attempt(ctx context.Context, t trial) error {
	// All attempts enter in the same order, so that no two wait for each other.
	network := networkOf(ctx)
	address, err := g.enter(ctx, "address", lockout.ForAddress(network), g.rules.Address)
	if err != nil {
		return err
	}
	defer address.leave()
	here, err := g.enter(ctx, "account", t.account.At(network), g.rules.Account)
	if err != nil {
		return err
	}
	defer here.leave()
	places := []*place{address, here}
	known, err := t.known(network)
	if err != nil {
		return err
	}
	if !known {
		elsewhere, err := g.enter(ctx, "account from new networks", t.account.Elsewhere(), g.rules.Elsewhere)
		if err != nil {
			return err
		}
		defer elsewhere.leave()
		places = append(places, elsewhere)
	}
	right, err := t.check()
	switch {
	case err != nil:
		return err
	case right:
		return g.succeeded(ctx, address, places[1:])
	}
	return g.failed(context.WithoutCancel(ctx), places, t.locked) // a client that goes away is counted too
}

// standing returns how many failures of a subject count now, and until when its attempts are refused: the zero
// time when they are not.
func (g *Guard) standing(ctx context.Context, s lockout.Subject, p lockout.Policy) (failures int, until time.Time, err error) {
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

// networkOf returns the network that a request comes from.
func networkOf(ctx context.Context) string {
	return lockout.Network(inbound.OriginOf(ctx).Client.Address)
}

// failed counts a failure.
func (g *Guard) failed(ctx context.Context, places []*place, locked func(what string)) error {
	var errs []error
	for _, p := range places {
		waits := false
		errs = append(errs, g.change(ctx, p, func(r *lockout.Record) { waits = r.Fail(g.clock.Now(), p.policy) }))
		if waits {
			locked(p.what)
		}
	}
	return errors.Join(errs...)
}

// succeeded forgives the failures that there were of the account, and one of the address if the account had
// failed there: any account of a guesser would forgive those of others else. It writes nothing when there
// were none.
func (g *Guard) succeeded(ctx context.Context, address *place, account []*place) error {
	var errs []error
	for _, p := range account {
		if p.failures > 0 {
			errs = append(errs, g.change(ctx, p, (*lockout.Record).Forgive))
		}
	}
	if account[0].failures > 0 && address.failures > 0 {
		errs = append(errs, g.change(ctx, address, func(r *lockout.Record) { r.TakeBack(address.policy) }))
	}
	return errors.Join(errs...)
}

func (g *Guard) change(ctx context.Context, p *place, change func(*lockout.Record)) error {
	if p.policy.Off() {
		return nil
	}
	_, err := g.attempts.Update(ctx, p.subject, func(r *lockout.Record) error {
		change(r)
		return nil
	})
	return err
}

// place is what an attempt holds while it is under way for a subject.
type place struct {
	what     string // the subject in words, for the trail
	subject  lockout.Subject
	policy   lockout.Policy
	failures int // that counted when the place was taken
	leave    func()
}

// enter waits until as few attempts are under way for the subject as it may have, and takes a place, which
// is to be left. What the storage says is out of date once an attempt has ended since.
func (g *Guard) enter(ctx context.Context, what string, s lockout.Subject, p lockout.Policy) (*place, error) {
	taken := &place{what: what, subject: s, policy: p, leave: func() {}}
	if p.Off() {
		return taken, nil
	}
	way := g.join(s)
	for {
		g.mu.Lock()
		changed := way.changed
		g.mu.Unlock()
		r, err := g.attempts.Get(ctx, s)
		room := 0
		if err == nil {
			now := g.clock.Now()
			taken.failures = r.Failures(now, p)
			room, err = r.Allowance(now, p)
		}
		if err != nil {
			g.leave(s, way, false)
			return nil, err
		}
		g.mu.Lock()
		if changed == way.changed && way.pending < room {
			way.pending++
			g.mu.Unlock()
			taken.leave = func() { g.leave(s, way, true) }
			return taken, nil
		}
		stale := changed != way.changed
		g.mu.Unlock()
		if stale {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			g.leave(s, way, false)
			return nil, ctx.Err()
		}
	}
}

func (g *Guard) join(s lockout.Subject) *lane {
	g.mu.Lock()
	defer g.mu.Unlock()
	way, ok := g.lanes[s]
	if !ok {
		way = &lane{changed: make(chan struct{})}
		g.lanes[s] = way
	}
	way.users++
	return way
}

func (g *Guard) leave(s lockout.Subject, way *lane, entered bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if way.users--; way.users == 0 {
		delete(g.lanes, s)
	}
	if entered {
		way.pending--
		close(way.changed)
		way.changed = make(chan struct{})
	}
}
