package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type sessions Store

var _ outbound.Sessions = (*sessions)(nil)

// Add implements outbound.Sessions.
func (s *sessions) Add(ctx context.Context, x *session.Session) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.sessions[x.ID()]; taken {
		return fmt.Errorf("memory: add session: %w", session.ErrExists)
	}
	s.sessions[x.ID()] = x.Snapshot()
	return nil
}

// Get implements outbound.Sessions.
func (s *sessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(id)
}

func (s *sessions) get(id session.ID) (*session.Session, error) {
	v, ok := s.sessions[id]
	if !ok {
		return nil, fmt.Errorf("memory: find session: %w", session.ErrNotFound)
	}
	return session.Restore(v)
}

// Update implements outbound.Sessions.
func (s *sessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, err := s.get(id)
	if err != nil {
		return nil, err
	}
	if err := change(x); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	before, after := s.sessions[id], x.Snapshot()
	if before == after {
		return x, nil
	}
	after.Version = before.Version + 1
	s.sessions[id] = after
	return session.Restore(after)
}

// List implements outbound.Sessions.
func (s *sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*session.Session
	for _, v := range s.sessions {
		x, err := session.Restore(v)
		if err != nil {
			return nil, err
		}
		if q.Matches(x) && (q.From == nil || (x.Position().Compare(*q.From) > 0) == q.Back && x.Position() != *q.From) {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b *session.Session) int {
		if q.Back {
			a, b = b, a
		}
		return b.Position().Compare(a.Position())
	})
	found = found[min(max(q.Skip, 0), len(found)):]
	return found[:min(max(q.Limit, 0), len(found))], nil
}

// DeleteOf implements outbound.Sessions.
func (s *sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.sessions, func(_ session.ID, v session.Snapshot) bool { return v.User == owner })
	return nil
}

// Sweep implements outbound.Sessions.
func (s *sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := 0
	maps.DeleteFunc(s.sessions, func(_ session.ID, v session.Snapshot) bool {
		if gone >= limit || v.Expires.After(now) {
			return false
		}
		gone++
		return true
	})
	return gone, nil
}
