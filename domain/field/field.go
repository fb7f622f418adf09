package field

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"roster/domain/fault"
)

type state uint8

const (
	absent state = iota
	null
	notText
	boolean
	text
)

// Text is one field of an input as it arrived: absent, null, a boolean, a value without text, or text. The zero
// value is an absent field.
type Text struct {
	state state
	value *string // a pointer, so that fmt prints an address, never a password
}

// Given returns a field that arrived as text. Callers that read a number pass its digits.
func Given(s string) Text { return Text{text, &s} }

// Null returns a field that arrived as an explicit null.
func Null() Text { return Text{state: null} }

// Bool returns a field that arrived as a boolean.
func Bool(b bool) Text {
	s := strconv.FormatBool(b)
	return Text{boolean, &s}
}

// NotText returns a field that arrived as a value without text, such as a list or an object.
func NotText() Text { return Text{state: notText} }

// Present reports whether the field arrived, with any value.
func (t Text) Present() bool { return t.state != absent }

// Value returns the text, or "" when there is none.
func (t Text) Value() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Format implements fmt.Formatter. It prints a placeholder, since the field may be a secret.
func (Text) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[member]") }

// MarshalText implements encoding.TextMarshaler. It returns a placeholder, since the field may be a secret.
func (Text) MarshalText() ([]byte, error) { return []byte("[member]"), nil }

// Rule is what the value of one text field must satisfy.
type Rule struct {
	Name      string // as clients spell it
	Required  bool   // an absent field is an error
	KeepSpace bool   // keep white space at both ends; otherwise Strip removes it
	Max       int    // maximum length in characters (Unicode code points); 0 for no limit
	MaxBytes  int    // maximum length in bytes of UTF-8; 0 for no limit
	NotText   string // message for a value that is not text; "" for DRF's "Not a valid string."
}

// Check applies the rule. It returns the text, whether there is one, and all faults. The text is returned beside
// faults too, so that later rules can add faults, except for a field that is absent, null, not text or blank: there
// DRF stops at the first fault.
func (r Rule) Check(t Text) (value string, ok bool, faults []fault.Field) {
	switch t.state {
	case absent:
		if r.Required {
			faults = r.fault("required", "This field is required.")
		}
		return "", false, faults
	case null:
		return "", false, r.fault("null", "This field may not be null.")
	case notText, boolean:
		msg := r.NotText
		if msg == "" {
			msg = "Not a valid string."
		}
		return "", false, r.fault("invalid", msg)
	case text:
	}
	value = t.Value()
	if !r.KeepSpace {
		value = Strip(value)
	}
	if value == "" {
		return "", false, r.fault("blank", "This field may not be blank.")
	}
	s := surrogate(value)
	if s == 0 && !utf8.ValidString(value) {
		return "", false, r.fault("invalid", "Not a valid string.")
	}
	if r.Max > 0 && utf8.RuneCountInString(value) > r.Max {
		faults = append(faults, r.fault("max_length", fmt.Sprintf("Ensure this field has no more than %d characters.", r.Max))...)
	}
	if r.MaxBytes > 0 && len(value) > r.MaxBytes {
		faults = append(faults, r.fault("max_length", fmt.Sprintf("Ensure this field has no more than %d bytes.", r.MaxBytes))...)
	}
	if strings.ContainsRune(value, 0) {
		faults = append(faults, r.fault("null_characters_not_allowed", "Null characters are not allowed.")...)
	}
	if s != 0 {
		faults = append(faults, r.fault("surrogate_characters_not_allowed", fmt.Sprintf("Surrogate characters are not allowed: U+%X.", s))...)
	}
	return value, true, faults
}

func (r Rule) fault(code, message string) []fault.Field {
	return []fault.Field{{Name: r.Name, Code: code, Message: message}}
}

// surrogate returns the first lone surrogate in s, or 0. Decoders pass "\ud800" on in its three-byte form (WTF-8),
// the only form in which a Go string can hold it.
func surrogate(s string) rune {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == 0xED && s[i+1] >= 0xA0 && s[i+1] <= 0xBF && s[i+2] >= 0x80 && s[i+2] <= 0xBF {
			return 0xD000 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F)
		}
	}
	return 0
}

// Strip removes white space at both ends as Python's str.strip does: Unicode white space and the separators U+001C
// to U+001F, which Go does not count as space.
func Strip(s string) string { return strings.TrimFunc(s, IsSpace) }

// IsSpace reports what Python's str.isspace does for r.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1C && r <= 0x1F }
