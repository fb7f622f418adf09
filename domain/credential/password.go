package credential

import (
	"fmt"

	"roster/domain/fault"
	"roster/domain/field"
)

// MaxBytes is the maximum length of a password in bytes. A longer one is refused before any work is done.
const MaxBytes = 1024

// Password is a plaintext password. It is printed and encoded as [redacted]. Even in an unexported field, where fmt
// cannot call methods, fmt prints only the pointer.
type Password struct{ plain *string }

// NewPassword wraps plain.
func NewPassword(plain string) Password { return Password{&plain} }

// Reveal returns the plaintext, for hashing and checking only.
func (p Password) Reveal() string {
	if p.plain == nil {
		return ""
	}
	return *p.plain
}

func (Password) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[redacted]") }

func (Password) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Hash is a stored credential: an encoded string with its scheme and parameters. It is printed as [redacted].
type Hash struct{ encoded string }

// Unusable is a credential that no password matches.
var Unusable = Hash{"!"}

// RestoreHash returns the credential with an encoded string from storage or an import.
func RestoreHash(encoded string) Hash { return Hash{encoded} }

// Encoded returns the encoded string, for storage and verification only.
func (h Hash) Encoded() string { return h.encoded }

// Usable reports whether a password may match. Django marks other credentials with "!".
func (h Hash) Usable() bool { return h.encoded != "" && h.encoded[0] != '!' }

func (Hash) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[redacted]") }

func (Hash) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// ErrWrongPassword is the error of a change with a wrong current password. The message is Django's.
var ErrWrongPassword = fault.ErrInvalid.With(fault.Field{
	Name: "current_password", Code: "password_incorrect", Message: "Your old password was entered incorrectly. Please enter it again.",
})

// ErrMismatch is the error of a new password that differs from its repetition. The message is djoser's.
var ErrMismatch = fault.ErrInvalid.With(fault.Field{Code: "password_mismatch", Message: "The two password fields didn't match."})

// BreachedFault returns the fault of the field called name when its password was in a data breach.
func BreachedFault(name string) fault.Field {
	return fault.Field{Name: name, Code: "password_breached", Message: "This password has appeared in a data breach. Choose another one."}
}

// ErrBusy is the error when too many passwords are being hashed. A retry after a short time may succeed.
var ErrBusy = fault.New(fault.Unavailable, "busy", "Too many sign-ins at once, try again in a moment.")

// FieldRule returns the rule for a password field: DRF's CharField with a limit in bytes, which bounds the cost of
// hashing. keep keeps white space at both ends. maxChars is the maximum length in characters, 0 for no limit.
func FieldRule(name string, required, keep bool, maxChars int) field.Rule {
	return field.Rule{Name: name, Required: required, KeepSpace: keep, Max: maxChars, MaxBytes: MaxBytes}
}
