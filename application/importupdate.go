package application

import (
	"context"
	"errors"
	"strings"
	"time"

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
	touched, err := r.touched(ctx, u.ID(), r.options.Overwrite)
	if err != nil {
		return err
	}
	change := func(u *user.User) error {
		c.row.Differs = strings.Fields(differ(u.Snapshot(), c))
		if touched || !r.options.Overwrite && used(u.Snapshot(), c.snapshot) {
			return errUsed
		}
		s := c.snapshot
		if !c.dated {
			s.Joined = u.Snapshot().Joined
		}
		u.TakeOver(s)
		return nil
	}
	if r.options.DryRun {
		err = r.wouldUpdate(ctx, u, change)
	} else {
		_, err = r.Users.Update(ctx, u.ID(), change)
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

// used reports whether a stored user shows signs of life here: a sign-in later than the source's last,
// sessions that were ended, or a credential in the form that only this service writes.
func used(stored, row user.Snapshot) bool {
	return stored.LastLogin.After(row.LastLogin) || stored.SessionEpoch > 0 ||
		strings.HasPrefix(stored.Password.Encoded(), "$") && !strings.HasPrefix(row.Password.Encoded(), "$")
}

// touched reports whether the audit trail tells of a sign-in or a change of the user here, or that they
// registered here: then they are somebody else, whatever counts for more. An update by an import
// leaves no such event.
func (r *importRun) touched(ctx context.Context, id user.ID, registered bool) (bool, error) {
	kinds := []audit.Kind{audit.Registered}
	if !registered {
		kinds = append(kinds, audit.Changed, audit.PasswordChanged, audit.SignedIn)
	}
	events, err := r.AuditTrail.List(ctx, audit.Query{Filter: audit.Filter{User: id, Kinds: kinds}, Limit: 1})
	return len(events) > 0, err
}

// differ names the members in which a row differs from the stored user; "" for none. A sign-in that
// is later here is no difference.
func differ(stored user.Snapshot, c candidate) string {
	names := strings.Join(changedMembers(stored, c.snapshot), " ")
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
