package memory

import (
	"context"
	"maps"
	"math"
	"time"

	"roster/domain/lockout"
	"roster/ports/outbound"
)

type attempts Store

var _ outbound.Attempts = (*attempts)(nil)

// Get implements outbound.Attempts.
func (s *attempts) Get(ctx context.Context, subject lockout.Subject) (*lockout.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(subject)
}

func (s *attempts) get(subject lockout.Subject) (*lockout.Record, error) {
	v, ok := s.attempts[subject]
	if !ok {
		return lockout.New(subject), nil
	}
	return lockout.Restore(v)
}

// Update implements outbound.Attempts.
func (s *attempts) Update(ctx context.Context, subject lockout.Subject, change func(*lockout.Record) error) (*lockout.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.get(subject)
	if err != nil {
		return nil, err
	}
	before := r.Snapshot()
	if err := change(r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	after := r.Snapshot()
	if before == after {
		return r, nil
	}
	after.Version = before.Version + 1
	if r, err = lockout.Restore(after); err == nil {
		s.attempts[subject] = after
	}
	return r, err
}

// DeleteOf implements outbound.Attempts.
func (s *attempts) DeleteOf(ctx context.Context, a lockout.Account) (int, error) {
	return s.delete(ctx, math.MaxInt, func(v lockout.Snapshot) bool { return a.Has(v.Subject) })
}

// Sweep implements outbound.Attempts.
func (s *attempts) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return s.delete(ctx, limit, func(v lockout.Snapshot) bool { return !v.Expires.After(now) })
}

func (s *attempts) delete(ctx context.Context, limit int, which func(lockout.Snapshot) bool) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := 0
	maps.DeleteFunc(s.attempts, func(_ lockout.Subject, v lockout.Snapshot) bool {
		if gone >= limit || !which(v) {
			return false
		}
		gone++
		return true
	})
	return gone, nil
}
