//go:build defects

package bootstrap

import (
	"context"
	"errors"
	"net/url"
	"os"
	"sync"
	"time"

	"roster/adapters/storage"
	"roster/domain/fault"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// A binary built with this tag has the defect that TEST_DEFECT names, between the use cases and the storage. test/faults
// shows that its tests find each of them.
func init() {
	defect := os.Getenv("TEST_DEFECT")
	if file := os.Getenv("TEST_CLOCK"); file != "" {
		clock = setClock{clock, file, defect}
	}
	for i, d := range drivers {
		drivers[i].Open = func(u *url.URL, o storage.Options) (storage.Backend, error) {
			b, err := d.Open(u, o)
			return defective{b, defect}, err
		}
	}
}

// setClock is a clock that is ahead by the duration in a file, which a test changes.
type setClock struct {
	outbound.Clock
	file   string
	defect string
}

func (c setClock) Now() time.Time {
	text, err := os.ReadFile(c.file)
	ahead, parseErr := time.ParseDuration(string(text))
	if err = errors.Join(err, parseErr); err != nil {
		panic(err)
	}
	if c.defect == "stopped_clock" { // the time of day is read once, and then counted
		return begun.Add(c.Elapsed())
	}
	return c.Clock.Now().Add(ahead)
}

var begun = clock.Now().Add(-clock.Elapsed())

type defective struct {
	storage.Backend
	defect string
}

func (d defective) Users() outbound.Users { return defectiveUsers{d.Backend.Users(), d.defect} }

func (d defective) Sessions() outbound.Sessions {
	return defectiveSessions{d.Backend.Sessions(), d.defect}
}

func (d defective) Attempts() outbound.Attempts {
	return defectiveAttempts{d.Backend.Attempts(), d.defect}
}

// late are the writes that were acknowledged and are not stored yet, by the id of what they change. Each is stored before
// its row is read again, so that only the end of the process reveals it.
var late = struct {
	sync.Mutex
	writes map[string]func()
}{writes: map[string]func(){}}

// catchUp stores the late writes of a row, or all for "".
func catchUp(id string) {
	late.Lock()
	defer late.Unlock()
	for of, store := range late.writes {
		if id == "" || of == id {
			store()
			delete(late.writes, of)
		}
	}
}

// flawedWrite runs a write as the defect does it.
func flawedWrite(ctx context.Context, defect, id string, store func(context.Context) error) error {
	switch defect {
	case "no_deadline": // a write ends when the storage has done it
		return store(context.WithoutCancel(ctx))
	case "reads_wait": // reads wait for the writes before them
		unread.Lock()
		defer unread.Unlock()
		return store(ctx)
	case "ack_before_commit": // the write is acknowledged, and stored later
		catchUp(id)
		late.Lock()
		defer late.Unlock()
		late.writes[id] = func() { _ = store(context.WithoutCancel(ctx)) }
		return nil
	case "swallow_errors": // a write that the storage could not do is acknowledged
		if err := store(ctx); fault.KindOf(err) != fault.Unavailable {
			return err
		}
		return nil
	case "retry_blindly": // a write whose outcome is unknown is done again
		err := store(ctx)
		for n := 0; n < 5 && fault.KindOf(err) == fault.Unavailable; n++ {
			err = store(ctx)
		}
		return err
	}
	return store(ctx)
}

var unread sync.Mutex // held by writes with reads_wait

// overlap gives concurrent requests the time to come between a check and the write that relies on it.
const overlap = 2 * time.Millisecond

// flawedUpdate changes an aggregate as the defect does it: with stale_write, the change is made to a copy that was read before
// the transaction, and the copy is stored over what came in between.
func flawedUpdate[T any](
	ctx context.Context, defect, id string, get func() (*T, error), change func(*T) error,
	store func(context.Context, func(*T) error) (*T, error),
) (out *T, err error) {
	if defect != "stale_write" && defect != "ack_before_commit" {
		var changed *T
		var cause error
		err = flawedWrite(ctx, defect, id, func(ctx context.Context) error {
			out, cause = store(ctx, func(v *T) error {
				err := change(v)
				made := *v
				changed = &made
				return err
			})
			return cause
		})
		switch {
		case err != nil || out != nil:
			return out, err
		case changed == nil: // it could not even be read
			return nil, cause
		}
		return changed, nil
	}
	if out, err = get(); err == nil {
		err = change(out)
	}
	if err != nil {
		return nil, err
	}
	copied := func(now *T) error {
		*now = *out
		return nil
	}
	if defect == "stale_write" {
		time.Sleep(overlap)
		return store(ctx, copied)
	}
	return out, flawedWrite(ctx, defect, id, func(ctx context.Context) error {
		_, err := store(ctx, copied)
		return err
	})
}

var unclosed sync.Map // keeps them from being closed by the garbage collector

type defectiveUsers struct {
	outbound.Users
	defect string
}

// endless returns the context of a read. With no_deadline, it does not end, and the read is tried until the storage is back.
func (d defectiveUsers) endless(ctx context.Context) context.Context {
	if d.defect == "no_deadline" {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (d defectiveUsers) Get(ctx context.Context, id user.ID) (*user.User, error) {
	catchUp(string(id))
	for ctx = d.endless(ctx); ; {
		u, err := d.Users.Get(ctx, id)
		if d.defect != "no_deadline" || fault.KindOf(err) != fault.Unavailable {
			return u, err
		}
	}
}

func (d defectiveUsers) WithSession(ctx context.Context, id user.ID, s session.ID) (*user.User, *session.Session, error) {
	if d.defect == "reads_wait" {
		unread.Lock()
		defer unread.Unlock()
	}
	catchUp(string(id))
	catchUp(string(s))
	for n := 0; d.defect == "leak_descriptors" && n < 4; n++ { // files are opened for each request and not closed
		if f, err := os.Open(os.DevNull); err == nil {
			unclosed.Store(f, nil)
		}
	}
	for ctx = d.endless(ctx); ; {
		u, x, err := d.Users.WithSession(ctx, id, s)
		x = revokedNow(d.defect, x)
		if d.defect != "no_deadline" || fault.KindOf(err) != fault.Unavailable {
			return u, x, err
		}
	}
}

func (d defectiveUsers) ByEmail(ctx context.Context, key string) (*user.User, error) {
	catchUp("")
	return d.Users.ByEmail(ctx, key)
}

func (d defectiveUsers) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	catchUp("")
	return d.Users.List(ctx, q)
}

func (d defectiveUsers) Add(ctx context.Context, u *user.User, events ...outbound.Effects) error {
	if d.defect == "ack_before_commit" {
		if _, err := d.ByEmail(ctx, u.Snapshot().EmailKey); err == nil {
			return user.ErrEmailTaken
		}
	}
	err := flawedWrite(ctx, d.defect, string(u.ID()), func(ctx context.Context) error { return d.Users.Add(ctx, u, events...) })
	if d.defect == "ignore_taken" && errors.Is(err, user.ErrEmailTaken) {
		return nil
	}
	return err
}

func (d defectiveUsers) Update(
	ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects,
) (*user.User, error) {
	return flawedUpdate(ctx, d.defect, string(id), func() (*user.User, error) { return d.Get(ctx, id) }, change,
		func(ctx context.Context, change func(*user.User) error) (*user.User, error) {
			return d.Users.Update(ctx, id, change, events...)
		})
}

func (d defectiveUsers) Delete(ctx context.Context, id user.ID, check func(*user.User) error, events ...outbound.Effects) error {
	return flawedWrite(ctx, d.defect, string(id), func(ctx context.Context) error { return d.Users.Delete(ctx, id, check, events...) })
}

type defectiveSessions struct {
	outbound.Sessions
	defect string
}

func (d defectiveSessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	catchUp(string(id))
	x, err := d.Sessions.Get(ctx, id)
	return revokedNow(d.defect, x), err
}

// revokedNow returns a session as it is to a service that compares the time of its end with the clock.
func revokedNow(defect string, x *session.Session) *session.Session {
	if defect != "ended_by_clock" || x == nil || !x.Snapshot().RevokedAt.After(clock.Now()) {
		return x
	}
	s := x.Snapshot()
	s.RevokedAt, s.Reason = time.Time{}, ""
	live, err := session.Restore(s)
	if err != nil {
		panic(err)
	}
	return live
}

func (d defectiveSessions) Add(ctx context.Context, x *session.Session, events ...outbound.Effects) error {
	return flawedWrite(ctx, d.defect, string(x.ID()), func(ctx context.Context) error { return d.Sessions.Add(ctx, x, events...) })
}

func (d defectiveSessions) Update(
	ctx context.Context, id session.ID, change func(*session.Session) error, events ...outbound.Effects,
) (*session.Session, error) {
	if inner := change; d.defect == "ended_by_clock" {
		change = func(x *session.Session) error {
			*x = *revokedNow(d.defect, x)
			return inner(x)
		}
	}
	return flawedUpdate(ctx, d.defect, string(id), func() (*session.Session, error) { return d.Get(ctx, id) }, change,
		func(ctx context.Context, change func(*session.Session) error) (*session.Session, error) {
			return d.Sessions.Update(ctx, id, change, events...)
		})
}

type defectiveAttempts struct {
	outbound.Attempts
	defect string
}

// Get returns the failures of a subject. With locked_by_clock, a lock from a clock that was ahead holds until that time.
func (d defectiveAttempts) Get(ctx context.Context, subject lockout.Subject) (*lockout.Record, error) {
	r, err := d.Attempts.Get(ctx, subject)
	if err != nil || d.defect != "locked_by_clock" {
		return r, err
	}
	s, now := r.Snapshot(), clock.Now()
	if !s.Last.After(now) {
		return r, nil
	}
	s.Last = now
	return lockout.Restore(s)
}
