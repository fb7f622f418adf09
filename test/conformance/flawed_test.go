package conformance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"

	"roster/adapters/storage"
	"roster/domain/user"
	"roster/ports/outbound"
)

type flawedUsers struct {
	outbound.Users
	f *flawed
}

// altered returns u with another state.
func altered(u *user.User, alter func(*user.Snapshot)) *user.User {
	s := u.Snapshot()
	alter(&s)
	v, err := user.Restore(s)
	if err != nil {
		panic(err)
	}
	return v
}

func (f *flawed) wasPut(id user.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.put[id]
}

func (r flawedUsers) Add(ctx context.Context, u *user.User, events ...outbound.Effects) error {
	switch r.f.defect {
	case "keeps the email of a refusal":
		r.f.mu.Lock()
		reserved := r.f.reserved[u.Snapshot().EmailKey]
		r.f.mu.Unlock()
		if reserved {
			return user.ErrEmailTaken
		}
	case "adds a taken email":
		if _, err := r.Users.ByEmail(ctx, u.Snapshot().EmailKey); err == nil {
			u = altered(u, func(s *user.Snapshot) { s.EmailKey += "#" + string(s.ID) })
		}
	case "drops the language of a user":
		u = altered(u, func(s *user.Snapshot) { s.Contact.Locale = "" })
	case "drops a field":
		u = altered(u, func(s *user.Snapshot) { s.LastLogin = time.Time{} })
	case "rounds to seconds":
		u = altered(u, func(s *user.Snapshot) { s.Joined = s.Joined.Truncate(time.Millisecond) })
	case "shares memory":
		r.f.mu.Lock()
		defer r.f.mu.Unlock()
		r.f.shared[u.ID()] = u
	}
	return r.f.around(ctx, events, func(events ...outbound.Effects) error { return r.Users.Add(ctx, u, events...) })
}

// around makes a change, with the defects of storing its events.
func (f *flawed) around(ctx context.Context, events []outbound.Effects, change func(events ...outbound.Effects) error) error {
	switch f.defect {
	case "drops the events of changes":
		return change()
	case "drops the mails of changes":
		return change(withoutMails(events, never))
	case "stores the events of every run":
		return change(append(events, events...)...)
	case "queues the mails of every run":
		return change(append(events, onlyMails(events))...)
	case "stores events before the change":
		if err := f.store(ctx, events); err != nil {
			return err
		}
		return change()
	case "queues mails before the change":
		if err := f.store(ctx, []outbound.Effects{onlyMails(events)}); err != nil {
			return err
		}
		return change(withoutMails(events, never))
	case "queues mails after the change":
		err := change(withoutMails(events, never))
		return errors.Join(f.store(ctx, []outbound.Effects{onlyMails(events)}), err)
	case "queues mails that were sent":
		for _, e := range events {
			_, mails := e()
			for _, m := range mails {
				_, _ = f.Backend.Mails().Update(ctx, m.ID(), func(x *mail.Mail) error { *x = *m; return nil })
			}
		}
	case "stores events after the change":
		if err := change(); err != nil {
			return err
		}
		return f.store(ctx, events)
	}
	return change(events...)
}

func (f *flawed) store(ctx context.Context, events []outbound.Effects) error {
	for _, e := range events {
		events, mails := e()
		if err := errors.Join(f.Backend.AuditTrail().Append(ctx, events...), f.Backend.Mails().Add(ctx, mails...)); err != nil {
			return err
		}
	}
	return nil
}

func (r flawedUsers) WithSession(ctx context.Context, id user.ID, key session.ID) (*user.User, *session.Session, error) {
	u, x, err := r.Users.WithSession(ctx, id, key)
	switch {
	case err == nil && x == nil && r.f.defect == "needs a session":
		err = user.ErrNotFound
	case x != nil && x.User() != id && r.f.defect == "takes the session of the user":
		x = nil
	}
	return u, x, err
}

func (r flawedUsers) Get(ctx context.Context, id user.ID) (*user.User, error) {
	switch r.f.defect {
	case "ignores contexts":
		ctx = context.WithoutCancel(ctx)
	case "shares memory":
		r.f.mu.Lock()
		defer r.f.mu.Unlock()
		if u, ok := r.f.shared[id]; ok {
			return u, nil
		}
	}
	return r.Users.Get(ctx, id)
}

func (r flawedUsers) Update(ctx context.Context, id user.ID, change func(*user.User) error, events ...outbound.Effects) (*user.User, error) {
	change, err := r.resigning(ctx, id, change, false)
	if err != nil {
		return nil, err
	}
	switch r.f.defect {
	case "keeps the email of a refusal":
		var key string
		u, err := r.Users.Update(ctx, id, func(u *user.User) error {
			err := change(u)
			key = u.Snapshot().EmailKey
			return err
		})
		if errors.Is(err, user.ErrLastStaff) {
			r.f.mu.Lock()
			defer r.f.mu.Unlock()
			r.f.reserved[key] = true
		}
		return u, err
	case "changes no put users":
		if r.f.wasPut(id) {
			return nil, user.ErrNotFound
		}
	case "moves a taken email":
		u, err := r.Users.Update(ctx, id, change)
		if errors.Is(err, user.ErrEmailTaken) {
			return r.Users.Get(ctx, id)
		}
		return u, err
	case "loses updates":
		return r.Users.Update(ctx, id, func(u *user.User) error {
			v := forget(r.f, string(id), u)
			if err := change(v); err != nil {
				return err
			}
			*u = *v
			return nil
		})
	case "never changes the contact":
		return r.Users.Update(ctx, id, func(u *user.User) error {
			before := u.Snapshot()
			err := change(u)
			*u = *altered(u, func(s *user.Snapshot) { s.Contact = before.Contact })
			return err
		})
	case "keeps failed changes":
		var refused error
		u, err := r.Users.Update(ctx, id, func(u *user.User) error { refused = change(u); return nil })
		if refused != nil {
			return nil, refused
		}
		return u, err
	case "counts no version":
		u, err := r.Users.Update(ctx, id, change)
		if err == nil {
			u = altered(u, func(s *user.Snapshot) { s.Version-- })
		}
		return u, err
	case "counts unchanged":
		u, err := r.Users.Update(ctx, id, change)
		if err == nil {
			u = altered(u, func(s *user.Snapshot) { s.Version++ })
		}
		return u, err
	}
	var out *user.User
	err = r.f.around(ctx, events, func(events ...outbound.Effects) (err error) {
		changed := true
		out, err = r.Users.Update(ctx, id, func(u *user.User) error {
			before := u.Snapshot()
			err := change(u)
			changed = before != u.Snapshot()
			return err
		}, func() (occurred []audit.Event, caused []*mail.Mail) {
			for _, e := range events {
				events, mails := e()
				if changed || r.f.defect != "drops events without a change" {
					occurred = append(occurred, events...)
				}
				if changed || r.f.defect != "drops mails without a change" {
					caused = append(caused, mails...)
				}
			}
			return occurred, caused
		})
		return err
	})
	return out, err
}

func (r flawedUsers) Delete(ctx context.Context, id user.ID, check func(*user.User) error, events ...outbound.Effects) error {
	check, err := r.resigning(ctx, id, check, true)
	if err != nil {
		return err
	}
	var refused error
	if r.f.defect == "ignores the check" {
		inner := check
		check = func(u *user.User) error { refused = inner(u); return nil }
	}
	remove := func(events ...outbound.Effects) error { return r.Users.Delete(ctx, id, check, events...) }
	if err := r.f.around(ctx, events, remove); err != nil {
		return err
	}
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	r.f.gone = id
	return refused
}

func (r flawedUsers) Count(ctx context.Context, f user.Filter) (int, error) {
	switch r.f.defect {
	case "counts all":
		f = user.Filter{}
	case "counts no put users":
		us, err := r.Users.List(ctx, user.Query{Filter: f, Limit: 10_000})
		return len(slices.DeleteFunc(us, func(u *user.User) bool { return r.f.wasPut(u.ID()) })), err
	}
	return r.Users.Count(ctx, f)
}

func (r flawedUsers) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	switch r.f.defect {
	case "pages unstably": // users with equal criteria change their order between pages
		if q.From != nil {
			last := len(q.Order) - 1
			q.Order = append(slices.Clone(q.Order[:last]), user.Order{By: user.SortID, Desc: !q.Order[last].Desc})
		}
	case "includes the place":
		if q.From != nil && q.From.ID == "3" {
			q.From = nil
		}
	case "forgets deleted":
		if q.From != nil {
			if _, err := r.Users.Get(ctx, q.From.ID); err != nil {
				return nil, nil
			}
		}
	case "reports a deadline as an outage":
		us, err := r.Users.List(ctx, q)
		if errors.Is(err, context.DeadlineExceeded) {
			err = storage.Unavailable(err)
		}
		return us, err
	case "searches any term":
		q.Terms = q.Terms[:min(1, len(q.Terms))]
	case "finds no put users":
		us, err := r.Users.List(ctx, q)
		if len(q.Terms) == 0 {
			return us, err
		}
		return slices.DeleteFunc(us, func(u *user.User) bool { return r.f.wasPut(u.ID()) }), err
	case "searches by case", "orders ids as text", "orders without case":
		return r.listBadly(ctx, q)
	}
	return r.Users.List(ctx, q)
}

// listBadly lists users with the defects of ordering and searching.
func (r flawedUsers) listBadly(ctx context.Context, q user.Query) ([]*user.User, error) {
	terms := q.Terms
	if r.f.defect == "searches by case" {
		q.Terms = nil
	}
	us, err := r.Users.List(ctx, q)
	if err != nil {
		return nil, err
	}
	switch r.f.defect {
	case "searches by case":
		us = slices.DeleteFunc(us, func(u *user.User) bool {
			s := u.Snapshot()
			text := s.Email + "\n" + s.FirstName + "\n" + s.LastName
			return slices.ContainsFunc(terms, func(t string) bool { return !strings.Contains(text, t) })
		})
	case "orders ids as text":
		slices.SortFunc(us, func(a, b *user.User) int { return strings.Compare(string(a.ID()), string(b.ID())) })
	case "orders without case":
		slices.SortStableFunc(us, func(a, b *user.User) int {
			return strings.Compare(user.Fold(a.Snapshot().FirstName), user.Fold(b.Snapshot().FirstName))
		})
	}
	return us, nil
}
