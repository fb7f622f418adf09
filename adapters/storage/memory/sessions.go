package memory

import (
	"context"
	"time"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type sessions struct {
	*shelf[session.ID, session.Session, session.Snapshot]
}

var _ outbound.Sessions = sessions{}

func (s sessions) Add(ctx context.Context, x *session.Session, effects ...outbound.Effects) error {
	return s.add(ctx, x.Snapshot(), session.ErrExists, effects)
}

func (s sessions) Get(ctx context.Context, id session.ID) (*session.Session, error) {
	return s.get(ctx, id)
}

func (s sessions) Update(
	ctx context.Context, id session.ID, change func(*session.Session) error, effects ...outbound.Effects,
) (*session.Session, error) {
	return s.update(ctx, id, change, nil, effects)
}

func (s sessions) List(ctx context.Context, q session.Query) ([]*session.Session, error) {
	found, err := s.list(ctx, q.Matches)
	return stretch(found, (*session.Session).Position, session.Position.Compare, q.From, q.Back, q.Skip, q.Limit), err
}

func (s sessions) DeleteOf(ctx context.Context, owner user.ID) error {
	_, err := s.remove(ctx, func(x session.Snapshot) bool { return x.User == owner })
	return err
}

func (s sessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return s.sweep(ctx, limit, func(x session.Snapshot) bool { return !x.Expires.After(now) },
		func(a, b session.Snapshot) int { return a.Expires.Compare(b.Expires) })
}
