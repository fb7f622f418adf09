package conformance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type flawedArchive struct {
	outbound.Archive
	f *flawed
}

// flawedCollection is a collection with the defects of all kinds of records.
type flawedCollection[T any] struct {
	outbound.Collection[T]
	f     *flawed
	drop  map[string]func(*T)                                                // a field, by the name of the defect
	clear func(ctx context.Context, record T)                                // deletes the record with the same key; may be nil
	order func(a, b T) int                                                   // an order that is not that of keys; may be nil
	put   func(records []T, put func([]T) ([]error, error)) ([]error, error) // the defects of one kind; may be nil
}

func (c flawedCollection[T]) Page(ctx context.Context, after string, limit int) ([]T, error) {
	switch c.f.defect {
	case "pages from the key on":
		if after != "" {
			after = after[:len(after)-1] + string(after[len(after)-1]-1) + "~"
		}
	case "pages without limit":
		limit = max(limit, 1000)
	case "pages under any context":
		ctx = context.WithoutCancel(ctx)
	case "pages by the text of ids":
		if c.order != nil {
			return c.badlyOrdered(ctx, after, limit)
		}
	}
	return c.Collection.Page(ctx, after, limit)
}

// badlyOrdered is Page in another order.
func (c flawedCollection[T]) badlyOrdered(ctx context.Context, after string, limit int) ([]T, error) {
	found, err := c.Collection.Page(ctx, "", 10_000)
	slices.SortFunc(found, c.order)
	if i := slices.IndexFunc(found, func(x T) bool { return c.Key(x) == after }); i >= 0 {
		found = found[i+1:]
	}
	return found[:min(max(limit, 0), len(found))], err
}

// one puts one record after the other.
func one[T any](records []T, put func([]T) ([]error, error)) (refused []error, err error) {
	for i := range records {
		of, failed := put(records[i : i+1])
		refused, err = append(refused, of...), errors.Join(err, failed)
	}
	return refused, err
}

func (c flawedCollection[T]) Put(ctx context.Context, records []T) ([]error, error) {
	put := func(records []T) ([]error, error) { return c.Collection.Put(ctx, records) }
	records = slices.Clone(records)
	if drop := c.drop[c.f.defect]; drop != nil {
		for i := range records {
			drop(&records[i])
		}
	}
	switch c.f.defect {
	case "puts under any context":
		ctx = context.WithoutCancel(ctx)
	case "puts over what is there":
		for _, x := range records {
			if c.clear != nil {
				c.clear(ctx, x)
			}
		}
		refused, err := put(records)
		return slices.Repeat([]error{outbound.ErrKeyTaken}, len(refused)), err
	case "puts a bad record's neighbours":
		if refused, err := put(records); err == nil {
			return refused, nil
		}
		return one(records, put)
	case "does not name the bad record":
		refused, err := put(records)
		if err != nil && ctx.Err() == nil {
			err = errors.New("a record breaks a rule")
		}
		return refused, err
	case "reports taken keys as free":
		refused, err := put(records)
		for i, why := range refused {
			if errors.Is(why, outbound.ErrKeyTaken) {
				refused[i] = nil
			}
		}
		return refused, err
	case "stores the first five hundred":
		refused, err := put(records[:min(500, len(records))])
		return append(refused, make([]error, len(records)-len(refused))...), err
	case "fails when nothing is put":
		if len(records) == 0 {
			return nil, errors.New("nothing to put")
		}
	case "stores all of many":
		refused, err := put(records)
		if len(refused) == 3 { // the number of concurrent puts
			refused[1] = nil
		}
		return refused, err
	}
	if c.put != nil {
		return c.put(records, put)
	}
	return put(records)
}

func (a flawedArchive) Users() outbound.Collection[user.Snapshot] {
	return flawedCollection[user.Snapshot]{
		Collection: a.Archive.Users(), f: a.f,
		drop: map[string]func(*user.Snapshot){
			"puts users anew":                 func(s *user.Snapshot) { s.Version = min(s.Version, 1) },
			"puts users without contact":      func(s *user.Snapshot) { s.Contact = user.Contact{} },
			"puts users without a last visit": func(s *user.Snapshot) { s.LastLogin = time.Time{} },
		},
		clear: func(ctx context.Context, s user.Snapshot) {
			_ = a.f.Backend.Users().Delete(ctx, s.ID, func(*user.User) error { return nil })
		},
		order: func(x, y user.Snapshot) int { return strings.Compare(string(x.ID), string(y.ID)) },
		put:   a.putUsers,
	}
}

// putUsers puts users with the defects of users.
func (a flawedArchive) putUsers(records []user.Snapshot, put func([]user.Snapshot) ([]error, error)) ([]error, error) {
	defer func() {
		a.f.mu.Lock()
		defer a.f.mu.Unlock()
		for _, s := range records {
			a.f.put[s.ID] = true
		}
	}()
	switch a.f.defect {
	case "stores the last user of an email", "reports refusals in reverse order":
		if a.f.defect == "stores the last user of an email" {
			slices.Reverse(records)
		}
		refused, err := put(records)
		slices.Reverse(refused)
		return refused, err
	case "stops at a refusal":
		stopped := false
		return one(records, func(of []user.Snapshot) ([]error, error) {
			if stopped {
				return []error{outbound.ErrKeyTaken}, nil
			}
			refused, err := put(of)
			stopped = err != nil || refused[0] != nil
			return refused, err
		})
	}
	refused, err := put(records)
	for i, why := range refused {
		refused[i] = a.retold(records[i], why)
	}
	return refused, err
}

// retold returns the result for one user as a defect changes it.
func (a flawedArchive) retold(s user.Snapshot, why error) error {
	byEmail := errors.Is(why, user.ErrEmailTaken)
	n, _ := s.ID.Integer()
	switch a.f.defect {
	case "reports taken emails as free":
		if byEmail {
			return nil
		}
	case "reports a taken email as a taken key":
		if byEmail {
			return outbound.ErrKeyTaken
		}
	case "reports the email before the key":
		u, err := a.f.Backend.Users().ByEmail(context.Background(), s.EmailKey)
		if errors.Is(why, outbound.ErrKeyTaken) && err == nil && u.ID() != s.ID {
			return user.ErrEmailTaken
		}
	case "lets all of many have an email":
		if byEmail && n > 1000 {
			return nil
		}
	case "counts refused ids":
		if err := a.Archive.SkipUserIDs(context.Background(), n); err != nil {
			return err
		}
	}
	return why
}

func (a flawedArchive) Sessions() outbound.Collection[session.Snapshot] {
	return flawedCollection[session.Snapshot]{
		Collection: a.Archive.Sessions(), f: a.f,
		drop: map[string]func(*session.Snapshot){"puts sessions without their last use": func(s *session.Snapshot) { s.UsedAt = time.Time{} }},
	}
}

func (a flawedArchive) Attempts() outbound.Collection[lockout.Snapshot] {
	return flawedCollection[lockout.Snapshot]{
		Collection: a.Archive.Attempts(), f: a.f,
		drop: map[string]func(*lockout.Snapshot){"puts no failures": func(s *lockout.Snapshot) { s.Failures = min(s.Failures, 0) }},
	}
}

func (a flawedArchive) Events() outbound.Collection[audit.Event] {
	return flawedCollection[audit.Event]{
		Collection: a.Archive.Events(), f: a.f,
		drop: map[string]func(*audit.Event){"puts events without detail": func(e *audit.Event) { e.Detail = "" }},
	}
}

func (a flawedArchive) LastUserID(ctx context.Context) (int64, error) {
	switch a.f.defect {
	case "counts no put ids":
		return 0, ctx.Err()
	case "skips back":
		a.f.mu.Lock()
		defer a.f.mu.Unlock()
		return a.f.skipped, ctx.Err()
	}
	return a.Archive.LastUserID(ctx)
}

func (a flawedArchive) SkipUserIDs(ctx context.Context, n int64) error {
	if a.f.defect == "skips ids under any context" {
		ctx = context.WithoutCancel(ctx)
	}
	a.f.mu.Lock()
	a.f.skipped = n
	a.f.mu.Unlock()
	return a.Archive.SkipUserIDs(ctx, n)
}
