package conformance_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/outbound"
)

type flawedMails struct {
	outbound.Mails
	f *flawed
}

// changedMail returns m with another state.
func changedMail(m *mail.Mail, change func(*mail.Snapshot)) *mail.Mail {
	s := m.Snapshot()
	change(&s)
	v, err := mail.Restore(s)
	if err != nil {
		panic(err)
	}
	return v
}

func (r flawedMails) Add(ctx context.Context, mails ...*mail.Mail) error {
	mails = slices.Clone(mails)
	switch r.f.defect {
	case "queues mails under any context":
		ctx = context.WithoutCancel(ctx)
	case "drops the languages of a mail":
		for i, m := range mails {
			mails[i] = changedMail(m, func(s *mail.Snapshot) { s.Locale = "" })
		}
	case "queues a mail again":
		for _, m := range mails {
			_, _ = r.Mails.Update(ctx, m.ID(), func(x *mail.Mail) error { *x = *m; return nil })
		}
	case "refuses a mail that is queued":
		for _, m := range mails {
			if _, err := r.Mails.Update(ctx, m.ID(), func(*mail.Mail) error { return nil }); err == nil {
				return mail.ErrExists
			}
		}
	case "shares a mail":
		r.f.mu.Lock()
		defer r.f.mu.Unlock()
		for _, m := range mails {
			r.f.mails[m.ID()] = m
		}
	}
	return r.Mails.Add(ctx, mails...)
}

func (r flawedMails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	switch r.f.defect {
	case "lets two begin": // each second attempt sees what the one before saw
		return r.Mails.Update(ctx, id, func(m *mail.Mail) error {
			v := forget(r.f, string(id), m)
			if err := change(v); err != nil {
				return err
			}
			*m = *v
			return nil
		})
	case "loses attempts":
		return r.Mails.Update(ctx, id, func(m *mail.Mail) error {
			v := changedMail(m, func(s *mail.Snapshot) { s.Attempts = max(s.Attempts-1, 0) })
			if err := change(v); err != nil {
				return err
			}
			*m = *v
			return nil
		})
	case "keeps refused attempts":
		var refused error
		m, err := r.Mails.Update(ctx, id, func(m *mail.Mail) error { refused = change(m); return nil })
		if refused != nil {
			return nil, refused
		}
		return m, err
	case "counts no versions of mails":
		m, err := r.Mails.Update(ctx, id, change)
		if err == nil {
			m = changedMail(m, func(s *mail.Snapshot) { s.Version = max(s.Version-1, 1) })
		}
		return m, err
	}
	return r.Mails.Update(ctx, id, change)
}

func (r flawedMails) Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error) {
	switch r.f.defect {
	case "sends mails too early":
		now = now.Add(time.Millisecond)
	case "sends mails too late":
		now = now.Add(-time.Millisecond)
	case "sends any number of mails":
		limit = 1000
	case "sends mails by their ids":
		found, err := r.Mails.Due(ctx, now, 1000)
		slices.SortFunc(found, func(a, b *mail.Mail) int { return strings.Compare(string(a.ID()), string(b.ID())) })
		return found[:min(max(limit, 0), len(found))], err
	}
	return r.Mails.Due(ctx, now, limit)
}

func (r flawedMails) Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error) {
	only := func(wanted func(mail.Snapshot) bool) ([]*mail.Mail, error) {
		all, err := r.Mails.List(ctx, mail.Query{Limit: 1000})
		all = slices.DeleteFunc(all, func(m *mail.Mail) bool { return !wanted(m.Snapshot()) })
		return all[:min(max(limit, 0), len(all))], err
	}
	begun := func(s mail.Snapshot) bool { return s.State == mail.Waiting && s.Attempts > 0 }
	sent := func(s mail.Snapshot) bool { return s.State == mail.Sent && !s.Finished.Before(since) }
	switch r.f.defect {
	case "counts mails to all addresses":
		return only(func(s mail.Snapshot) bool { return begun(s) || sent(s) })
	case "counts dropped mails":
		return only(func(s mail.Snapshot) bool {
			return s.Key == key && (begun(s) || s.State != mail.Waiting && !s.Finished.Before(since))
		})
	case "counts mails that no attempt was made of":
		return only(func(s mail.Snapshot) bool { return s.Key == key && (s.State == mail.Waiting || sent(s)) })
	case "forgets mails that are being sent":
		return only(func(s mail.Snapshot) bool { return s.Key == key && sent(s) })
	case "counts mails sent before":
		since = time.Unix(0, 0)
	}
	return r.Mails.Begun(ctx, key, since, limit)
}

func (r flawedMails) List(ctx context.Context, q mail.Query) ([]*mail.Mail, error) {
	switch r.f.defect {
	case "lists mails of any state":
		q.State = ""
	case "lists all mails again":
		q.Before = ""
	case "lists the oldest mails":
		all, err := r.Mails.List(ctx, mail.Query{State: q.State, Before: q.Before, Limit: 1000})
		return all[max(len(all)-q.Limit, 0):], err
	}
	all, err := r.Mails.List(ctx, q)
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	for i, m := range all {
		if shared, ok := r.f.mails[m.ID()]; ok {
			all[i] = shared
		}
	}
	return all, err
}

func (r flawedMails) Sweep(ctx context.Context, state mail.State, before time.Time, limit int) (int, error) {
	switch r.f.defect {
	case "sweeps mails too early":
		before = before.Add(time.Millisecond)
	case "sweeps mails of any final state":
		for _, s := range mail.FinalStates() {
			if n, err := r.Mails.Sweep(ctx, s, before, limit); n > 0 || err != nil {
				return n, err
			}
		}
	case "sweeps any number of mails":
		limit = math.MaxInt
	case "sweeps mails that wait":
		all, err := r.Mails.List(ctx, mail.Query{State: mail.Waiting, Limit: 1000})
		for _, m := range all {
			_, _ = r.Mails.Update(ctx, m.ID(), func(m *mail.Mail) error { m.Drop(before.Add(-time.Hour), ""); return nil })
		}
		if err != nil {
			return 0, err
		}
	case "sweeps the newest mails":
		all, err := r.Mails.List(ctx, mail.Query{Limit: 1000})
		if err != nil {
			return 0, err
		}
		for i, m := range all { // of equal states, the oldest by time is the newest by id
			_, _ = r.Mails.Update(ctx, m.ID(), func(m *mail.Mail) error {
				if err := m.Retry(before); err != nil {
					return err
				}
				m.Complete(before.Add(time.Duration(i-1000) * time.Hour))
				return nil
			})
		}
	}
	return r.Mails.Sweep(ctx, state, before, limit)
}

// withoutMails returns effects that have no mails unless wanted.
func withoutMails(effects []outbound.Effects, wanted func() bool) outbound.Effects {
	return func() (events []audit.Event, mails []*mail.Mail) {
		for _, f := range effects {
			e, m := f()
			events = append(events, e...)
			if wanted() {
				mails = append(mails, m...)
			}
		}
		return events, mails
	}
}

// onlyMails returns effects without the events.
func onlyMails(effects []outbound.Effects) outbound.Effects {
	return func() (_ []audit.Event, mails []*mail.Mail) {
		for _, f := range effects {
			_, m := f()
			mails = append(mails, m...)
		}
		return nil, mails
	}
}

func never() bool { return false }

func (a flawedArchive) Mails() outbound.Collection[mail.Snapshot] {
	return flawedCollection[mail.Snapshot]{
		Collection: a.Archive.Mails(), f: a.f,
		drop: map[string]func(*mail.Snapshot){"puts mails without attempts": func(s *mail.Snapshot) { s.Attempts = 0 }},
	}
}

// Invited has the defects of the list of invited users.
func (r flawedUsers) Invited(ctx context.Context, after user.ID, limit int) ([]*user.User, error) {
	switch r.f.defect {
	case "lists invited users from the first":
		after = ""
	case "lists all that wait as invited":
		all, err := r.Users.List(ctx, user.Query{Order: []user.Order{{By: user.SortID}}, Limit: 1000})
		return slices.DeleteFunc(all, func(u *user.User) bool { return !u.EmailState().Awaiting() || u.ID().SortKey() <= after.SortKey() }), err
	case "lists no put users as invited":
		us, err := r.Users.Invited(ctx, after, limit)
		return slices.DeleteFunc(us, func(u *user.User) bool { return r.f.wasPut(u.ID()) }), err
	}
	return r.Users.Invited(ctx, after, limit)
}
