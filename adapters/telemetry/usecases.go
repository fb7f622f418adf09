package telemetry

import (
	"context"

	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

type accounts struct {
	next inbound.Accounts
	o    Observer
}

// Accounts returns a, observed.
func (o Observer) Accounts(a inbound.Accounts) inbound.Accounts { return accounts{a, o} }

func (a accounts) Register(
	ctx context.Context, actor inbound.Actor, read func() (inbound.UserInput, error),
) (*user.User, error) {
	return observed(ctx, a.o, UseCase, "register", func(ctx context.Context) (*user.User, error) { return a.next.Register(ctx, actor, read) })
}

func (a accounts) List(ctx context.Context, actor inbound.Actor, q inbound.UserQuery) ([]*user.User, error) {
	return observed(ctx, a.o, UseCase, "list_users", func(ctx context.Context) ([]*user.User, error) { return a.next.List(ctx, actor, q) })
}

func (a accounts) Count(ctx context.Context, actor inbound.Actor, q inbound.UserQuery) (int, error) {
	return observed(ctx, a.o, UseCase, "count_users", func(ctx context.Context) (int, error) { return a.next.Count(ctx, actor, q) })
}

func (a accounts) Get(ctx context.Context, actor inbound.Actor, id user.ID) (*user.User, error) {
	return observed(ctx, a.o, UseCase, "get_user", func(ctx context.Context) (*user.User, error) { return a.next.Get(ctx, actor, id) })
}

func (a accounts) MayChange(ctx context.Context, actor inbound.Actor, id user.ID) error {
	return a.o.observe(ctx, UseCase, "may_change_user", func(ctx context.Context) error { return a.next.MayChange(ctx, actor, id) })
}

func (a accounts) Change(
	ctx context.Context, actor inbound.Actor, id user.ID, read func() (inbound.Changes, error),
) (*user.User, error) {
	return observed(ctx, a.o, UseCase, "change_user", func(ctx context.Context) (*user.User, error) {
		return a.next.Change(ctx, actor, id, read)
	})
}

func (a accounts) ChangePassword(ctx context.Context, actor inbound.Actor, in inbound.PasswordChange) error {
	return a.o.observe(ctx, UseCase, "change_password", func(ctx context.Context) error { return a.next.ChangePassword(ctx, actor, in) })
}

func (a accounts) SignInStatus(ctx context.Context, actor inbound.Actor, id user.ID) (inbound.SignInStatus, error) {
	return observed(ctx, a.o, UseCase, "sign_in_status", func(ctx context.Context) (inbound.SignInStatus, error) {
		return a.next.SignInStatus(ctx, actor, id)
	})
}

func (a accounts) Unlock(ctx context.Context, actor inbound.Actor, id user.ID) (bool, error) {
	return observed(ctx, a.o, UseCase, "unlock_user", func(ctx context.Context) (bool, error) { return a.next.Unlock(ctx, actor, id) })
}

func (a accounts) Delete(ctx context.Context, actor inbound.Actor, id user.ID, read func() (inbound.Deletion, error)) error {
	return a.o.observe(ctx, UseCase, "delete_user", func(ctx context.Context) error { return a.next.Delete(ctx, actor, id, read) })
}

type authentication struct {
	next inbound.Authentication
	o    Observer
}

// Authentication returns a, observed.
func (o Observer) Authentication(a inbound.Authentication) inbound.Authentication {
	return authentication{a, o}
}

func (a authentication) SignIn(ctx context.Context, in inbound.SignIn) (inbound.TokenPair, error) {
	return observed(ctx, a.o, UseCase, "sign_in", func(ctx context.Context) (inbound.TokenPair, error) { return a.next.SignIn(ctx, in) })
}

func (a authentication) Refresh(ctx context.Context, token field.Text) (inbound.TokenPair, error) {
	return observed(ctx, a.o, UseCase, "refresh", func(ctx context.Context) (inbound.TokenPair, error) { return a.next.Refresh(ctx, token) })
}

func (a authentication) Verify(ctx context.Context, token field.Text) error {
	return a.o.observe(ctx, UseCase, "verify", func(ctx context.Context) error { return a.next.Verify(ctx, token) })
}

func (a authentication) SignOut(ctx context.Context, token field.Text) error {
	return a.o.observe(ctx, UseCase, "sign_out", func(ctx context.Context) error { return a.next.SignOut(ctx, token) })
}

func (a authentication) Authenticate(ctx context.Context, token string) (inbound.Actor, error) {
	return observed(ctx, a.o, UseCase, "authenticate", func(ctx context.Context) (inbound.Actor, error) {
		return a.next.Authenticate(ctx, token)
	})
}

type browserSessions struct {
	next inbound.BrowserSessions
	o    Observer
}

// BrowserSessions returns b, observed.
func (o Observer) BrowserSessions(b inbound.BrowserSessions) inbound.BrowserSessions {
	return browserSessions{b, o}
}

func (b browserSessions) Begin(ctx context.Context, in inbound.SignIn, previous string) (inbound.BrowserSession, error) {
	return observed(ctx, b.o, UseCase, "begin_browser_session", func(ctx context.Context) (inbound.BrowserSession, error) {
		return b.next.Begin(ctx, in, previous)
	})
}

func (b browserSessions) Authenticate(ctx context.Context, value string) (inbound.BrowserSession, error) {
	return observed(ctx, b.o, UseCase, "authenticate_browser", func(ctx context.Context) (inbound.BrowserSession, error) {
		return b.next.Authenticate(ctx, value)
	})
}

func (b browserSessions) End(ctx context.Context, value string) error {
	return b.o.observe(ctx, UseCase, "end_browser_session", func(ctx context.Context) error { return b.next.End(ctx, value) })
}

type userSessions struct {
	next inbound.Sessions
	o    Observer
}

// UserSessions returns s, observed.
func (o Observer) UserSessions(s inbound.Sessions) inbound.Sessions { return userSessions{s, o} }

func (s userSessions) List(ctx context.Context, actor inbound.Actor, q session.Query) ([]*session.Session, error) {
	return observed(ctx, s.o, UseCase, "list_sessions", func(ctx context.Context) ([]*session.Session, error) {
		return s.next.List(ctx, actor, q)
	})
}

func (s userSessions) End(ctx context.Context, actor inbound.Actor, id session.ID) error {
	return s.o.observe(ctx, UseCase, "end_session", func(ctx context.Context) error { return s.next.End(ctx, actor, id) })
}

func (s userSessions) EndAll(ctx context.Context, actor inbound.Actor, owner user.ID) error {
	return s.o.observe(ctx, UseCase, "end_sessions", func(ctx context.Context) error { return s.next.EndAll(ctx, actor, owner) })
}

type events struct {
	next inbound.Trail
	o    Observer
}

// Trail returns t, observed.
func (o Observer) Trail(t inbound.Trail) inbound.Trail { return events{t, o} }

func (e events) Events(ctx context.Context, actor inbound.Actor, read func() (audit.Query, error)) ([]audit.Event, error) {
	return observed(ctx, e.o, UseCase, "list_events", func(ctx context.Context) ([]audit.Event, error) {
		return e.next.Events(ctx, actor, read)
	})
}

func (e events) DoneToMe(ctx context.Context, actor inbound.Actor, limit int) ([]audit.Event, error) {
	return observed(ctx, e.o, UseCase, "list_own_events", func(ctx context.Context) ([]audit.Event, error) {
		return e.next.DoneToMe(ctx, actor, limit)
	})
}
