package django

import (
	"bytes"
	"crypto/md5" //nolint:gosec // only to know it
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
)

// object is one object of a fixture. Rows of a database are brought into this form too.
type object struct {
	Model  string         `json:"model"`
	PK     jsontext.Value `json:"pk,omitzero"`
	Fields jsontext.Value `json:"fields"`

	raw []byte // all of it; nil when it is too large to be kept, and then there are no Fields
}

// maxLabel is the most bytes of a model's label.
const maxLabel = 255

// begin reads what precedes the fields of an object that was cut.
func (x *object) begin(cut []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(cut), lenient)
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for {
		name, err := d.ReadToken()
		if err != nil || name.Kind() != '"' {
			return nil //nolint:nilerr // it is cut: what was read counts
		}
		member := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		switch member {
		case "model":
			x.Model, _ = unquote(value)
		case "pk":
			x.PK = value.Clone()
		}
	}
}

// reader makes users of objects.
type reader struct{ o Options }

// members is the fields of one object, and the first thing that was wrong with them.
type members struct {
	reader
	fields map[string]jsontext.Value
	fault  outbound.RowFault
}

// read returns those of an object's fields that hold a member.
func (r reader) read(fields jsontext.Value) (map[string]jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(fields), lenient)
	if d.PeekKind() != '{' {
		return nil, errNoObject
	}
	_, _ = d.ReadToken()
	out := map[string]jsontext.Value{}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		if !r.o.taken(name) {
			if err := d.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		out[name] = value.Clone()
	}
	return out, nil
}

var errNoObject = errors.New("no object")

// user reads one object. What cannot be read is the row's Fault.
func (r reader) user(place string, raw []byte, o object) outbound.SourceUser {
	m := members{reader: r}
	row := outbound.SourceUser{Location: place, Row: raw}
	var err error
	if m.fields, err = r.read(o.Fields); err != nil {
		row.Fault = outbound.RowFault{Kind: outbound.RowMalformed, Text: "fields is no object"}
		return row
	}
	row.ID = m.id(o.PK)
	row.Email = m.text(memberEmail)
	if name := m.text(memberUsername); row.Email == "" && strings.Contains(name, "@") {
		row.Email = name
	}
	row.FirstName, row.LastName = m.text(memberFirstName), m.text(memberLastName)
	row.Active = m.flag(memberActive, true) // as AbstractBaseUser has it where a model does not say
	row.Staff = m.flag(memberStaff, false)
	row.Superuser = m.flag(memberSuperuser, false)
	encoded := m.text(memberPassword)
	row.Password, row.KnownScheme = credential.RestoreHash(encoded), knownScheme(encoded)
	row.Joined, row.LastLogin = m.time(memberJoined), m.time(memberLastLogin)
	row.Fault = m.fault
	return row
}

func (m *members) refuse(kind outbound.FaultKind, member, why string) {
	if m.fault.Kind == outbound.NoFault {
		m.fault = outbound.RowFault{Kind: kind, Text: member + " " + why}
	}
}

func (m *members) value(member string) jsontext.Value {
	name := m.o.field(member)
	if name == "" {
		return nil
	}
	return m.fields[name]
}

// maxText is the most bytes of a member that are taken: more than each of them may have.
const maxText = 4096

// text returns a text; "" where there is none or a null.
func (m *members) text(member string) string {
	v := m.value(member)
	switch v.Kind() {
	case '"':
		text, ok := unquote(v)
		if !ok {
			m.refuse(outbound.RowMalformed, member, "holds half a character")
		}
		if len(text) > maxText {
			m.refuse(outbound.RowMalformed, member, fmt.Sprintf("has more than %d bytes", maxText))
			return ""
		}
		return text
	case 'n', jsontext.KindInvalid:
	default:
		m.refuse(outbound.RowMalformed, member, "is no text")
	}
	return ""
}

// unquote reads a text. It fails on a lone surrogate, which Python can hold and UTF-8 cannot.
func unquote(v jsontext.Value) (string, bool) {
	text, err := jsontext.AppendUnquote(nil, v)
	return string(text), err == nil
}

// flag returns a truth value, and otherwise where there is none; null is false, as Django treats it.
// SQLite keeps 0 and 1.
func (m *members) flag(member string, otherwise bool) bool {
	switch v := m.value(member); string(v) {
	case "true", "1":
		return true
	case "false", "0", "null":
		return false
	case "":
	default:
		m.refuse(outbound.RowMalformed, member, "is neither true nor false")
	}
	return otherwise
}

// layouts are how fixtures, SQLite and PostgreSQL write times.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07",
	"2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly,
}

func (m *members) time(member string) time.Time {
	text := m.text(member)
	if text == "" {
		return time.Time{}
	}
	at, err := parseTimeIn(text, m.o.zone)
	switch {
	case err != nil:
		m.refuse(outbound.RowMalformed, member, "is no date and time")
	case at.IsZero(): // which stands for none
		m.refuse(outbound.DateUnsupported, member, "is the first instant of the year 1")
	}
	return at
}

// parseTime reads a time that is UTC unless it has an offset, as Django keeps them with USE_TZ, and
// SimpleJWT those of its tokens without as well.
func parseTime(text string) (time.Time, error) { return parseTimeIn(text, time.UTC) }

// parseTimeIn reads a time that is of a zone unless it has an offset.
func parseTimeIn(text string, zone *time.Location) (at time.Time, err error) {
	for _, l := range layouts {
		if at, err = time.ParseInLocation(l, text, zone); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, err
}

// id returns the user's id: the primary key, or the field that is mapped to it.
func (m *members) id(pk jsontext.Value) user.ID {
	if name, mapped := m.o.Fields[memberID]; mapped {
		if name == "" {
			return ""
		}
		pk = m.fields[name]
	}
	id, ok := idOf(pk)
	if !ok {
		m.refuse(outbound.IDUnsupported, "id", "is neither a positive number nor a UUID")
	}
	return id
}

// idOf reads an id, or none. A UUID may be spelt as SQLite and MySQL keep it, without hyphens.
func idOf(pk jsontext.Value) (user.ID, bool) {
	text := string(pk)
	switch pk.Kind() {
	case 'n', jsontext.KindInvalid:
		return "", true
	case '"':
		var ok bool
		if text, ok = unquote(pk); !ok {
			return "", false
		}
		text = strings.ToLower(text)
	}
	if len(text) == 32 {
		text = strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
	}
	id, err := user.ParseID(text)
	return id, err == nil
}

// hashers are the algorithms that Django has a hasher for (django.contrib.auth.hashers, 1.4 to 5.2).
var hashers = map[string]bool{
	"pbkdf2_sha256": true, "pbkdf2_sha1": true, "argon2": true, "bcrypt_sha256": true, "bcrypt": true,
	"scrypt": true, "sha1": true, "md5": true, "unsalted_sha1": true, "unsalted_md5": true, "crypt": true,
}

// knownScheme reports whether Django's identify_hasher knows an encoded password.
func knownScheme(encoded string) bool {
	name, _, salted := strings.Cut(encoded, "$")
	if !salted {
		digest, err := hex.DecodeString(encoded)
		return len(digest) == md5.Size && err == nil // unsalted MD5, bare
	}
	return hashers[name]
}
