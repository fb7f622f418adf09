package django

import (
	"crypto/md5" //nolint:gosec // only its size
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
)

// lenient accepts what Python's json module writes: lone surrogates and repeated names.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// row is the fields of an object of a fixture, or the columns of a row of a database, as JSON.
type row map[string]jsontext.Value

// text returns a field that is a text, and "" otherwise.
func (r row) text(name string) string {
	if r[name].Kind() != '"' {
		return ""
	}
	text, _ := unquote(r[name])
	return text
}

// object is one object of a fixture. Rows of a database are converted to this form.
type object struct {
	Model  string         `json:"model"`
	PK     jsontext.Value `json:"pk,omitzero"`
	Fields row            `json:"fields"`

	raw []byte // the whole object
}

// encoded returns the object as JSON.
func (x object) encoded() ([]byte, error) {
	return json.Marshal(x, json.Deterministic(true), jsontext.PreserveRawStrings(true), lenient)
}

// address returns the address of a user: the field of the address or, without one, a user name that is an address.
func (o Options) address(fields row) string {
	address, name := fields.text(o.field(memberEmail)), fields.text(o.field(memberUsername))
	if address == "" && strings.Contains(name, "@") {
		return name
	}
	return address
}

// members reads the members of a user from the fields of an object, and keeps the first fault.
type members struct {
	o      Options
	fields row
	fault  outbound.RowFault
}

// malformed is a row that cannot be read.
func malformed(place string, id user.ID, why string) outbound.SourceUser {
	return outbound.SourceUser{Location: place, ID: id, Fault: outbound.RowFault{Kind: outbound.RowMalformed, Text: why}}
}

// user reads one object. A member that cannot be read is the row's Fault.
func (o Options) user(place string, x object) outbound.SourceUser {
	m := members{o: o, fields: x.Fields}
	encoded := m.text(memberPassword)
	u := outbound.SourceUser{
		Location: place, Row: x.raw, ID: m.id(x.PK), Email: m.text(memberEmail),
		FirstName: m.text(memberFirstName), LastName: m.text(memberLastName),
		Active: m.flag(memberActive, true), // the default of AbstractBaseUser
		Staff:  m.flag(memberStaff, false), Superuser: m.flag(memberSuperuser, false),
		Password: credential.RestoreHash(encoded), KnownScheme: knownScheme(encoded),
		Joined: m.time(memberJoined), LastLogin: m.time(memberLastLogin),
	}
	if name := m.text(memberUsername); u.Email == "" && strings.Contains(name, "@") {
		u.Email = name
	}
	m.emails(&u)
	u.Fault = m.fault
	return u
}

func (m *members) refuse(kind outbound.FaultKind, member, why string) {
	if m.fault.Kind == outbound.NoFault {
		m.fault = outbound.RowFault{Kind: kind, Text: member + " " + why}
	}
}

// maxText is the maximum length of a member in bytes, above the limit of each of them.
const maxText = 4096

// text returns a text, and "" for null and for a missing field.
func (m *members) text(member string) string {
	v := m.fields[m.o.field(member)]
	switch v.Kind() {
	case '"':
		text, ok := unquote(v)
		if !ok {
			m.refuse(outbound.RowMalformed, member, "is not valid Unicode text")
		}
		if len(text) > maxText {
			m.refuse(outbound.RowMalformed, member, fmt.Sprintf("has more than %d bytes", maxText))
			return ""
		}
		return text
	case 'n', jsontext.KindInvalid:
	default:
		m.refuse(outbound.RowMalformed, member, "is not a text")
	}
	return ""
}

// unquote decodes a text. It fails on a lone surrogate, which Python strings can hold and UTF-8 cannot.
func unquote(v jsontext.Value) (string, bool) {
	text, err := jsontext.AppendUnquote(nil, v)
	return string(text), err == nil
}

// flag returns a truth value, and missing for a missing field. Null is false, as in Django; SQLite stores 0 and 1.
func (m *members) flag(member string, missing bool) bool {
	switch string(m.fields[m.o.field(member)]) {
	case "true", "1", "1.0":
		return true
	case "false", "0", "0.0", "null":
		return false
	case "":
	default:
		m.refuse(outbound.RowMalformed, member, "is neither true nor false")
	}
	return missing
}

// layouts are the forms of times in fixtures, SQLite and PostgreSQL.
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
	at, err := parseTime(text, m.o.zone)
	switch {
	case err != nil:
		m.refuse(outbound.RowMalformed, member, "is not a date and time")
	case at.IsZero(): // which means no time
		m.refuse(outbound.DateUnsupported, member, "is the first instant of the year 1")
	}
	return at
}

// parseTime parses a time. One without an offset is in zone.
func parseTime(text string, zone *time.Location) (at time.Time, err error) {
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
		pk = m.fields[name]
	}
	id, ok := idOf(pk)
	if !ok {
		m.refuse(outbound.IDUnsupported, "id", "is neither a positive number nor a UUID")
	}
	return id
}

// idOf parses an id; null is "". A UUID may lack hyphens, as SQLite and MySQL store it.
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

// hashers are the algorithms for which Django has a hasher (django.contrib.auth.hashers, 1.4 to 5.2).
var hashers = map[string]bool{
	"pbkdf2_sha256": true, "pbkdf2_sha1": true, "argon2": true, "bcrypt_sha256": true, "bcrypt": true,
	"scrypt": true, "sha1": true, "md5": true, "unsalted_sha1": true, "unsalted_md5": true, "crypt": true,
}

// knownScheme reports whether Django's identify_hasher knows an encoded password.
func knownScheme(encoded string) bool {
	name, _, salted := strings.Cut(encoded, "$")
	if !salted {
		digest, err := hex.DecodeString(encoded)
		return len(digest) == md5.Size && err == nil // unsalted MD5 has no prefix
	}
	return hashers[name]
}
