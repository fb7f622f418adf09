package console

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Texts of users and other systems may hold characters that steer a terminal (ESC, the C1 controls) or change the
// order of what it shows. No such character is written to a terminal.

// Visible returns text with each character that does not print, or would steer a terminal, as its number.
func Visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hidden(r rune) bool { return !unicode.IsPrint(r) }

// JSONWriter writes JSON with these characters as escape sequences, which are the same text to a reader of JSON
// (RFC 8259, 7): encoders escape the C0 controls only. Each Write must be whole lines, as those of a json.Encoder
// are, so that no character is cut.
type JSONWriter struct{ io.Writer }

// Write implements io.Writer.
func (j JSONWriter) Write(text []byte) (int, error) {
	escaped := func(r rune) bool { return r != '\n' && hidden(r) }
	if !bytes.ContainsFunc(text, escaped) {
		return j.Writer.Write(text)
	}
	out := make([]byte, 0, len(text)+16)
	for _, r := range string(text) {
		switch {
		case !escaped(r):
			out = append(out, string(r)...)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, "\\u%04x\\u%04x", high, low)
		default:
			out = fmt.Appendf(out, "\\u%04x", r)
		}
	}
	if _, err := j.Writer.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}
