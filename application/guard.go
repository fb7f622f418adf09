package application

import (
	"context"
	"errors"
	"sync"

	"roster/domain/lockout"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Lockout says how the guessing of passwords is slowed down.
type Lockout struct{ Account, Address lockout.Policy }

// Guard stands before every check of a password: it counts failures for the account, whether or not
// there is one, and for the client's address, and refuses attempts that come too early. There is one
// Guard in a process. Failures are counted in the storage, for all instances; that attempts under way
// at the same time do not slip through together is seen to here, so that many instances at once may
// allow as many free failures each.
type Guard struct {
	attempts outbound.Attempts
	clock    outbound.Clock
	policy   Lockout

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
	return &Guard{attempts: p.Attempts, clock: p.Clock, policy: s.Lockout, lanes: map[lockout.Subject]*lane{}}
}

// limit is one subject of an attempt with its policy.
type limit struct {
	subject lockout.Subject
	policy  lockout.Policy
}

// attempt runs check, which reports whether a password was right, unless too many attempts failed
// before: lockout.ErrLocked. A failure of check itself counts neither way. locked is called when the
// attempt is the failure after which further ones have to wait.
func (g *Guard) attempt(ctx context.Context, account lockout.Subject, check func() (right bool, err error), locked func(what string)) error {
	// Everybody takes their places in the same order, so nobody waits in a circle.
	address := limit{lockout.ForAddress(inbound.OriginOf(ctx).Client.Address), g.policy.Address}
	leave, err := g.enter(ctx, address)
	if err != nil {
		return err
	}
	defer leave()
	person := limit{account, g.policy.Account}
	leave, err = g.enter(ctx, person)
	if err != nil {
		return err
	}
	defer leave()
	right, err := check()
	switch {
	case err != nil:
		return err
	case right:
		return g.forgive(ctx, person)
	}
	// The client going away must not save it the count.
	ctx = context.WithoutCancel(ctx)
	return errors.Join(g.fail(ctx, "account", person, locked), g.fail(ctx, "address", address, locked))
}

func (g *Guard) fail(ctx context.Context, what string, l limit, locked func(what string)) error {
	if l.policy.Free <= 0 {
		return nil
	}
	var waits bool
	_, err := g.attempts.Update(ctx, l.subject, func(r *lockout.Record) error {
		waits = r.Fail(g.clock.Now(), l.policy)
		return nil
	})
	if err == nil && waits {
		locked(what)
	}
	return err
}

// forgive forgets the failures of an account. Those of an address stay: whoever has one account there
// could forget them at will.
func (g *Guard) forgive(ctx context.Context, l limit) error {
	if l.policy.Free <= 0 {
		return nil
	}
	r, err := g.attempts.Get(ctx, l.subject)
	if err != nil || r.Snapshot().Failures == 0 {
		return err
	}
	_, err = g.attempts.Update(ctx, l.subject, func(r *lockout.Record) error {
		r.Forgive()
		return nil
	})
	return err
}

// enter waits until as few attempts are under way for the subject as it may have, and takes a place,
// which leave gives back. What the storage tells is out of date once an attempt has ended since.
func (g *Guard) enter(ctx context.Context, l limit) (leave func(), err error) {
	if l.policy.Free <= 0 {
		return func() {}, nil
	}
	way := g.join(l.subject)
	leave = func() { g.leave(l.subject, way, false) }
	for {
		g.mu.Lock()
		changed := way.changed
		g.mu.Unlock()
		r, err := g.attempts.Get(ctx, l.subject)
		room := 0
		if err == nil {
			room, err = r.Allowance(g.clock.Now(), l.policy)
		}
		if err != nil {
			leave()
			return nil, err
		}
		g.mu.Lock()
		if changed == way.changed && way.pending < room {
			way.pending++
			g.mu.Unlock()
			return func() { g.leave(l.subject, way, true) }, nil
		}
		stale := changed != way.changed
		g.mu.Unlock()
		if stale {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			leave()
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
