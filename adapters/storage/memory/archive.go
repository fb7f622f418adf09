package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type archive Store

var _ outbound.Archive = (*archive)(nil)

// collection is one of the maps as an outbound.Collection.
type collection[K comparable, T any] struct {
	store   *Store
	records map[K]T
	id      func(T) K
	key     func(T) string
	check   func(T) error // fails when a record breaks a rule
	refuse  func(T) error // why a record under a free key cannot be stored all the same; may be nil
	added   func(T)       // may be nil
}

// Key implements outbound.Collection.
func (c collection[K, T]) Key(record T) string { return c.key(record) }

// Page implements outbound.Collection.
func (c collection[K, T]) Page(ctx context.Context, after string, limit int) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	found := slices.DeleteFunc(slices.Collect(maps.Values(c.records)), func(x T) bool { return c.key(x) <= after })
	slices.SortFunc(found, func(a, b T) int { return cmp.Compare(c.key(a), c.key(b)) })
	return found[:min(max(limit, 0), len(found))], nil
}

// Put implements outbound.Collection.
func (c collection[K, T]) Put(ctx context.Context, records []T) ([]error, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, x := range records {
		if err := c.check(x); err != nil {
			return nil, fmt.Errorf("memory: put %q: %w", c.key(x), err)
		}
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	refused := make([]error, len(records))
	for i, x := range records {
		if _, taken := c.records[c.id(x)]; taken {
			refused[i] = outbound.ErrKeyTaken
			continue
		}
		if c.refuse != nil {
			if refused[i] = c.refuse(x); refused[i] != nil {
				continue
			}
		}
		c.records[c.id(x)] = x
		if c.added != nil {
			c.added(x)
		}
	}
	return refused, nil
}

// Users implements outbound.Archive.
func (a *archive) Users() outbound.Collection[user.Snapshot] {
	return collection[user.ID, user.Snapshot]{
		store: (*Store)(a), records: a.users,
		id:    func(s user.Snapshot) user.ID { return s.ID },
		key:   func(s user.Snapshot) string { return s.ID.SortKey() },
		check: func(s user.Snapshot) error { _, err := user.Restore(s); return err },
		refuse: func(s user.Snapshot) error {
			if _, taken := a.emails[s.EmailKey]; taken {
				return user.ErrEmailTaken
			}
			return nil
		},
		added: func(s user.Snapshot) {
			a.emails[s.EmailKey] = s.ID
			if n, counted := s.ID.Integer(); counted {
				a.lastID = max(a.lastID, n)
			}
		},
	}
}

// Sessions implements outbound.Archive.
func (a *archive) Sessions() outbound.Collection[session.Snapshot] {
	return collection[session.ID, session.Snapshot]{
		store: (*Store)(a), records: a.sessions,
		id:    func(s session.Snapshot) session.ID { return s.ID },
		key:   func(s session.Snapshot) string { return string(s.ID) },
		check: func(s session.Snapshot) error { _, err := session.Restore(s); return err },
	}
}

// Attempts implements outbound.Archive.
func (a *archive) Attempts() outbound.Collection[lockout.Snapshot] {
	return collection[lockout.Subject, lockout.Snapshot]{
		store: (*Store)(a), records: a.attempts,
		id:    func(s lockout.Snapshot) lockout.Subject { return s.Subject },
		key:   func(s lockout.Snapshot) string { return string(s.Subject) },
		check: func(s lockout.Snapshot) error { _, err := lockout.Restore(s); return err },
	}
}

// Events implements outbound.Archive.
func (a *archive) Events() outbound.Collection[audit.Event] {
	return collection[audit.ID, audit.Event]{
		store: (*Store)(a), records: a.events,
		id:    func(e audit.Event) audit.ID { return e.ID },
		key:   func(e audit.Event) string { return string(e.ID) },
		check: audit.Event.Check,
	}
}

// LastUserID implements outbound.Archive.
func (a *archive) LastUserID(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.lastID, nil
}

// SkipUserIDs implements outbound.Archive.
func (a *archive) SkipUserIDs(ctx context.Context, n int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lastID = max(a.lastID, n)
	return nil
}
