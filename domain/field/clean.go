package field

import "strings"

// Clean returns s as valid UTF-8 without control characters and line separators, of at most n bytes. Such a text cannot be
// mistaken for further lines of a log, and does not control a terminal.
func Clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
