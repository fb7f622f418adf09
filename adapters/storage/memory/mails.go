package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"roster/domain/mail"
	"roster/ports/outbound"
)

type mails struct {
	*shelf[mail.ID, mail.Mail, mail.Snapshot]
}

var _ outbound.Mails = mails{}

// queue stores mails with unused ids.
func queue(kept map[mail.ID]mail.Snapshot, mails []*mail.Mail) {
	for _, m := range mails {
		if _, there := kept[m.ID()]; !there {
			kept[m.ID()] = m.Snapshot()
		}
	}
}

func (s mails) Add(ctx context.Context, mails ...*mail.Mail) error {
	return s.write(ctx, func() error { queue(s.kept, mails); return nil })
}

func (s mails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	return s.update(ctx, id, change, nil, nil)
}

func (s mails) Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error) {
	return s.first(ctx, limit, func(m mail.Snapshot) bool { return m.State == mail.Waiting && !m.Due.After(now) },
		func(a, b mail.Snapshot) int {
			if c := a.Due.Compare(b.Due); c != 0 {
				return c
			}
			return strings.Compare(string(a.ID), string(b.ID))
		})
}

func (s mails) Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error) {
	return s.first(ctx, limit, func(m mail.Snapshot) bool {
		return m.Key == key && (m.State == mail.Waiting && m.Attempts > 0 || m.State == mail.Sent && !m.Finished.Before(since))
	}, newest)
}

func (s mails) List(ctx context.Context, q mail.Query) ([]*mail.Mail, error) {
	return s.first(ctx, q.Limit, func(m mail.Snapshot) bool {
		return (q.State == "" || m.State == q.State) && (q.Before == "" || m.ID < q.Before)
	}, newest)
}

func newest(a, b mail.Snapshot) int { return strings.Compare(string(b.ID), string(a.ID)) }

// first returns the first mails in an order for which a function is true.
func (s mails) first(
	ctx context.Context, limit int, wanted func(mail.Snapshot) bool, order func(a, b mail.Snapshot) int,
) (found []*mail.Mail, err error) {
	err = s.read(ctx, func() error {
		states := s.states(wanted)
		slices.SortFunc(states, order)
		for _, state := range states[:min(max(limit, 0), len(states))] {
			m, err := s.restore(state)
			if err != nil {
				return err
			}
			found = append(found, m)
		}
		return nil
	})
	return found, err
}

func (s mails) Sweep(ctx context.Context, state mail.State, before time.Time, limit int) (int, error) {
	return s.sweep(ctx, limit, func(m mail.Snapshot) bool { return m.State == state && m.Finished.Before(before) },
		func(a, b mail.Snapshot) int { return a.Finished.Compare(b.Finished) })
}
