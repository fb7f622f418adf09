package memory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type users struct{ *Store }

var _ outbound.Users = users{}

func (s users) Add(ctx context.Context, u *user.User, effects ...outbound.Effects) error {
	return s.users.add(ctx, u.Snapshot(), user.ErrIDTaken, effects)
}

// emailConflict fails with user.ErrEmailTaken when another user has the email key.
func (s *Store) emailConflict(u user.Snapshot, id user.ID) error {
	if owner, taken := s.emails[u.EmailKey]; taken && owner != id {
		return user.ErrEmailTaken
	}
	return nil
}

// index updates the email keys and the highest counted id.
func (s *Store) index(before, after user.Snapshot) {
	delete(s.emails, before.EmailKey)
	s.emails[after.EmailKey] = after.ID
	if n, counted := after.ID.Integer(); counted {
		s.lastID = max(s.lastID, n)
	}
}

func (s users) Get(ctx context.Context, id user.ID) (*user.User, error) { return s.users.get(ctx, id) }

func (s users) WithSession(ctx context.Context, id user.ID, key session.ID) (u *user.User, x *session.Session, err error) {
	err = s.users.read(ctx, func() (err error) {
		if u, err = s.users.find(id); err == nil {
			if state, ok := s.sessions.kept[key]; ok {
				x, err = s.sessions.restore(state)
			}
		}
		return err
	})
	return u, x, err
}

func (s users) ByEmail(ctx context.Context, key string) (u *user.User, err error) {
	err = s.users.read(ctx, func() (err error) {
		u, err = s.users.find(s.emails[key]) // no user has the id ""
		return err
	})
	return u, err
}

func (s users) Update(
	ctx context.Context, id user.ID, change func(*user.User) error, effects ...outbound.Effects,
) (*user.User, error) {
	return s.users.update(ctx, id, change, func(before user.Snapshot, after *user.User) error {
		return s.keepStaff(id, after.LosesAdministration(before, false))
	}, effects)
}

func (s users) Delete(ctx context.Context, id user.ID, check func(*user.User) error, effects ...outbound.Effects) error {
	return s.users.write(ctx, func() error {
		u, err := s.users.find(id)
		if err != nil {
			return err
		}
		before := u.Snapshot()
		if err := check(u); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.keepStaff(id, u.LosesAdministration(before, true)); err != nil {
			return fmt.Errorf("memory: delete user: %w", err)
		}
		occurred, caused, err := outbound.EffectsOf(effects)
		if err != nil {
			return fmt.Errorf("memory: delete user: %w", err)
		}
		s.users.record(occurred, caused)
		delete(s.emails, before.EmailKey)
		delete(s.users.kept, id)
		return nil
	})
}

// keepStaff fails with user.ErrLastStaff when the user with an id resigns and no other user administers others.
func (s *Store) keepStaff(id user.ID, resigns bool) error {
	if resigns && len(s.users.states(func(u user.Snapshot) bool { return u.ID != id && u.Administers() })) == 0 {
		return user.ErrLastStaff
	}
	return nil
}

func (s users) Invited(ctx context.Context, after user.ID, limit int) ([]*user.User, error) {
	found, err := s.users.list(ctx, func(u *user.User) bool {
		return u.EmailState() == user.Invited && (after == "" || u.ID().SortKey() > after.SortKey())
	})
	slices.SortFunc(found, func(a, b *user.User) int { return strings.Compare(a.ID().SortKey(), b.ID().SortKey()) })
	return found[:min(max(limit, 0), len(found))], err
}

func (s users) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	order := user.Criteria(q.Order)
	found, err := s.users.list(ctx, func(u *user.User) bool {
		return q.Matches(u) && (q.From == nil || u.Position().Compare(*q.From, order) > 0)
	})
	slices.SortFunc(found, func(a, b *user.User) int { return a.Position().Compare(b.Position(), order) })
	found = found[min(max(q.Offset, 0), len(found)):]
	return found[:min(max(q.Limit, 0), len(found))], err
}

func (s users) Count(ctx context.Context, f user.Filter) (int, error) {
	found, err := s.users.list(ctx, f.Matches)
	return len(found), err
}

type userIDs struct{ *Store }

var _ outbound.UserIDs = userIDs{}

func (s userIDs) NewUserID(ctx context.Context) (id user.ID, err error) {
	err = s.users.write(ctx, func() error {
		if s.lastID == math.MaxInt64 {
			return errors.New("memory: counted ids are used up")
		}
		s.lastID++
		id = user.IntegerID(s.lastID)
		return nil
	})
	return id, err
}
