package memory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"roster/domain/user"
	"roster/ports/outbound"
)

type users Store

var _ outbound.Users = (*users)(nil)

// Add implements outbound.Users.
func (s *users) Add(ctx context.Context, u *user.User) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v := u.Snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.users[v.ID]; taken {
		return fmt.Errorf("memory: add user: %w", user.ErrIDTaken)
	}
	if _, taken := s.emails[v.EmailKey]; taken {
		return fmt.Errorf("memory: add user: %w", user.ErrEmailTaken)
	}
	s.users[v.ID], s.emails[v.EmailKey] = v, v.ID
	if n, counted := v.ID.Integer(); counted {
		s.lastID = max(s.lastID, n)
	}
	return nil
}

// Get implements outbound.Users.
func (s *users) Get(ctx context.Context, id user.ID) (*user.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(id)
}

// ByEmail implements outbound.Users.
func (s *users) ByEmail(ctx context.Context, key string) (*user.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(s.emails[key]) // the id of nobody is "", which nobody has
}

func (s *users) get(id user.ID) (*user.User, error) {
	v, ok := s.users[id]
	if !ok {
		return nil, fmt.Errorf("memory: find user: %w", user.ErrNotFound)
	}
	return user.Restore(v)
}

// Update implements outbound.Users.
func (s *users) Update(ctx context.Context, id user.ID, change func(*user.User) error) (*user.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.get(id)
	if err != nil {
		return nil, err
	}
	if err := change(u); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	before, after := s.users[id], u.Snapshot()
	if before == after {
		return u, nil
	}
	if owner, taken := s.emails[after.EmailKey]; taken && owner != id {
		return nil, fmt.Errorf("memory: update user: %w", user.ErrEmailTaken)
	}
	if u.Resigns(before, false) && !s.otherStaff(id) {
		return nil, fmt.Errorf("memory: update user: %w", user.ErrLastStaff)
	}
	after.Version = before.Version + 1
	delete(s.emails, before.EmailKey)
	s.users[id], s.emails[after.EmailKey] = after, id
	return user.Restore(after)
}

// Delete implements outbound.Users.
func (s *users) Delete(ctx context.Context, id user.ID, check func(*user.User) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.get(id)
	if err != nil {
		return err
	}
	if err := check(u); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if u.Resigns(s.users[id], true) && !s.otherStaff(id) {
		return fmt.Errorf("memory: delete user: %w", user.ErrLastStaff)
	}
	delete(s.emails, s.users[id].EmailKey)
	delete(s.users, id)
	return nil
}

// otherStaff reports whether a user besides that with the id administers others.
func (s *users) otherStaff(id user.ID) bool {
	for other, v := range s.users {
		if other != id && v.Administers() {
			return true
		}
	}
	return false
}

// List implements outbound.Users.
func (s *users) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	order := append(slices.Clip(q.Order), user.Order{By: user.SortID}) // a map has no order of its own
	found, err := s.matching(q.Filter)
	if err != nil {
		return nil, err
	}
	if q.From != nil {
		found = slices.DeleteFunc(found, func(u *user.User) bool { return u.Position().Compare(*q.From, order) <= 0 })
	}
	slices.SortFunc(found, func(a, b *user.User) int { return a.Position().Compare(b.Position(), order) })
	found = found[min(max(q.Offset, 0), len(found)):]
	return found[:min(max(q.Limit, 0), len(found))], nil
}

// Count implements outbound.Users.
func (s *users) Count(ctx context.Context, f user.Filter) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	found, err := s.matching(f)
	return len(found), err
}

func (s *users) matching(f user.Filter) ([]*user.User, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*user.User
	for _, v := range s.users {
		u, err := user.Restore(v)
		if err != nil {
			return nil, err
		}
		if f.Matches(u) {
			found = append(found, u)
		}
	}
	return found, nil
}

type userIDs Store

var _ outbound.UserIDs = (*userIDs)(nil)

// NewUserID implements outbound.UserIDs.
func (s *userIDs) NewUserID(ctx context.Context) (user.ID, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastID == math.MaxInt64 {
		return "", errors.New("memory: counted ids are used up")
	}
	s.lastID++
	return user.IntegerID(s.lastID), nil
}
