package django

import (
	"crypto/md5" //nolint:gosec // only to know it
	"encoding/hex"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
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
}

// reader makes users of objects.
type reader struct{ o Options }

// members is the fields of one object, and the first thing that was wrong with them.
type members struct {
	reader
	fields map[string]jsontext.Value
	fault  string
}

// user reads one object. What cannot be read is told as the row's Fault.
func (r reader) user(place string, raw []byte, o object) outbound.SourceUser {
	m := members{reader: r}
	row := outbound.SourceUser{Place: place, Row: raw}
	if err := json.Unmarshal(o.Fields, &m.fields, lenient); err != nil {
		row.Fault = "fields is no object"
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
	row.Password, row.Scheme = credential.RestoreHash(encoded), knownScheme(encoded)
	row.Joined, row.LastLogin = m.time(memberJoined), m.time(memberLastLogin)
	row.Fault = m.fault
	return row
}

func (m *members) refuse(member, why string) {
	if m.fault == "" {
		m.fault = member + " " + why
	}
}

func (m *members) value(member string) jsontext.Value {
	name := m.o.field(member)
	if name == "" {
		return nil
	}
	return m.fields[name]
}

// text returns a text; "" where there is none or a null.
func (m *members) text(member string) string {
	v := m.value(member)
	switch v.Kind() {
	case '"':
		text, ok := unquote(v)
		if !ok {
			m.refuse(member, "holds half a character")
		}
		return text
	case 'n', jsontext.KindInvalid:
	default:
		m.refuse(member, "is no text")
	}
	return ""
}

// unquote reads a text. It fails on a lone surrogate, which Python can hold and UTF-8 cannot.
func unquote(v jsontext.Value) (string, bool) {
	text, err := jsontext.AppendUnquote(nil, v)
	return string(text), err == nil
}

// flag returns a truth value; SQLite keeps 0 and 1.
func (m *members) flag(member string, otherwise bool) bool {
	switch v := m.value(member); string(v) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	case "", "null":
	default:
		m.refuse(member, "is neither true nor false")
	}
	return otherwise
}

// layouts are how fixtures, SQLite and PostgreSQL write times.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly,
}

func (m *members) time(member string) time.Time {
	text := m.text(member)
	if text == "" {
		return time.Time{}
	}
	at, err := parseTimeIn(text, m.o.zone)
	if err != nil {
		m.refuse(member, "is no date and time")
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
		m.refuse("id", "is neither a positive number nor a UUID")
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
