package user

import "roster/domain/field"

// MaxName is the most characters a first or last name may have (Django's AbstractUser).
const MaxName = 150

// The members of a user that callers give, in the order in which faults are told.
const (
	FieldEmail     = "email"
	FieldActive    = "is_active"
	FieldStaff     = "is_staff"
	FieldPassword  = "password"
	FieldFirstName = "first_name"
	FieldLastName  = "last_name"
)

// EmailRule is the rule for the email member; its syntax is ParseEmail's to judge.
func EmailRule(required bool) field.Rule {
	return field.Rule{Name: FieldEmail, Required: required, Max: MaxEmail, NotText: ErrBadEmail.Message}
}

// NameRule is the rule for a first or last name.
func NameRule(member string, required bool) field.Rule {
	return field.Rule{Name: member, Required: required, Max: MaxName}
}
