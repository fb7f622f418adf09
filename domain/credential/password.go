package credential

import (
	"fmt"

	"roster/domain/fault"
	"roster/domain/field"
)

// MaxBytes is the most bytes of a password that is ever looked at or hashed. A longer one is refused
// before any work is done on it.
const MaxBytes = 1024

// Password is a plaintext password. It prints as [redacted] under every verb and encoder; behind a
// pointer it stays hidden even in an unexported field, where fmt cannot call methods.
type Password struct{ plain *string }

// NewPassword wraps plain.
func NewPassword(plain string) Password { return Password{&plain} }

// Reveal returns the plaintext, for hashing and judging only.
func (p Password) Reveal() string {
	if p.plain == nil {
		return ""
	}
	return *p.plain
}

// Format hides the password.
func (Password) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[redacted]") }

// MarshalText hides the password.
func (Password) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Hash is a stored credential: an encoded string that names its own scheme and parameters.
type Hash struct{ encoded string }

// Unusable is the credential that no password fits.
var Unusable = Hash{"!"}

// RestoreHash wraps an encoded string as storage or an import holds it.
func RestoreHash(encoded string) Hash { return Hash{encoded} }

// Encoded returns the encoded string, for storage and verification only.
func (h Hash) Encoded() string { return h.encoded }

// Usable reports whether some password may fit (Django marks the others with "!").
func (h Hash) Usable() bool { return h.encoded != "" && h.encoded[0] != '!' }

// Format hides the hash, which is a secret too.
func (Hash) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[redacted]") }

// MarshalText hides the hash.
func (Hash) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// ErrWrongPassword is the error of a change with a current password that is not the user's.
var ErrWrongPassword = fault.ErrInvalid.With(fault.Field{
	Name: "current_password", Code: "password_incorrect", Message: "Your old password was entered incorrectly. Please enter it again.",
})

// BreachedField is the fault of the member name when its password was in a data breach.
func BreachedField(name string) fault.Field {
	return fault.Field{Name: name, Code: "password_breached", Message: "This password has appeared in a data breach. Choose another one."}
}

// ErrBusy is the error when too many passwords are being hashed; the caller may retry shortly.
var ErrBusy = fault.New(fault.Unavailable, "busy", "Too many sign-ins at once, try again in a moment.")

// Member is the rule for a password member: DRF's CharField, with the limit in bytes that bounds the
// cost of hashing. keep says whether blanks at the ends count; maxChars 0 is no limit of characters.
func Member(name string, required, keep bool, maxChars int) field.Rule {
	return field.Rule{Name: name, Required: required, Keep: keep, Max: maxChars, MaxBytes: MaxBytes}
}
