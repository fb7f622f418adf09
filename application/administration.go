package application

import (
	"context"
	"strings"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Administration implements the use cases of the operator. It applies the rules of Accounts, except for rights.
type Administration struct{ accounts *Accounts }

var _ inbound.Administration = (*Administration)(nil)

// NewAdministration returns the use cases on those of accounts.
func NewAdministration(a *Accounts) *Administration { return &Administration{a} }

func (m *Administration) Create(ctx context.Context, in inbound.UserInput) (*user.User, error) {
	if !in.Email.Present() {
		_, _, faults := user.EmailRule(true).Check(in.Email)
		return nil, fault.ErrInvalid.With(faults...)
	}
	parsed, err := m.accounts.parse(ctx, in, noField, nil, false)
	if err != nil {
		return nil, err
	}
	if parsed.active, parsed.staff, err = parseFlags(in); err != nil {
		return nil, err
	}
	return m.accounts.add(ctx, "", parsed, user.EmailUnverified, false)
}

func (m *Administration) CheckInput(ctx context.Context, in inbound.UserInput, u *user.User) error {
	_, err := m.accounts.parse(ctx, in, noField, u, false)
	return err
}

func (m *Administration) PasswordRules() string { return m.accounts.passwords.Policy.String() }

func (m *Administration) HasAdministrator(ctx context.Context) (bool, error) {
	yes := true
	q := user.Query{Filter: user.Filter{Active: &yes, Staff: &yes}, Order: user.Ordering(string(user.SortID)), Limit: 1}
	found, err := m.accounts.ports.Users.List(ctx, q)
	return len(found) > 0, err
}

func (m *Administration) Find(ctx context.Context, idOrEmail string) (*user.User, error) {
	if strings.Contains(idOrEmail, "@") {
		e, err := user.ParseEmail(idOrEmail, m.accounts.ports.Domains.ToASCII)
		if err != nil {
			return nil, user.ErrNotFound
		}
		return m.accounts.ports.Users.ByEmail(ctx, e.Key())
	}
	id, err := user.ParseID(idOrEmail)
	if err != nil {
		return nil, err
	}
	return m.accounts.ports.Users.Get(ctx, id)
}

// pageSize is how many users or sessions are read at once, which bounds the memory.
const pageSize = 500

func (m *Administration) Each(ctx context.Context, q user.Query, visit func(*user.User) error) error {
	left := q.Limit // 0 or less: no limit
	for {
		q.Limit = pageSize
		if left > 0 {
			q.Limit = min(left, pageSize)
		}
		users, err := m.accounts.ports.Users.List(ctx, q)
		if err != nil {
			return err
		}
		for _, u := range users {
			if err := visit(u); err != nil {
				return err
			}
		}
		if left -= len(users); len(users) < q.Limit || left == 0 {
			return nil
		}
		last := users[len(users)-1].Position()
		q.From, q.Offset = &last, 0
	}
}

func (m *Administration) EachSession(ctx context.Context, u *user.User, visit func(*session.Session) error) error {
	return m.accounts.eachSession(ctx, u, visit)
}

func (m *Administration) SignInStatus(ctx context.Context, u *user.User) (inbound.SignInStatus, error) {
	return m.accounts.signInStatus(ctx, u)
}

func (m *Administration) Set(ctx context.Context, id user.ID, s inbound.AdminChanges) (*user.User, error) {
	u, err := m.accounts.ports.Users.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	in := inbound.UserInput{Email: s.Email, FirstName: s.FirstName, LastName: s.LastName}
	parsed, err := m.accounts.parse(ctx, in, noField, u, false)
	if err != nil {
		return nil, err
	}
	parsed.active, parsed.staff = s.Active, s.Staff
	now := m.accounts.ports.Clock.Now()
	return m.accounts.update(ctx, "", id, func(u *user.User) error {
		if s.AllowLastStaff {
			u.AllowLastStaff()
		}
		parsed.apply(u, now)
		parsed.applyFlags(u, now, m.accounts.settings.Rules)
		return nil
	})
}

func (m *Administration) SetPassword(ctx context.Context, id user.ID, password field.Text) error {
	u, err := m.accounts.ports.Users.Get(ctx, id)
	if err != nil {
		return err
	}
	if !password.Present() {
		_, _, faults := credential.FieldRule(user.FieldPassword, true, true, 0).Check(password)
		return fault.ErrInvalid.With(faults...)
	}
	parsed, err := m.accounts.parse(ctx, inbound.UserInput{Password: password}, noField, u, false)
	if err != nil {
		return err
	}
	hash, err := m.accounts.ports.Hasher.Hash(ctx, *parsed.password)
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

func (m *Administration) Unlock(ctx context.Context, id user.ID) (bool, error) {
	u, err := m.accounts.ports.Users.Get(ctx, id)
	if err != nil {
		return false, err
	}
	return m.accounts.unlock(ctx, "", u)
}

func (m *Administration) Delete(ctx context.Context, id user.ID, allowLastStaff bool) error {
	return m.accounts.delete(ctx, "", id, func(u *user.User) error {
		if allowLastStaff {
			u.AllowLastStaff()
		}
		return nil
	})
}
