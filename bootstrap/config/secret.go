package config

import (
	"fmt"
	"slices"
	"strings"
)

// Secret is a text that no formatter and no encoder prints. It is a pointer, since fmt prints unexported fields without
// their methods.
type Secret struct{ plain *string }

// NewSecret wraps plain.
func NewSecret(plain string) Secret { return Secret{&plain} }

// Reveal returns the text, "" for none.
func (s Secret) Reveal() string {
	if s.plain == nil {
		return ""
	}
	return *s.plain
}

// Set reports whether there is a text.
func (s Secret) Set() bool { return s.Reveal() != "" }

// PEM reports whether the text is a key in PEM (RFC 7468).
func (s Secret) PEM() bool { return strings.Contains(s.Reveal(), "-----BEGIN ") }

// Lines returns the lines of the text that are not empty.
func (s Secret) Lines() []string {
	return strings.FieldsFunc(s.Reveal(), func(r rune) bool { return r == '\n' || r == '\r' })
}

// wrapped reports whether blanks, line feeds or quotes are around the text, or around a line of it: probably a mistake.
// Blanks around a key in PEM have no effect.
func (s Secret) wrapped() bool {
	switch lines := s.Lines(); {
	case s.PEM():
		return wrapped(strings.TrimSpace(s.Reveal()))
	case len(lines) > 1:
		return slices.ContainsFunc(lines, wrapped)
	}
	return wrapped(s.Reveal())
}

func wrapped(text string) bool {
	inner := strings.TrimSpace(text)
	return inner != text || len(inner) > 1 && inner[0] == inner[len(inner)-1] && strings.ContainsRune("\"'`", rune(inner[0]))
}

// String shows only whether the secret is set.
func (s Secret) String() string {
	if s.Set() {
		return "(set)"
	}
	return "(not set)"
}

// Format prints String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalText returns String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
