package transfer

import (
	"context"
	"errors"
	"strings"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/user"
	"roster/ports/inbound"
)

// errUsed says that a user was in use here since the import.
var errUsed = errors.New("in use here")

// update brings the user with the row's id up to date.
func (r *importRun) update(ctx context.Context, c candidate) error {
	u, err := r.Users.Get(ctx, c.snapshot.ID)
	if err != nil {
		return err
	}
	c.snapshot.Joined = finer(u.Snapshot().Joined, c.snapshot.Joined)
	c.snapshot.LastLogin = finer(u.Snapshot().LastLogin, c.snapshot.LastLogin)
	if differ(u.Snapshot(), c) == "" {
		return r.count(c, inbound.Unchanged)
	}
	known, err := r.history(ctx, u.ID(), r.options.Overwrite)
	if err != nil {
		return err
	}
	now := r.Clock.Now()
	var before user.Snapshot
	change := func(u *user.User) error {
		before = u.Snapshot()
		c.row.Differs = strings.Fields(differ(before, c))
		if known.touched || !r.options.Overwrite && used(before, c.snapshot, known.imported) {
			return errUsed
		}
		s := c.snapshot
		if !c.dated {
			s.Joined = u.Snapshot().Joined
		}
		u.TakeOver(s)
		if r.options.Overwrite && (before.Password != s.Password || before.Active && !s.Active) {
			u.EndSessions(now) // the user was in use here
		}
		return nil
	}
	if r.options.DryRun {
		err = r.wouldUpdate(ctx, u, change)
	} else if after, failure := r.Users.Update(ctx, u.ID(), change); failure != nil {
		err = failure
	} else {
		r.recordUpdate(ctx, before, after.Snapshot(), c.row.Differs)
	}
	switch {
	case errors.Is(err, errUsed) && u.Snapshot().EmailKey != c.snapshot.EmailKey:
		c.row.Other = u.ID()
		return r.reject(c, rejection{inbound.ReasonIDTaken, "the user with this id here has another address, and was in use or changed here"})
	case errors.Is(err, errUsed):
		return r.count(c, inbound.Kept)
	case errors.Is(err, user.ErrEmailTaken):
		return r.emailTaken(ctx, c)
	case errors.Is(err, user.ErrLastStaff):
		return r.reject(c, rejection{inbound.ReasonLastStaff, "the user is the last active administrator here, and would be one no more"})
	case err != nil:
		return err
	}
	return r.count(c, inbound.Updated)
}

// recordUpdate records the change of a user, of dates alone as well.
func (r *importRun) recordUpdate(ctx context.Context, before, after user.Snapshot, differs []string) {
	switch {
	case before.Version == after.Version:
	case len(application.ChangedMembers(before, after)) == 0 && before.Password == after.Password:
		r.Record(ctx, audit.Event{Kind: audit.Changed, User: after.ID, Detail: strings.Join(differs, " ")})
	default:
		r.RecordChange(ctx, "", before, after)
	}
}

// wouldUpdate fails as Users.Update would after the rows so far. That another user has the address is not
// looked for.
func (r *importRun) wouldUpdate(ctx context.Context, u *user.User, change func(*user.User) error) error {
	before := u.Snapshot()
	if err := change(u); err != nil {
		return err
	}
	switch {
	case u.Resigns(before, false):
		n, err := r.Users.Count(ctx, user.Filter{Active: new(true), Staff: new(true)})
		if err != nil {
			return err
		}
		if n+r.staff <= 1 {
			return user.ErrLastStaff
		}
		r.staff--
	case !before.Administers() && u.Snapshot().Administers():
		r.staff++
	}
	return nil
}

// finer returns what is stored where a row says the same cut to milliseconds, as dumpdata does.
func finer(stored, row time.Time) time.Time {
	if stored.Truncate(time.Millisecond).Equal(row) {
		return stored
	}
	return row
}

// used reports whether a stored user shows signs of use here: a sign-in later than the source's last,
// sessions that were ended, unless by an import, or a credential in the form that only this service
// writes.
func used(stored, row user.Snapshot, imported bool) bool {
	return stored.LastLogin.After(row.LastLogin) || !imported && stored.SessionEpoch > 0 ||
		strings.HasPrefix(stored.Password.Encoded(), "$") && !strings.HasPrefix(row.Password.Encoded(), "$")
}

// history is what the audit trail has of a user.
type history struct {
	touched  bool // a sign-in or a change here, or that the user registered here
	imported bool // a change by an import
}

// history looks a user up in the audit trail; with registered alone, only whether the user registered
// here: then it is another user than the source's, whatever counts for more.
func (r *importRun) history(ctx context.Context, id user.ID, registered bool) (h history, err error) {
	q := audit.Query{Filter: audit.Filter{User: id, Kinds: []audit.Kind{audit.Registered}}, Limit: batch}
	if !registered {
		q.Kinds = append(q.Kinds, audit.Changed, audit.PasswordChanged, audit.SignedIn, audit.SessionsRevoked)
	}
	for {
		events, err := r.AuditTrail.List(ctx, q)
		if err != nil {
			return h, err
		}
		for _, e := range events {
			if e.Channel != audit.Import {
				return history{touched: true}, nil
			}
			h.imported = true
		}
		if len(events) < q.Limit {
			return h, nil
		}
		at := events[len(events)-1].Position()
		q.From = &at
	}
}

// differ names the members in which a row differs from the stored user; "" for none. A sign-in that
// is later here is no difference.
func differ(stored user.Snapshot, c candidate) string {
	names := strings.Join(application.ChangedMembers(stored, c.snapshot), " ")
	if stored.Password != c.snapshot.Password {
		names += " password"
	}
	if c.dated && !stored.Joined.Equal(c.snapshot.Joined) {
		names += " date_joined"
	}
	if c.snapshot.LastLogin.After(stored.LastLogin) {
		names += " last_login"
	}
	return strings.TrimSpace(names)
}
