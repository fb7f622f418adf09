package application

import (
	"context"
	"strings"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Administration is the operator's use cases. It shares the rules with Accounts and leaves out the
// question who asks.
type Administration struct{ accounts *Accounts }

var _ inbound.Administration = (*Administration)(nil)

// NewAdministration returns the use cases over those of accounts.
func NewAdministration(a *Accounts) *Administration { return &Administration{a} }

// CreateSuperuser implements inbound.Administration.
func (m *Administration) CreateSuperuser(ctx context.Context, in inbound.UserInput) (*user.User, error) {
	return m.accounts.register(ctx, "", in, true)
}

// Find implements inbound.Administration.
func (m *Administration) Find(ctx context.Context, who string) (*user.User, error) {
	if strings.Contains(who, "@") {
		e, err := user.ParseEmail(who, m.accounts.ports.Domains.ToASCII)
		if err != nil {
			return nil, user.ErrNotFound
		}
		return m.accounts.ports.Users.ByEmail(ctx, e.Key())
	}
	id, err := user.ParseID(who)
	if err != nil {
		return nil, err
	}
	return m.accounts.ports.Users.Get(ctx, id)
}

// eachPage is how many users Each reads at once: few enough for flat memory.
const eachPage = 500

// Each implements inbound.Administration.
func (m *Administration) Each(ctx context.Context, f user.Filter, visit func(*user.User) error) error {
	q := user.Query{Filter: f, Order: user.Ordering(string(user.SortJoined)), Limit: eachPage}
	for {
		users, err := m.accounts.ports.Users.List(ctx, q)
		if err != nil {
			return err
		}
		for _, u := range users {
			if err := visit(u); err != nil {
				return err
			}
		}
		if len(users) < eachPage {
			return nil
		}
		at := users[len(users)-1].Position()
		q.From = &at
	}
}

// Set implements inbound.Administration.
func (m *Administration) Set(ctx context.Context, id user.ID, s inbound.Settings) (*user.User, error) {
	u, err := m.accounts.ports.Users.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	in := inbound.UserInput{Email: s.Email, FirstName: s.FirstName, LastName: s.LastName}
	who, err := m.accounts.parse(ctx, in, false, u)
	if err != nil {
		return nil, err
	}
	who.active, who.staff = s.Active, s.Staff
	now := m.accounts.ports.Clock.Now()
	return m.accounts.update(ctx, "", id, func(u *user.User) error {
		if s.AllowLastStaff {
			u.AllowLastStaff()
		}
		who.apply(u)
		who.applyFlags(u, now, m.accounts.settings.Rules)
		return nil
	})
}

// SetPassword implements inbound.Administration.
func (m *Administration) SetPassword(ctx context.Context, id user.ID, password field.Text) error {
	u, err := m.accounts.ports.Users.Get(ctx, id)
	if err != nil {
		return err
	}
	if !password.Present() {
		_, _, faults := credential.Member(user.FieldPassword, true, true, 0).Check(password)
		return fault.ErrInvalid.With(faults...)
	}
	who, err := m.accounts.parse(ctx, inbound.UserInput{Password: password}, false, u)
	if err != nil {
		return err
	}
	hash, err := m.accounts.ports.Hasher.Hash(ctx, *who.password)
	if err != nil {
		return err
	}
	now := m.accounts.ports.Clock.Now()
	u, err = m.accounts.update(ctx, "", id, func(u *user.User) error {
		u.ChangePassword(hash, now)
		return nil
	})
	if err != nil {
		return err
	}
	_, err = m.accounts.unlock(ctx, "", u)
	return err
}

// Unlock implements inbound.Administration.
func (m *Administration) Unlock(ctx context.Context, id user.ID) (bool, error) {
	u, err := m.accounts.ports.Users.Get(ctx, id)
	if err != nil {
		return false, err
	}
	return m.accounts.unlock(ctx, "", u)
}

// Delete implements inbound.Administration.
func (m *Administration) Delete(ctx context.Context, id user.ID, allowLastStaff bool) error {
	return m.accounts.delete(ctx, "", id, func(u *user.User) error {
		if allowLastStaff {
			u.AllowLastStaff()
		}
		return nil
	})
}
