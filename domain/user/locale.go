package user

import (
	"regexp"

	"roster/domain/fault"
	"roster/domain/field"
)

// MaxLocale is the maximum length of a language tag: the longest one that software must accept (RFC 5646, 4.4.1).
const MaxLocale = 35

// languageTag matches a well-formed tag (BCP 47): a language, then subtags such as a script, a region and variants. It does
// not check that they are registered.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// CheckLocale returns the language tag in t, nil when it is absent, "" for null and blank, and all faults.
func CheckLocale(t field.Text) (*string, []fault.Field) {
	s, ok, faults := field.Rule{Name: FieldLocale, Max: MaxLocale}.Check(t)
	switch {
	case len(faults) == 1 && (faults[0].Code == "null" || faults[0].Code == "blank"):
		return new(""), nil
	case len(faults) > 0 || !ok:
		return nil, faults
	case !languageTag.MatchString(s):
		return nil, []fault.Field{{Name: FieldLocale, Code: "invalid", Message: "Enter a language tag, such as de or pt-BR."}}
	}
	return &s, nil
}
