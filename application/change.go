package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Change implements inbound.Accounts.
func (a *Accounts) Change(ctx context.Context, actor inbound.Actor, id user.ID, read func() (inbound.Changes, error)) (*user.User, error) {
	before, err := a.find(ctx, actor, change, id)
	if err != nil {
		return nil, err
	}
	in, err := read()
	if err != nil {
		return nil, err
	}
	if err := checkVersion(before, in.Versions); err != nil {
		return nil, err
	}
	// The current password is checked before the new address is: the answer says whether an address is taken.
	unconfirmed := a.settings.Passwords.CurrentNeeded && actor.Is(id)
	if unconfirmed && a.moves(in.Email, before) {
		if err := a.confirm(ctx, before, in.CurrentPassword); err != nil {
			return nil, err
		}
		unconfirmed = false
	}
	parsed, err := a.parse(ctx, in.UserInput, in.Whole, before)
	if err != nil {
		return nil, err
	}
	if unconfirmed && parsed.password != nil {
		if err := a.confirm(ctx, before, in.CurrentPassword); err != nil {
			return nil, err
		}
	}
	if actor.Staff() {
		if parsed.active, parsed.staff, err = flags(in.UserInput); err != nil {
			return nil, err
		}
	}
	return a.store(ctx, actor, id, parsed, in.Versions, a.settings.Rules.KeepCurrent && actor.Is(id))
}

// ChangePassword implements inbound.Accounts.
func (a *Accounts) ChangePassword(ctx context.Context, actor inbound.Actor, current, password field.Text) error {
	if actor.Anonymous() {
		return inbound.ErrNoCredentials
	}
	parsed, err := a.parse(ctx, inbound.UserInput{Password: password}, false, actor.User)
	faults := renamed(err, user.FieldPassword, fieldNewPassword)
	if !password.Present() {
		_, _, faults = credential.Member(fieldNewPassword, true, true, 0).Check(password)
	}
	if err != nil && faults == nil {
		return err
	}
	if _, _, more := a.currentRule().Check(current); len(more) > 0 {
		faults = append(more, faults...)
	}
	if len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if err := a.confirm(ctx, actor.User, current); err != nil {
		return err
	}
	_, err = a.store(ctx, actor, actor.User.ID(), parsed, nil, true)
	return err
}

// store makes a change that the actor may make. With keep, the session of the request survives a change of the
// password.
func (a *Accounts) store(ctx context.Context, actor inbound.Actor, id user.ID, in parsedInput, versions []int64, keep bool) (after *user.User, err error) {
	var hash credential.Hash
	if in.password != nil {
		if hash, err = a.ports.Hasher.Hash(ctx, *in.password); err != nil {
			return nil, err
		}
	}
	// A client decides how long the reading of its body takes: what the actor was allowed when the request began
	// is judged again.
	now := a.ports.Clock.Now()
	if actor, err = a.ports.reauthenticate(ctx, actor, now, a.settings.Rules); err != nil {
		return nil, err
	}
	if err := a.settings.Access.allow(actor, change, id); err != nil {
		return nil, err
	}
	if (in.active != nil || in.staff != nil) && !actor.Staff() {
		return nil, inbound.ErrForbidden
	}
	after, err = a.update(ctx, actor.ID(), id, func(u *user.User) error {
		if actor.Is(id) && (!u.Active() || u.SessionEpoch() != actor.User.SessionEpoch()) {
			return session.ErrTokenInvalid
		}
		if err := checkVersion(u, versions); err != nil {
			return err
		}
		in.apply(u)
		in.applyFlags(u, now, a.settings.Rules)
		if in.password != nil {
			u.ChangePassword(hash, now)
			if keep && actor.Session == "" && !actor.Issued.IsZero() {
				// A token without a session has no record that could be kept: tokens issued at the same time or
				// later stay valid too.
				u.SpareTokens(actor.Issued.Add(-a.settings.Rules.Leeway))
			}
		}
		return nil
	})
	if err != nil || in.password == nil {
		return after, err
	}
	// The password is changed. A failure of what follows does not undo that: the account's lockout ends by itself,
	// and a user whose session ended signs in again.
	if !actor.Is(id) {
		_, _ = a.unlock(ctx, actor.ID(), after)
	}
	if keep && actor.Session != "" {
		_, _ = a.ports.Sessions.Update(ctx, actor.Session, func(s *session.Session) error {
			if s.Current(actor.User) {
				s.Confirm(after)
			}
			return nil
		})
	}
	return after, nil
}

// update changes a user on behalf of the user by, "" for the operator, and records the change.
func (a *Accounts) update(ctx context.Context, by, id user.ID, change func(*user.User) error) (*user.User, error) {
	var before user.Snapshot
	after, err := a.ports.Users.Update(ctx, id, func(u *user.User) error {
		before = u.Snapshot()
		return change(u)
	})
	if err != nil {
		return nil, err
	}
	a.RecordChange(ctx, by, before, after.Snapshot())
	return after, nil
}

// delete removes a user on behalf of the user by, "" for the operator. The user goes first: from then on no token of
// the user is valid, and the sessions are dead. A failure to delete their records does not fail the deletion, since
// the records are swept when they expire.
func (a *Accounts) delete(ctx context.Context, by, id user.ID, check func(*user.User) error) error {
	e := audit.Event{Kind: audit.Deleted, Actor: by, User: id}
	err := a.ports.Users.Delete(ctx, id, func(u *user.User) error {
		e.Detail = ""
		if u.Staff() {
			e.Detail = flagDetail(user.FieldStaff, false)
		}
		return check(u)
	})
	if err != nil {
		return err
	}
	a.Record(ctx, e)
	_ = a.ports.Sessions.DeleteOf(ctx, id)
	return nil
}

// unlock deletes the failed sign-ins of a user and reports whether there were any, which it records.
func (a *Accounts) unlock(ctx context.Context, by user.ID, u *user.User) (bool, error) {
	n, err := a.ports.Attempts.DeleteOf(ctx, lockout.ForAccount(u.Snapshot().EmailKey))
	if err == nil && n > 0 {
		a.Record(ctx, audit.Event{Kind: audit.Unlocked, Actor: by, User: u.ID()})
	}
	return n > 0, err
}

// confirm checks the user's current password (ASVS 6.2.3, 7.5.1). Wrong ones are counted as failed sign-ins are,
// since passwords could be guessed here as well.
func (a *Accounts) confirm(ctx context.Context, u *user.User, current field.Text) error {
	s, ok, faults := a.currentRule().Check(current)
	if !ok || len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	var fits bool
	err := a.guard.attempt(ctx, trial{
		account: lockout.ForAccount(u.Snapshot().EmailKey),
		known:   func(network string) (bool, error) { return u.SignedInFrom(network, a.ports.Clock.Now()), nil },
		check: func() (bool, error) {
			tried, err := a.ports.Hasher.Verify(ctx, credential.NewPassword(s), u.Password())
			fits = tried.Fits // a refusal need not wait: the caller is signed in as this user
			if err == nil && !fits {
				a.Record(ctx, audit.Event{Kind: audit.SignInFailed, Actor: u.ID(), User: u.ID(), Detail: "wrong current password"})
			}
			return fits, err
		},
		locked: func(what string) {
			a.Record(ctx, audit.Event{Kind: audit.Locked, Actor: u.ID(), User: u.ID(), Detail: what})
		},
	})
	if err == nil && !fits {
		err = credential.ErrWrongPassword
	}
	return err
}

func (a *Accounts) currentRule() field.Rule {
	return credential.Member("current_password", true, !a.settings.Passwords.Trim, 0)
}
