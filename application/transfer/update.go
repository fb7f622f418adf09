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

// errInUse reports that a user was in use here since the import.
var errInUse = errors.New("in use here")

// update updates the user with the id of the row.
func (r *importRun) update(ctx context.Context, c candidate) error {
	u, err := r.Users.Get(ctx, c.snapshot.ID)
	if err != nil {
		return err
	}
	c.snapshot.Joined = keepMicroseconds(u.Snapshot().Joined, c.snapshot.Joined)
	c.snapshot.LastLogin = keepMicroseconds(u.Snapshot().LastLogin, c.snapshot.LastLogin)
	c.snapshot.Contact = u.Snapshot().Contact // ApplyImport keeps it
	if changedFields(u.Snapshot(), c) == "" {
		return r.count(c, inbound.Unchanged)
	}
	past, err := r.history(ctx, u.ID(), r.options.Overwrite)
	if err != nil {
		return err
	}
	now := r.Clock.Now()
	var before user.Snapshot
	change := func(u *user.User) error {
		before = u.Snapshot()
		c.row.ChangedFields = strings.Fields(changedFields(before, c))
		if past.hasLocalEvents || !r.options.Overwrite && looksUsed(before, c.snapshot, past.imported) {
			return errInUse
		}
		s := c.snapshot
		if !c.hasJoined {
			s.Joined = u.Snapshot().Joined
		}
		u.ApplyImport(s)
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
		r.recordUpdate(ctx, before, after.Snapshot(), c.row.ChangedFields)
	}
	switch {
	case errors.Is(err, errInUse) && u.Snapshot().EmailKey != c.snapshot.EmailKey:
		c.row.Other = u.ID()
		return r.reject(c, inbound.ReasonIDTaken, "the user with this id has another address here, and was in use or changed here")
	case errors.Is(err, errInUse):
		return r.count(c, inbound.Kept)
	case errors.Is(err, user.ErrEmailTaken):
		return r.rejectEmailTaken(ctx, c)
	case errors.Is(err, user.ErrLastStaff):
		return r.reject(c, inbound.ReasonLastStaff, "the user is the last active administrator here, and would lose administration")
	case err != nil:
		return err
	}
	return r.count(c, inbound.Updated)
}

// recordUpdate records the update of a user, also when only times changed.
func (r *importRun) recordUpdate(ctx context.Context, before, after user.Snapshot, fields []string) {
	switch {
	case before.Version == after.Version:
	case len(application.ChangedMembers(before, after)) == 0 && before.Password == after.Password:
		r.Record(ctx, audit.Event{Kind: audit.Changed, User: after.ID, Detail: strings.Join(fields, " ")})
	default:
		r.RecordChange(ctx, "", before, after)
	}
}

// wouldUpdate fails as Users.Update would after the rows so far, for a dry run. It does not look for another user
// with the address.
func (r *importRun) wouldUpdate(ctx context.Context, u *user.User, change func(*user.User) error) error {
	before := u.Snapshot()
	if err := change(u); err != nil {
		return err
	}
	switch {
	case u.LosesAdministration(before, false):
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

// keepMicroseconds returns stored when row is the same time truncated to milliseconds, as dumpdata writes it, and
// row otherwise.
func keepMicroseconds(stored, row time.Time) time.Time {
	if stored.Truncate(time.Millisecond).Equal(row) {
		return stored
	}
	return row
}

// looksUsed reports whether a stored user shows signs of local use: a sign-in later than in the source, sessions
// ended other than by an import, or a credential in the form that only this service writes.
func looksUsed(stored, row user.Snapshot, imported bool) bool {
	return stored.LastLogin.After(row.LastLogin) || !imported && stored.SessionEpoch > 0 ||
		strings.HasPrefix(stored.Password.Encoded(), "$") && !strings.HasPrefix(row.Password.Encoded(), "$")
}

// history is what the audit trail contains about a user.
type history struct {
	hasLocalEvents bool // a local sign-in, change or registration
	imported       bool // a change by an import
}

// history looks for events of a user in the audit trail. With registeredOnly, it looks for a local registration
// only: such a user is not the one of the source, so not even Overwrite may change it.
func (r *importRun) history(ctx context.Context, id user.ID, registeredOnly bool) (h history, err error) {
	q := audit.Query{Filter: audit.Filter{User: id, Kinds: []audit.Kind{audit.Registered}}, Limit: batch}
	if !registeredOnly {
		q.Kinds = append(q.Kinds, audit.Changed, audit.PasswordChanged, audit.SignedIn, audit.SessionsRevoked)
	}
	for {
		events, err := r.AuditTrail.List(ctx, q)
		if err != nil {
			return h, err
		}
		for _, e := range events {
			if e.Channel != audit.Import {
				return history{hasLocalEvents: true}, nil
			}
			h.imported = true
		}
		if len(events) < q.Limit {
			return h, nil
		}
		last := events[len(events)-1].Position()
		q.From = &last
	}
}

// changedFields returns the names of the fields in which a row differs from the stored user, separated by spaces. A
// later local sign-in is no difference.
func changedFields(stored user.Snapshot, c candidate) string {
	names := strings.Join(application.ChangedMembers(stored, c.snapshot), " ")
	if stored.Password != c.snapshot.Password {
		names += " password"
	}
	if c.snapshot.EmailState == user.EmailVerified && stored.EmailState != user.EmailVerified { // the reverse is kept
		names += " email_verified"
	}
	if c.hasJoined && !stored.Joined.Equal(c.snapshot.Joined) {
		names += " date_joined"
	}
	if c.snapshot.LastLogin.After(stored.LastLogin) {
		names += " last_login"
	}
	return strings.TrimSpace(names)
}
