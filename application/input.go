package application

import (
	"context"
	"errors"
	"slices"
	"time"

	"roster/domain/credential"
	"roster/domain/guessable"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Passwords says how passwords are taken.
type Passwords struct {
	Policy        credential.Policy
	Trim          bool // blanks at the ends are cut, as DRF does
	MaxLength     int  // most characters of a new password
	CurrentNeeded bool // changing one's own password or email takes the current password
}

// parsedInput is the checked form of a UserInput. Nil members were not given.
type parsedInput struct {
	email               *user.Email
	password            *credential.Password
	firstName, lastName *string
	active, staff       *bool
}

// fieldNewPassword is how callers spell the password that is to replace another.
const fieldNewPassword = "new_password"

// renamed returns the faults of an invalid input with those of the member name under another name;
// nil when err is anything else.
func renamed(err error, name, as string) []fault.Field {
	invalid, ok := errors.AsType[*fault.Error](err)
	if !ok || !errors.Is(err, fault.ErrInvalid) {
		return nil
	}
	faults := slices.Clone(invalid.Fields)
	for i := range faults {
		if faults[i].Name == name {
			faults[i].Name = as
		}
	}
	return faults
}

// flags checks the members that only administrators may change.
func flags(in inbound.UserInput) (active, staff *bool, err error) {
	active, faults := field.CheckFlag(user.FieldActive, in.Active)
	staff, more := field.CheckFlag(user.FieldStaff, in.Staff)
	if faults = append(faults, more...); len(faults) > 0 {
		err = fault.ErrInvalid.With(faults...)
	}
	return active, staff, err
}

// applyFlags makes the changes of flags that were given to u at now.
func (in parsedInput) applyFlags(u *user.User, now time.Time, r session.Rules) {
	if in.active != nil {
		if u.Active() && !*in.active && r.Immediate {
			u.EndSessions(now) // so that letting in again does not bring old tokens back to life
		}
		u.SetActive(*in.active)
	}
	if in.staff != nil {
		u.SetStaff(*in.staff)
	}
}

// parser turns input into domain values.
type parser struct {
	users     outbound.Users
	domains   outbound.Domains
	breached  outbound.BreachedPasswords // nil for none
	passwords Passwords
}

// parse checks every member and returns all faults together, in DRF's order of members. self is the
// user whom the input is about, nil for a new one. As in DRF the strength of a password is judged
// only when every member is well-formed, since it is judged against the user as it is going to be.
func (p *parser) parse(ctx context.Context, in inbound.UserInput, whole bool, self *user.User) (parsedInput, error) {
	var (
		out    parsedInput
		faults []fault.Field
	)
	email, fs, err := p.email(ctx, in.Email, whole, self)
	if err != nil {
		return out, err
	}
	out.email = email
	faults = append(faults, fs...)

	if s, ok, fs := credential.Member(user.FieldPassword, whole, !p.passwords.Trim, p.passwords.MaxLength).Check(in.Password); ok || len(fs) > 0 {
		faults = append(faults, fs...)
		pw := credential.NewPassword(s)
		out.password = &pw
	}
	for _, n := range []struct {
		member string
		in     field.Text
		out    **string
	}{
		{user.FieldFirstName, in.FirstName, &out.firstName},
		{user.FieldLastName, in.LastName, &out.lastName},
	} {
		s, ok, fs := user.NameRule(n.member, whole).Check(n.in)
		faults = append(faults, fs...)
		if ok {
			*n.out = &s
		}
	}
	if len(faults) > 0 {
		return out, fault.ErrInvalid.With(faults...)
	}
	if out.password != nil {
		if fs := p.passwords.Policy.Judge(user.FieldPassword, *out.password, out.owner(self)); len(fs) > 0 {
			return out, fault.ErrInvalid.With(fs...)
		}
		if err := p.notBreached(ctx, *out.password); err != nil {
			return out, err
		}
	}
	return out, nil
}

// notBreached comes last, since it may ask another service.
func (p *parser) notBreached(ctx context.Context, pw credential.Password) error {
	if p.breached == nil {
		return nil
	}
	found, err := p.breached.Breached(ctx, pw)
	if err == nil && found {
		err = fault.ErrInvalid.With(credential.BreachedField(user.FieldPassword))
	}
	return err
}

// moves reports whether the address given is another than that of self. What is no address is none.
func (p *parser) moves(in field.Text, self *user.User) bool {
	s, ok, faults := user.EmailRule(false).Check(in)
	if !ok || len(faults) > 0 {
		return false
	}
	e, err := user.ParseEmail(s, p.domains.ToASCII)
	return err == nil && e.Key() != self.Snapshot().EmailKey
}

func (p *parser) email(ctx context.Context, in field.Text, required bool, self *user.User) (*user.Email, []fault.Field, error) {
	s, ok, faults := user.EmailRule(required).Check(in)
	if !ok {
		return nil, faults, nil
	}
	e, err := user.ParseEmail(s, p.domains.ToASCII)
	if err != nil {
		return nil, append(faults, fault.Field{Name: user.FieldEmail, Code: "invalid", Message: user.ErrBadEmail.Message}), nil
	}
	if len(faults) > 0 {
		return nil, faults, nil
	}
	switch other, err := p.users.ByEmail(ctx, e.Key()); {
	case errors.Is(err, user.ErrNotFound):
	case err != nil:
		return nil, nil, err
	case self == nil || other.ID() != self.ID():
		return nil, slices.Clone(user.ErrEmailTaken.Fields), nil
	}
	return &e, nil, nil
}

// owner returns what the password is compared with: the user as it is going to be.
func (in parsedInput) owner(self *user.User) guessable.Owner {
	var o guessable.Owner
	if self != nil {
		s := self.Snapshot()
		o = guessable.Owner{FirstName: s.FirstName, LastName: s.LastName, Email: s.Email}
	}
	if in.email != nil {
		o.Email = in.email.String()
	}
	if in.firstName != nil {
		o.FirstName = *in.firstName
	}
	if in.lastName != nil {
		o.LastName = *in.lastName
	}
	return o
}

// apply makes the changes that were given, but for the password, to u.
func (in parsedInput) apply(u *user.User) {
	if in.email != nil {
		u.ChangeEmail(*in.email)
	}
	s := u.Snapshot()
	first, last := s.FirstName, s.LastName
	if in.firstName != nil {
		first = *in.firstName
	}
	if in.lastName != nil {
		last = *in.lastName
	}
	u.Rename(first, last)
}
