package user

import "roster/domain/field"

// MaxName is the maximum length of a first or last name in characters (Django's AbstractUser).
const MaxName = 150

// The names of a user's fields in the API, in the order in which faults are listed.
const (
	FieldEmail     = "email"
	FieldActive    = "is_active"
	FieldStaff     = "is_staff"
	FieldPassword  = "password"
	FieldFirstName = "first_name"
	FieldLastName  = "last_name"
	FieldLocale    = "locale"
)

// EmailRule returns the rule for the email field. ParseEmail checks the syntax.
func EmailRule(required bool) field.Rule {
	return field.Rule{Name: FieldEmail, Required: required, Max: MaxEmail, NotText: ErrBadEmail.Message}
}

// NameRule returns the rule for a first or last name.
func NameRule(name string, required bool) field.Rule {
	return field.Rule{Name: name, Required: required, Max: MaxName}
}
