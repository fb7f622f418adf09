package application

import (
	"context"
	"errors"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/guessable"
	"roster/ports/inbound"
)

// fieldNewPassword is the name of the new password in a change of password.
const fieldNewPassword = "new_password"

// passwordFields checks a new password and its repetition as the fields called name and re_name. It returns the password,
// nil for an absent one that is not required, and all faults.
func (p *parser) passwordFields(name string, in inbound.NewPassword, required bool) (*credential.Password, []fault.Field) {
	var pw *credential.Password
	s, ok, faults := credential.FieldRule(name, required, !p.passwords.Trim, p.passwords.MaxLength).Check(in.Password)
	if ok {
		pw = new(credential.NewPassword(s))
	}
	if in.Retype {
		_, _, more := p.retypedRule(name).Check(in.Retyped)
		faults = append(faults, more...)
	}
	return pw, faults
}

// checkStrength fails with fault.ErrInvalid unless pw, which passwordFields returned for in, is strong enough for its
// owner, and then unless it is equal to its repetition.
func (p *parser) checkStrength(
	ctx context.Context, name string, pw credential.Password, in inbound.NewPassword, o guessable.Owner,
) error {
	if fs := p.passwords.Policy.Check(name, pw, o); len(fs) > 0 {
		return fault.ErrInvalid.With(fs...)
	}
	if err := p.checkBreached(ctx, name, pw); err != nil {
		return err
	}
	if in.Retype && !p.repeats(in) {
		return credential.ErrMismatch
	}
	return nil
}

// repeats reports whether the repetition is equal. Both come from the same client, so the time that it takes reveals nothing.
func (p *parser) repeats(in inbound.NewPassword) bool {
	rule := p.retypedRule("")
	first, _, _ := rule.Check(in.Password)
	second, _, _ := rule.Check(in.Retyped)
	return first == second
}

func (p *parser) retypedRule(name string) field.Rule {
	return credential.FieldRule("re_"+name, true, !p.passwords.Trim, 0)
}

// checkBreached fails when the password was in a data breach. It is called last, since it may call another service.
func (p *parser) checkBreached(ctx context.Context, name string, pw credential.Password) error {
	if p.breached == nil {
		return nil
	}
	found, err := p.breached.Breached(ctx, pw)
	if err == nil && found {
		err = fault.ErrInvalid.With(credential.BreachedFault(name))
	}
	return err
}

// merge adds the faults of err to faults. It returns err unless it is fault.ErrInvalid.
func merge(faults []fault.Field, err error) ([]fault.Field, error) {
	invalid, ok := errors.AsType[*fault.Error](err)
	if err != nil && (!ok || !errors.Is(err, fault.ErrInvalid)) {
		return nil, err
	}
	if ok {
		faults = append(faults, invalid.Fields...)
	}
	return faults, nil
}
