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

func (a *Accounts) Change(ctx context.Context, actor inbound.Actor, id user.ID, read func() (inbound.Changes, error)) (*user.User, error) {
	before, err := a.find(ctx, actor, opChange, id)
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
	// The current password is checked before the new address, since the answer reveals whether an address is taken.
	needsCurrent := a.settings.Passwords.RequireCurrent && actor.Is(id)
	verified := false
	if needsCurrent && a.changesEmail(in.Email, before) {
		if err := a.checkCurrentPassword(ctx, before, in.CurrentPassword); err != nil {
			return nil, err
		}
		needsCurrent, verified = false, true
	}
	parsed, err := a.parse(ctx, in.UserInput, requirementOf(in), before, actor.Is(id) && a.provesEmail() && a.hidesRegistered(actor))
	if err != nil {
		return nil, err
	}
	if needsCurrent && parsed.password != nil {
		if err := a.checkCurrentPassword(ctx, before, in.CurrentPassword); err != nil {
			return nil, err
		}
		verified = true
	}
	if actor.Staff() {
		if parsed.active, parsed.staff, err = parseFlags(in.UserInput); err != nil {
			return nil, err
		}
	}
	return a.store(ctx, actor, id, parsed, in.Versions, a.settings.Rules.KeepCurrent && actor.Is(id), verified)
}

func (a *Accounts) ChangePassword(ctx context.Context, actor inbound.Actor, in inbound.PasswordChange) error {
	if actor.Anonymous() {
		return inbound.ErrNoCredentials
	}
	pw, faults := a.passwordFields(fieldNewPassword, in.NewPassword, true)
	var err error
	if in.CurrentFirst {
		faults, err = merge(faults, a.checkCurrentPassword(ctx, actor.User, in.Current))
	}
	if err == nil && len(faults) == 0 {
		faults, err = merge(nil, a.checkStrength(ctx, fieldNewPassword, *pw, in.NewPassword, parsedInput{}.owner(actor.User)))
	}
	if err != nil {
		return err
	}
	if !in.CurrentFirst {
		_, _, more := a.currentPasswordRule().Check(in.Current)
		faults = append(more, faults...)
	}
	if len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	if !in.CurrentFirst {
		if err := a.checkCurrentPassword(ctx, actor.User, in.Current); err != nil {
			return err
		}
	}
	_, err = a.store(ctx, actor, actor.User.ID(), parsedInput{password: pw}, nil, true, true)
	return err
}

// store applies a change. With keep, the session of the request stays valid after a change of the password. verified says
// that the actor gave its password with the request, which counts as a recent sign-in.
func (a *Accounts) store(
	ctx context.Context, actor inbound.Actor, id user.ID, in parsedInput, versions []int64, keep, verified bool,
) (after *user.User, err error) {
	var hash credential.Hash
	if in.password != nil {
		if hash, err = a.ports.Hasher.Hash(ctx, *in.password); err != nil {
			return nil, err
		}
	}
	// A client controls how long its body takes to read, so the actor's rights are checked again.
	now := a.ports.Clock.Now()
	if actor, err = a.ports.reauthenticate(ctx, actor, now, a.settings.Rules); err != nil {
		return nil, err
	}
	if err := a.settings.Access.allow(actor, opChange, id); err != nil {
		return nil, err
	}
	if (in.active != nil || in.staff != nil) && !actor.Staff() {
		return nil, inbound.ErrForbidden
	}
	recent := requireRecentSignIn(actor, now)
	if verified {
		recent = nil
	}
	if in.password != nil && recent != nil { // the browser may be unattended, and the password is the key of the account
		return nil, recent
	}
	after, err = a.update(ctx, actor.ID(), id, func(u *user.User) error {
		if actor.Is(id) && (!u.Active() || u.SessionEpoch() != actor.User.SessionEpoch()) {
			return session.ErrTokenInvalid
		}
		if err := checkVersion(u, versions); err != nil {
			return err
		}
		rights := in.staff != nil && *in.staff != u.Staff()
		if address := in.email != nil && in.email.Key() != u.Snapshot().EmailKey; recent != nil && (rights || address) {
			return recent // a mail to a new address can set a new password
		}
		direct := in
		if e := in.email; e != nil && actor.Is(id) && a.provesEmail() && e.Key() != u.Snapshot().EmailKey {
			u.RequestEmail(*e, now)
			direct.email = nil
		}
		direct.apply(u, now)
		in.applyFlags(u, now, a.settings.Rules)
		if in.password != nil {
			u.ChangePassword(hash, now)
			if keep && actor.Session == "" && !actor.Issued.IsZero() {
				// There is no session to keep. Tokens issued at the same time as this one or later stay valid.
				u.KeepTokensIssuedSince(actor.Issued.Add(-a.settings.Rules.Leeway))
			}
		}
		return nil
	})
	if err != nil || in.password == nil {
		return after, err
	}
	// The password is changed. A failure of the next steps does not undo that: the lockout of the account expires,
	// and a user without a session can sign in again.
	if !actor.Is(id) {
		_, _ = a.unlock(ctx, actor.ID(), after)
	}
	if keep && actor.Session != "" {
		_, _ = a.ports.Sessions.Update(ctx, actor.Session, func(s *session.Session) error {
			if s.Current(actor.User) {
				s.RenewEpoch(after)
			}
			return nil
		})
	}
	return after, nil
}

// provesEmail reports whether the new address of a user counts only when it is proven.
func (a *Accounts) provesEmail() bool {
	return a.settings.Mail.On && a.settings.Mail.Verification == VerificationRequired
}

// hidesRegistered reports whether answers to actor must not show which addresses have accounts.
func (a *Accounts) hidesRegistered(actor inbound.Actor) bool {
	return a.settings.Mail.On && a.settings.Mail.HideRegistered && !actor.Staff()
}

// update changes a user and records the change. by is the acting user, or "" for the operator.
func (a *Accounts) update(ctx context.Context, by, id user.ID, change func(*user.User) error) (*user.User, error) {
	return a.UpdateUser(ctx, a.ports.Users, by, id, change)
}

// delete deletes a user and records it. by is the acting user, or "" for the operator. The user is deleted first,
// which invalidates its tokens and sessions. The error of deleting the session records is ignored, since they are
// swept when they expire.
func (a *Accounts) delete(ctx context.Context, by, id user.ID, check func(*user.User) error) error {
	e := audit.Event{Kind: audit.Deleted, Actor: by, User: id}
	err := a.ports.Users.Delete(ctx, id, func(u *user.User) error {
		e.Detail = ""
		if u.Staff() {
			e.Detail = flagDetail(user.FieldStaff, false)
		}
		return check(u)
	}, a.events(ctx, func() []audit.Event { return []audit.Event{e} }))
	if err != nil {
		return err
	}
	_ = a.ports.Sessions.DeleteOf(ctx, id)
	return nil
}

// unlock deletes the failed sign-ins of a user, records that, and reports whether there were any.
func (a *Accounts) unlock(ctx context.Context, by user.ID, u *user.User) (bool, error) {
	n, err := a.ports.Attempts.DeleteOf(ctx, lockout.ForAccount(u.Snapshot().EmailKey))
	if err == nil && n > 0 {
		a.Record(ctx, audit.Event{Kind: audit.Unlocked, Actor: by, User: u.ID()})
	}
	return n > 0, err
}

// checkCurrentPassword verifies the user's current password (ASVS 6.2.3, 7.5.1). A wrong one counts as a failed
// sign-in, since it could be guessed here too.
func (a *Accounts) checkCurrentPassword(ctx context.Context, u *user.User, current field.Text) error {
	s, ok, faults := a.currentPasswordRule().Check(current)
	if !ok || len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	var fits bool
	err := a.guard.attempt(ctx, passwordAttempt{
		account:      lockout.ForAccount(u.Snapshot().EmailKey),
		knownNetwork: func(network string) (bool, error) { return u.SignedInFrom(network, a.ports.Clock.Now()), nil },
		check: func() (bool, error) {
			tried, err := a.ports.Hasher.Verify(ctx, credential.NewPassword(s), u.Password())
			fits = tried.Matches // a refusal need not be delayed: the actor is this user
			if err == nil && !fits {
				a.Record(ctx, audit.Event{Kind: audit.SignInFailed, Actor: u.ID(), User: u.ID(), Detail: "wrong current password"})
			}
			return fits, err
		},
		onLocked: func(detail string) {
			a.Record(ctx, audit.Event{Kind: audit.Locked, Actor: u.ID(), User: u.ID(), Detail: detail})
		},
	})
	if err == nil && !fits {
		err = credential.ErrWrongPassword
	}
	return err
}

func (a *Accounts) currentPasswordRule() field.Rule {
	return credential.FieldRule("current_password", true, !a.settings.Passwords.Trim, 0)
}
