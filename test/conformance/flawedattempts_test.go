package conformance_test

import (
	"context"
	"strings"
	"time"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

type flawedAttempts struct {
	outbound.Attempts
	f *flawed
}

func (r flawedAttempts) Get(ctx context.Context, s lockout.Subject) (*lockout.Record, error) {
	switch r.f.defect {
	case "reads failures under any context":
		ctx = context.WithoutCancel(ctx)
	case "shares a record":
		r.f.mu.Lock()
		defer r.f.mu.Unlock()
		if x, ok := r.f.records[s]; ok {
			return x, nil
		}
		x, err := r.Attempts.Get(ctx, s)
		if err == nil {
			r.f.records[s] = x
		}
		return x, err
	}
	return r.Attempts.Get(ctx, s)
}

func (r flawedAttempts) Update(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	switch r.f.defect {
	case "loses the first failures": // an insert replaces a concurrent one
		return r.forgetting(ctx, s, change, func(version int64) bool { return version < 2 })
	case "loses failures":
		return r.forgetting(ctx, s, change, func(version int64) bool { return version > 0 })
	case "keeps failed failures":
		var refused error
		x, err := r.Attempts.Update(ctx, s, func(x *lockout.Record) error { refused = change(x); return nil })
		if refused != nil {
			return nil, refused
		}
		return x, err
	case "stores an unchanged record":
		x, err := r.Attempts.Update(ctx, s, change)
		if err == nil && x.Snapshot().Version == 0 {
			return r.Attempts.Update(ctx, s, func(x *lockout.Record) error {
				x.Fail(time.Unix(0, 0).UTC(), lockout.Policy{Free: 1, Leak: 1})
				x.Forgive()
				return nil
			})
		}
		return x, err
	case "takes an address for an account":
		s = s[strings.LastIndex(string(s), "/")+1:]
	case "rounds failures to seconds":
		inner := change
		change = func(x *lockout.Record) error {
			if err := inner(x); err != nil || x.Snapshot().Expires.IsZero() {
				return err
			}
			v := x.Snapshot()
			v.Expires, v.Version = v.Expires.Truncate(time.Second), max(v.Version, 1)
			rounded, err := lockout.Restore(v)
			if err == nil {
				*x = *rounded
			}
			return err
		}
	}
	return r.Attempts.Update(ctx, s, change)
}

// forgetting updates the state that an earlier change read, for some versions.
func (r flawedAttempts) forgetting(ctx context.Context, s lockout.Subject, change func(*lockout.Record) error, of func(int64) bool) (*lockout.Record, error) {
	return r.Attempts.Update(ctx, s, func(x *lockout.Record) error {
		if !of(x.Snapshot().Version) {
			return change(x)
		}
		v := forget(r.f, string(s), x)
		if err := change(v); err != nil {
			return err
		}
		*x = *v
		return nil
	})
}

func (r flawedAttempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	switch r.f.defect {
	case "forgives one network":
		for _, s := range []lockout.Subject{a.At("192.0.2.1"), a.FromNewNetworks()} {
			if _, err := r.Attempts.Update(ctx, s, func(x *lockout.Record) error { x.Forgive(); return nil }); err != nil {
				return 0, err
			}
		}
		return 2, nil
	case "forgives all accounts":
		a = "account/"
	}
	return r.Attempts.DeleteOf(ctx, a)
}

func (r flawedAttempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	switch r.f.defect {
	case "sweeps failures too late":
		now = now.Add(-time.Millisecond)
	case "sweeps failures too early":
		now = now.Add(time.Millisecond)
	case "sweeps failures without limit":
		limit = 1000
	}
	return r.Attempts.Sweep(ctx, now, limit)
}
