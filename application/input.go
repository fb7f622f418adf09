package application

import (
	"context"
	"errors"
	"slices"
	"time"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/guessable"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Passwords are the settings of passwords.
type Passwords struct {
	Policy         credential.Policy
	Trim           bool // remove white space at both ends, as DRF does
	MaxLength      int  // maximum length of a new password in characters
	RequireCurrent bool // users need the current password to change their password or email address
}

// parsedInput is a checked UserInput. Absent fields are nil.
type parsedInput struct {
	email               *user.Email
	password            *credential.Password
	firstName, lastName *string
	locale              *string // "" removes it
	active, staff       *bool
}

// requirement is which fields of an input must be given.
type requirement int

const (
	noField requirement = iota
	names
	allFields
)

func requirementOf(in inbound.Changes) requirement {
	switch {
	case in.Full && in.NamesOnly:
		return names
	case in.Full:
		return allFields
	}
	return noField
}

// parseFlags checks the fields that only staff may change.
func parseFlags(in inbound.UserInput) (active, staff *bool, err error) {
	active, faults := field.CheckFlag(user.FieldActive, in.Active)
	staff, more := field.CheckFlag(user.FieldStaff, in.Staff)
	if faults = append(faults, more...); len(faults) > 0 {
		err = fault.ErrInvalid.With(faults...)
	}
	return active, staff, err
}

// applyFlags applies the flags to u at now.
func (in parsedInput) applyFlags(u *user.User, now time.Time, r session.Rules) {
	if in.active != nil {
		if u.Active() && !*in.active && r.Immediate {
			u.EndSessions(now) // so that a later reactivation does not make old tokens valid again
		}
		u.SetActive(*in.active)
	}
	if in.staff != nil {
		u.SetStaff(*in.staff)
	}
}

// parser parses input into domain values.
type parser struct {
	users     outbound.Users
	domains   outbound.Domains
	breached  outbound.BreachedPasswords // nil for none
	passwords Passwords
}

// parse checks every field and returns all faults together, in DRF's order of fields. self is the user that the input is
// about, or nil for a new one. With hide, it does not look whether another user has the address. As in DRF, the
// strength of a password is checked only when every field is well-formed, since it is compared with the fields of the user after
// the change.
func (p *parser) parse(ctx context.Context, in inbound.UserInput, need requirement, self *user.User, hide bool) (parsedInput, error) {
	var (
		out    parsedInput
		faults []fault.Field
	)
	email, fs, err := p.parseEmail(ctx, in.Email, need == allFields, self, hide)
	if err != nil {
		return out, err
	}
	out.email = email
	faults = append(faults, fs...)

	password := inbound.NewPassword{Password: in.Password, Retyped: in.Retyped, Retype: in.Retype}
	out.password, fs = p.passwordFields(user.FieldPassword, password, need == allFields)
	faults = append(faults, fs...)
	for _, n := range []struct {
		member string
		in     field.Text
		out    **string
	}{
		{user.FieldFirstName, in.FirstName, &out.firstName},
		{user.FieldLastName, in.LastName, &out.lastName},
	} {
		s, ok, fs := user.NameRule(n.member, need != noField && !in.NamesOptional).Check(n.in)
		faults = append(faults, fs...)
		if ok {
			*n.out = &s
		}
	}
	out.locale, fs = user.CheckLocale(in.Locale)
	if faults = append(faults, fs...); len(faults) > 0 {
		return out, fault.ErrInvalid.With(faults...)
	}
	if out.password == nil {
		return out, nil
	}
	return out, p.checkStrength(ctx, user.FieldPassword, *out.password, password, out.owner(self))
}

// changesEmail reports whether the input contains a valid address other than that of self.
func (p *parser) changesEmail(in field.Text, self *user.User) bool {
	s, ok, faults := user.EmailRule(false).Check(in)
	if !ok || len(faults) > 0 {
		return false
	}
	e, err := user.ParseEmail(s, p.domains.ToASCII)
	return err == nil && e.Key() != self.Snapshot().EmailKey
}

func (p *parser) parseEmail(
	ctx context.Context, in field.Text, required bool, self *user.User, hide bool,
) (*user.Email, []fault.Field, error) {
	e, faults := p.parseAddress(user.FieldEmail, in, required)
	if e == nil || hide {
		return e, faults, nil
	}
	switch other, err := p.users.ByEmail(ctx, e.Key()); {
	case errors.Is(err, user.ErrNotFound):
	case err != nil:
		return nil, nil, err
	case self == nil || other.ID() != self.ID():
		return nil, slices.Clone(user.ErrEmailTaken.Fields), nil
	}
	return e, nil, nil
}

// parseAddress parses the address in the field name. It returns nil for an absent one and for one with faults.
func (p *parser) parseAddress(name string, in field.Text, required bool) (*user.Email, []fault.Field) {
	rule := user.EmailRule(required)
	rule.Name = name
	s, ok, faults := rule.Check(in)
	if !ok {
		return nil, faults
	}
	e, err := user.ParseEmail(s, p.domains.ToASCII)
	if err != nil {
		faults = append(faults, fault.Field{Name: name, Code: "invalid", Message: user.ErrBadEmail.Message})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return &e, nil
}

// owner returns the user after the change, with which the password is compared.
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

// apply applies the email address, the names and the locale to u at now. The address as it is cancels no change that waits
// for its proof, since clients send all fields back.
func (in parsedInput) apply(u *user.User, now time.Time) {
	if in.email != nil && in.email.String() != u.Snapshot().Email {
		u.ChangeEmail(*in.email, now)
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
	if in.locale != nil {
		u.SetLocale(*in.locale)
	}
}
