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
	"roster/ports/outbound"
)

// shelf keeps the states S of aggregates T under keys K. It never holds an aggregate, so that no caller can change
// what is kept.
type shelf[K comparable, T any, S comparable] struct {
	name     string        // what errors call one
	mu       *sync.RWMutex // of the Store
	kept     map[K]S
	key      func(S) K
	order    func(S) string // the key in the order of an archive
	snapshot func(*T) S
	restore  func(S) (*T, error)
	version  func(*S) *int64       // nil where nothing changes
	absent   func(K) (*T, error)   // what there is under a key with nothing; an error, or a new aggregate
	conflict func(s S, k K) error  // why s cannot be kept under k because of what is under other keys; nil for never
	replaced func(before, after S) // follows each change; the zero S stands for none; may be nil

	record func([]audit.Event) // adds events to the trail
}

// read runs f while nothing changes, unless ctx has ended.
func (s *shelf[K, T, S]) read(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return f()
}

// write runs f while nothing else reads or changes, unless ctx has ended.
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

// add keeps a new state and its events, or fails with taken.
func (s *shelf[K, T, S]) add(ctx context.Context, state S, taken error, events []outbound.Events) error {
	return s.write(ctx, func() error {
		if _, there := s.kept[s.key(state)]; there {
			return s.failure("add", taken)
		}
		occurred, err := outbound.EventsOf(events)
		if err == nil {
			err = s.put(state)
		}
		if err != nil {
			return s.failure("add", err)
		}
		s.record(occurred)
		return nil
	})
}

func (s *shelf[K, T, S]) failure(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("memory: %s %s: %w", op, s.name, err)
}

// put keeps a state, unless what is under other keys forbids it.
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

// update keeps what change makes of the aggregate under a key, and its events. guard, unless nil, may refuse it.
func (s *shelf[K, T, S]) update(
	ctx context.Context, k K, change func(*T) error, guard func(before S, after *T) error, events []outbound.Events,
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
		occurred, err := outbound.EventsOf(events)
		if err != nil {
			return s.failure("update", err)
		}
		after := s.snapshot(v)
		if before == after {
			s.record(occurred)
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
		s.record(occurred)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// sweep removes up to limit of the states that are to go, those that come first in an order first, and returns how
// many went.
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

// remove removes all states that are to go, and returns how many went.
func (s *shelf[K, T, S]) remove(ctx context.Context, which func(S) bool) (int, error) {
	return s.sweep(ctx, math.MaxInt, which, func(S, S) int { return 0 })
}

// states returns the states that are wanted, in any order.
func (s *shelf[K, T, S]) states(wanted func(S) bool) []S {
	return slices.DeleteFunc(slices.Collect(maps.Values(s.kept)), func(state S) bool { return !wanted(state) })
}

// list returns the aggregates that are wanted, in any order.
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

// stretch returns the part of a list, newest first or back, that begins beyond a place.
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
