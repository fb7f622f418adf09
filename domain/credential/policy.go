package credential

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/guessable"
)

// Policy is the set of rules for a new password: the four of Django 3.2 (django.contrib.auth.password_validation),
// with its messages and in its order.
type Policy struct {
	minLength int
	common    guessable.Common
	blocklist *guessable.Blocklist // nil for none
}

// NewPolicy returns a policy. minLength is in characters and raised to guessable.MinLength.
func NewPolicy(minLength int, common guessable.Common) Policy {
	return Policy{minLength: max(minLength, guessable.MinLength), common: common}
}

// WithBlocklist returns the policy with a blocklist in addition to the list of common passwords. Django has no such
// rule.
func (y Policy) WithBlocklist(b *guessable.Blocklist) Policy {
	y.blocklist = b
	return y
}

// String says in a sentence what a new password must be.
func (y Policy) String() string {
	return fmt.Sprintf("A password has at least %d characters; it is not common, not entirely numeric, and not similar to the email "+
		"address or the names.", y.minLength)
}

// Check returns a fault of the field called name for each rule that p breaks.
func (y Policy) Check(name string, p Password, o guessable.Owner) []fault.Field {
	var out []fault.Field
	fail := func(code, message string) { out = append(out, fault.Field{Name: name, Code: code, Message: message}) }
	plain := p.Reveal()
	lower := strings.ToLower(plain)

	for _, a := range []struct{ label, value string }{
		{"first name", o.FirstName}, {"last name", o.LastName}, {"email address", o.Email},
	} {
		if guessable.Similar(lower, strings.ToLower(a.value)) {
			fail("password_too_similar", fmt.Sprintf("The password is too similar to the %s.", a.label))
			break
		}
	}
	similar := len(out) > 0 // the blocklist would report the same again
	if utf8.RuneCountInString(plain) < y.minLength {
		fail("password_too_short", fmt.Sprintf("This password is too short. It must contain at least %d characters.", y.minLength))
	}
	if stripped := field.Strip(lower); y.common(stripped) || y.blocklist != nil && !similar && y.blocklist.Matches(stripped, o) {
		fail("password_too_common", "This password is too common.")
	}
	if plain != "" && !strings.ContainsFunc(plain, func(r rune) bool { return !isDigit(r) }) {
		fail("password_entirely_numeric", "This password is entirely numeric.")
	}
	return out
}

// isDigit reports what Python's str.isdigit does: decimal digits of every script, and digits that are not decimal,
// such as superscripts (Numeric_Type=Digit in the Unicode database).
func isDigit(r rune) bool { return unicode.Is(unicode.Nd, r) || unicode.Is(otherDigits, r) }

var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00B2, 0x00B3, 1}, {0x00B9, 0x00B9, 1}, {0x1369, 0x1371, 1}, {0x19DA, 0x19DA, 1},
		{0x2070, 0x2070, 1}, {0x2074, 0x2079, 1}, {0x2080, 0x2089, 1}, {0x2460, 0x2468, 1},
		{0x2474, 0x247C, 1}, {0x2488, 0x2490, 1}, {0x24EA, 0x24EA, 1}, {0x24F5, 0x24FD, 1},
		{0x24FF, 0x24FF, 1}, {0x2776, 0x277E, 1}, {0x2780, 0x2788, 1}, {0x278A, 0x2792, 1},
	},
	R32: []unicode.Range32{
		{0x10A40, 0x10A43, 1}, {0x10E60, 0x10E68, 1}, {0x11052, 0x1105A, 1}, {0x1F100, 0x1F10A, 1},
	},
	LatinOffset: 2,
}
