package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

func (a *Accounts) SignInStatus(ctx context.Context, actor inbound.Actor, id user.ID) (inbound.SignInStatus, error) {
	if err := requireStaff(actor); err != nil {
		return inbound.SignInStatus{}, err
	}
	u, err := a.ports.Users.Get(ctx, id)
	if err != nil {
		return inbound.SignInStatus{}, err
	}
	return a.signInStatus(ctx, u)
}

func (a *Accounts) Unlock(ctx context.Context, actor inbound.Actor, id user.ID) (bool, error) {
	actor, err := a.ports.staff(ctx, actor, a.settings.Rules)
	if err != nil {
		return false, err
	}
	u, err := a.ports.Users.Get(ctx, id)
	if err != nil {
		return false, err
	}
	return a.unlock(ctx, actor.ID(), u)
}

// signInStatus returns the sessions and failed sign-ins of u. Lockout records contain digests of networks, so the network of
// the last failure comes from the audit trail.
func (a *Accounts) signInStatus(ctx context.Context, u *user.User) (inbound.SignInStatus, error) {
	var out inbound.SignInStatus
	err := a.eachSession(ctx, u, func(*session.Session) error {
		out.Sessions++
		return nil
	})
	if err != nil {
		return out, err
	}
	q := audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.SignInFailed}, User: u.ID()}, Limit: 1}
	failed, err := a.ports.AuditTrail.List(ctx, q)
	if err != nil {
		return out, err
	}
	account := lockout.ForAccount(u.Snapshot().EmailKey)
	out.Failures, out.LockedUntil, err = a.guard.status(ctx, account.FromNewNetworks(), a.guard.rules.NewNetworks)
	if err != nil || len(failed) == 0 {
		return out, err
	}
	out.LastFailure, out.FailedFrom = failed[0].At, failed[0].Address
	n, until, err := a.guard.status(ctx, account.At(lockout.Network(out.FailedFrom)), a.guard.rules.Account)
	out.Failures = max(out.Failures, n)
	if until.After(out.LockedUntil) {
		out.LockedUntil = until
	}
	return out, err
}

// eachSession calls visit with each live session of u, newest first, until it fails.
func (a *Accounts) eachSession(ctx context.Context, u *user.User, visit func(*session.Session) error) error {
	q := session.Query{Owner: u.ID(), LiveAt: a.ports.Clock.Now(), Epoch: u.SessionEpoch(), Limit: pageSize}
	for {
		sessions, err := a.ports.Sessions.List(ctx, q)
		if err != nil {
			return err
		}
		for _, s := range sessions {
			if err := visit(s); err != nil {
				return err
			}
		}
		if len(sessions) < pageSize {
			return nil
		}
		at := sessions[len(sessions)-1].Position()
		q.From = &at
	}
}
