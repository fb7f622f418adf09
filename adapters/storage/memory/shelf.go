package memory

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/ports/outbound"
)

// shelf stores the snapshots S of aggregates T under keys K. It never stores an aggregate, so that no caller can change
// the stored state.
type shelf[K comparable, T any, S comparable] struct {
	name     string        // the name of an aggregate in errors
	mu       *sync.RWMutex // of the Store
	kept     map[K]S
	key      func(S) K
	order    func(S) string // the key in the order of an archive
	snapshot func(*T) S
	restore  func(S) (*T, error)
	version  func(*S) *int64       // nil if states never change
	absent   func(K) (*T, error)   // the result for a key without a state: an error, or a new aggregate
	conflict func(s S, k K) error  // fails when a state under another key excludes s under k; may be nil
	replaced func(before, after S) // called after each change; the zero S means no state; may be nil

	record func([]audit.Event, []*mail.Mail) // adds events to the trail and mails to the queue
}

// read runs f under the read lock, unless ctx has ended.
func (s *shelf[K, T, S]) read(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return f()
}

// write runs f under the write lock, unless ctx has ended.
func (s *shelf[K, T, S]) write(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

func (s *shelf[K, T, S]) get(ctx context.Context, k K) (v *T, err error) {
	err = s.read(ctx, func() (err error) { v, err = s.find(k); return err })
	return v, err
}

func (s *shelf[K, T, S]) find(k K) (*T, error) {
	if state, ok := s.kept[k]; ok {
		return s.restore(state)
	}
	return s.absent(k)
}

// add stores a new state and its effects, or fails with taken.
func (s *shelf[K, T, S]) add(ctx context.Context, state S, taken error, effects []outbound.Effects) error {
	return s.write(ctx, func() error {
		if _, there := s.kept[s.key(state)]; there {
			return s.failure("add", taken)
		}
		occurred, caused, err := outbound.EffectsOf(effects)
		if err == nil {
			err = s.put(state)
		}
		if err != nil {
			return s.failure("add", err)
		}
		s.record(occurred, caused)
		return nil
	})
}

func (s *shelf[K, T, S]) failure(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("memory: %s %s: %w", op, s.name, err)
}

// put stores a state unless conflict refuses it.
func (s *shelf[K, T, S]) put(state S) error {
	k := s.key(state)
	if s.conflict != nil {
		if err := s.conflict(state, k); err != nil {
			return err
		}
	}
	before := s.kept[k]
	s.kept[k] = state
	if s.replaced != nil {
		s.replaced(before, state)
	}
	return nil
}

// update applies change to the aggregate under a key and stores the result with the effects. guard, unless nil, may refuse
// it.
func (s *shelf[K, T, S]) update(
	ctx context.Context, k K, change func(*T) error, guard func(before S, after *T) error, effects []outbound.Effects,
) (v *T, err error) {
	err = s.write(ctx, func() error {
		if v, err = s.find(k); err != nil {
			return err
		}
		before := s.snapshot(v)
		if err := change(v); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		occurred, caused, err := outbound.EffectsOf(effects)
		if err != nil {
			return s.failure("update", err)
		}
		after := s.snapshot(v)
		if before == after {
			s.record(occurred, caused)
			return nil
		}
		if guard != nil {
			if err := guard(before, v); err != nil {
				return s.failure("update", err)
			}
		}
		*s.version(&after) = *s.version(&before) + 1
		if v, err = s.restore(after); err != nil {
			return err
		}
		if err := s.put(after); err != nil {
			return s.failure("update", err)
		}
		s.record(occurred, caused)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// sweep removes the first states in an order for which a function is true, up to limit, and returns their number.
func (s *shelf[K, T, S]) sweep(ctx context.Context, limit int, which func(S) bool, order func(a, b S) int) (n int, err error) {
	err = s.write(ctx, func() error {
		old := s.states(which)
		slices.SortFunc(old, order)
		old = old[:min(max(limit, 0), len(old))]
		for _, state := range old {
			delete(s.kept, s.key(state))
		}
		n = len(old)
		return nil
	})
	return n, err
}

// remove removes all states for which a function is true, and returns their number.
func (s *shelf[K, T, S]) remove(ctx context.Context, which func(S) bool) (int, error) {
	return s.sweep(ctx, math.MaxInt, which, func(S, S) int { return 0 })
}

// states returns the states for which a function is true, in any order.
func (s *shelf[K, T, S]) states(wanted func(S) bool) []S {
	return slices.DeleteFunc(slices.Collect(maps.Values(s.kept)), func(state S) bool { return !wanted(state) })
}

// list returns the aggregates for whose states a function is true, in any order.
func (s *shelf[K, T, S]) list(ctx context.Context, wanted func(*T) bool) (found []*T, err error) {
	err = s.read(ctx, func() error {
		for _, state := range s.kept {
			v, err := s.restore(state)
			if err != nil {
				return err
			}
			if wanted(v) {
				found = append(found, v)
			}
		}
		return nil
	})
	return found, err
}

func (s *shelf[K, T, S]) Key(state S) string { return s.order(state) }

func (s *shelf[K, T, S]) Page(ctx context.Context, after string, limit int) (page []S, err error) {
	err = s.read(ctx, func() error {
		page = s.states(func(state S) bool { return s.order(state) > after })
		slices.SortFunc(page, func(a, b S) int { return strings.Compare(s.order(a), s.order(b)) })
		page = page[:min(max(limit, 0), len(page))]
		return nil
	})
	return page, err
}

func (s *shelf[K, T, S]) Put(ctx context.Context, states []S) ([]error, error) {
	for _, state := range states {
		if _, err := s.restore(state); err != nil {
			return nil, fmt.Errorf("memory: put %s %q: %w", s.name, s.order(state), err)
		}
	}
	refused := make([]error, len(states))
	err := s.write(ctx, func() error {
		for i, state := range states {
			if _, there := s.kept[s.key(state)]; there {
				refused[i] = outbound.ErrKeyTaken
				continue
			}
			refused[i] = s.put(state)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

// stretch returns the part of a list after a position, newest first or oldest first.
func stretch[X any, P comparable](found []X, at func(X) P, compare func(P, P) int, from *P, back bool, skip, limit int) []X {
	if from != nil {
		found = slices.DeleteFunc(found, func(x X) bool { return at(x) == *from || (compare(at(x), *from) > 0) != back })
	}
	slices.SortFunc(found, func(a, b X) int {
		if back {
			a, b = b, a
		}
		return compare(at(b), at(a))
	})
	found = found[min(max(skip, 0), len(found)):]
	return found[:min(max(limit, 0), len(found))]
}
