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

// charset reads the text of a body as its content type declares it.
type charset struct {
	legacy encoding.Encoding // nil for UTF-8
	mend   bool              // what cannot be decoded becomes U+FFFD, as Django has it, but for secrets
}

// secrets are the members whose text is compared or hashed. Undecodable text in them is refused: as U+FFFD
// it would be as good as any other text of that length.
var secrets = map[string]bool{"password": true, "current_password": true, "new_password": true, "refresh": true, "token": true}

// charsetOf returns the charset of a content type, UTF-8 when it names none. With legacy, others than
// UTF-8 are read as Django reads them, and an unknown one counts as UTF-8; else ok is false.
func charsetOf(contentType string, legacy bool) (c charset, ok bool) {
	_, params, _ := mime.ParseMediaType(contentType) // an error leaves no parameters
	name := strings.ToLower(strings.TrimSpace(params["charset"]))
	c.mend = legacy
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return c, true
	}
	if !legacy {
		return c, false
	}
	switch name {
	case "iso-8859-1", "iso8859-1", "latin-1", "latin1", "l1": // as Python has it; browsers take it for windows-1252
		c.legacy = charmap.ISO8859_1
	default:
		e, err := htmlindex.Get(name)
		if canonical, bad := htmlindex.Name(e); err == nil && (bad != nil || canonical != "utf-8") {
			c.legacy = e
		}
	}
	return c, true
}

// text returns the member with a name whose bytes are raw. What cannot be decoded is no text; see mend.
func (c charset) text(name, raw string) field.Text {
	s, ok := c.decode(raw)
	switch {
	case ok:
		return field.Given(s)
	case c.mend && !secrets[name]:
		return field.Given(strings.ToValidUTF8(s, "\uFFFD"))
	}
	return field.NotText()
}

// decode returns raw in UTF-8, and whether all of it could be decoded.
func (c charset) decode(raw string) (string, bool) {
	if c.legacy == nil {
		return raw, utf8.ValidString(raw)
	}
	s, err := c.legacy.NewDecoder().String(raw)
	return s, err == nil && !strings.ContainsRune(s, utf8.RuneError) // no such charset has U+FFFD
}
