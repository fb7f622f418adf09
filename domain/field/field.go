// Package field holds the rules that every text member of an input meets, whatever it means, with
// the messages of Django REST Framework's CharField, which clients match on.
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
	truth
	text
)

// Text is one member of an input as it arrived: absent, null, a truth value, of another type than
// text, or text.
// The zero value is an absent member.
type Text struct {
	state state
	value *string // a pointer, so that no formatter prints a password by accident
}

// Given is a member that arrived as text. Text that does not come from a person's request, such as
// a number that a caller turned into its digits, is given too.
func Given(s string) Text { return Text{text, &s} }

// Null is a member that arrived as an explicit null.
func Null() Text { return Text{state: null} }

// Truth is a member that arrived as a truth value, which has no text.
func Truth(b bool) Text {
	s := strconv.FormatBool(b)
	return Text{truth, &s}
}

// NotText is a member that arrived as something that has no text: a list, an object.
func NotText() Text { return Text{state: notText} }

// Present reports whether the member arrived at all, whatever it held.
func (t Text) Present() bool { return t.state != absent }

// Value returns the text, "" when there is none.
func (t Text) Value() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Format implements fmt.Formatter: a member may be a secret, so none is ever printed.
func (Text) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[member]") }

// MarshalText implements encoding.TextMarshaler for the same reason.
func (Text) MarshalText() ([]byte, error) { return []byte("[member]"), nil }

// Rule says what one member must be.
type Rule struct {
	Name     string // the member as callers spell it
	Required bool   // an absent member is a fault
	Keep     bool   // blanks at the ends stay; else they are cut as Python's str.strip does
	Max      int    // most characters (Unicode code points), 0 for no limit
	MaxBytes int    // most bytes in UTF-8, 0 for no limit
	NotText  string // message for a member that is no text, "" for DRF's "Not a valid string."
}

// Check applies the rule and returns the text to go on with, whether there is one, and every fault.
// There is a text also beside faults, so that further rules can be judged and told with them, except
// where DRF stops at the first: absent, null, not text, blank.
func (r Rule) Check(t Text) (value string, ok bool, faults []fault.Field) {
	switch t.state {
	case absent:
		if r.Required {
			faults = r.fault("required", "This field is required.")
		}
		return "", false, faults
	case null:
		return "", false, r.fault("null", "This field may not be null.")
	case notText, truth:
		msg := r.NotText
		if msg == "" {
			msg = "Not a valid string."
		}
		return "", false, r.fault("invalid", msg)
	case text:
	}
	value = t.Value()
	if !r.Keep {
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

// surrogate returns the first lone surrogate in s, which Go text can only hold in the three-byte
// form that WTF-8 gives it, or 0. A decoder that meets "\ud800" hands it on in that form.
func surrogate(s string) rune {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == 0xED && s[i+1] >= 0xA0 && s[i+1] <= 0xBF && s[i+2] >= 0x80 && s[i+2] <= 0xBF {
			return 0xD000 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F)
		}
	}
	return 0
}

// Strip cuts white space at both ends as Python's str.strip does: Unicode's white space and the
// separators U+001C to U+001F, which Go does not count.
func Strip(s string) string { return strings.TrimFunc(s, Space) }

// Space reports whether Python's str.isspace holds for r.
func Space(r rune) bool { return unicode.IsSpace(r) || r >= 0x1C && r <= 0x1F }
