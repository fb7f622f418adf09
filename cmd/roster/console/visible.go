package console

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Texts of users and other systems may hold characters that control a terminal (ESC, the C1 controls) or change the
// order of what it shows. No such character is written to a terminal.

// Visible returns text with each character that is not printable as its UTF-16 code units, as in \u001b.
func Visible(text string) string { return escape(text, hidden) }

func hidden(r rune) bool { return !unicode.IsPrint(r) }

func escape(text string, special func(r rune) bool) string {
	if !strings.ContainsFunc(text, special) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !special(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, "\\u%04x", unit)
		}
	}
	return b.String()
}

// JSONWriter writes JSON with these characters as escape sequences, which decode to the same text (RFC 8259, 7):
// encoders escape the C0 controls only. Each Write must be whole lines, as those of a json.Encoder are.
type JSONWriter struct{ io.Writer }

// Write writes text and returns its length.
func (j JSONWriter) Write(text []byte) (int, error) {
	_, err := io.WriteString(j.Writer, escape(string(text), func(r rune) bool { return r != '\n' && hidden(r) }))
	return len(text), err
}
