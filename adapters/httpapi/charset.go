package httpapi

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"roster/domain/field"
)

// charset decodes the text of a body.
type charset struct {
	encoding encoding.Encoding // nil for UTF-8
	lenient  bool              // as Django: invalid bytes become U+FFFD, except in secretMembers
}

// secretMembers are the members whose text is compared or hashed. Invalid bytes in them are an error: replaced by
// U+FFFD, different secrets would become equal.
var secretMembers = map[string]bool{
	"password": true, "current_password": true, "new_password": true, "refresh": true, "token": true,
}

// charsetOf returns the charset that a content type names, UTF-8 by default. Other charsets are read if lenient is
// set, and an unknown one then counts as UTF-8, as in Django. Otherwise ok is false for them.
func charsetOf(contentType string, lenient bool) (c charset, ok bool) {
	_, params, _ := mime.ParseMediaType(contentType) // on an error there are no parameters
	name := strings.ToLower(strings.TrimSpace(params["charset"]))
	c.lenient = lenient
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return c, true
	}
	if !lenient {
		return c, false
	}
	switch name {
	case "iso-8859-1", "iso8859-1", "latin-1", "latin1", "l1": // as in Python; htmlindex returns windows-1252
		c.encoding = charmap.ISO8859_1
	default:
		e, err := htmlindex.Get(name)
		if canonical, nameErr := htmlindex.Name(e); err == nil && (nameErr != nil || canonical != "utf-8") {
			c.encoding = e
		}
	}
	return c, true
}

// member returns the value of the named member from its bytes. Invalid bytes make it field.NotText, unless they are
// replaced.
func (c charset) member(name, raw string) field.Text {
	s, ok := c.decode(raw)
	switch {
	case ok:
		return field.Given(s)
	case c.lenient && !secretMembers[name]:
		return field.Given(strings.ToValidUTF8(s, "\uFFFD"))
	}
	return field.NotText()
}

// decode returns raw in UTF-8 and reports whether all of it is valid in the charset.
func (c charset) decode(raw string) (string, bool) {
	if c.encoding == nil {
		return raw, utf8.ValidString(raw)
	}
	s, err := c.encoding.NewDecoder().String(raw)
	return s, err == nil && !strings.ContainsRune(s, utf8.RuneError) // none of these charsets contains U+FFFD
}
