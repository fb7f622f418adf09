// Package ndjson writes all records of a backend as newline-delimited JSON, and reads them: a header, a line per record,
// a footer. docs/transfer.md describes the format. Equal records have equal lines, so that a digest of lines is a digest
// of records.
package ndjson

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// Kinds of lines.
const (
	kindHeader  = "roster_export"
	kindUser    = "user"
	kindSession = "session"
	kindAttempt = "attempt"
	kindEvent   = "event"
	kindMail    = "mail"
	kindFooter  = "end"
)

// line is a line of an export.
type line[T any] struct {
	Kind    string `json:"kind"`
	Members T      `json:",embed"`
}

// The members of records, in the order of the format. The types have the fields of the domain's types, so that they are
// converted to each other and a new field does not compile until it is here.
type (
	userMembers struct {
		ID                 user.ID         `json:"id"`
		Email              string          `json:"email"`
		EmailKey           string          `json:"email_key"`
		FirstName          string          `json:"first_name"`
		LastName           string          `json:"last_name"`
		Active             bool            `json:"is_active"`
		Staff              bool            `json:"is_staff"`
		Password           credential.Hash `json:"password"`
		Joined             time.Time       `json:"date_joined"`
		LastLogin          time.Time       `json:"last_login"`
		SessionEpoch       int64           `json:"session_epoch"`
		SessionsValidAfter time.Time       `json:"sessions_valid_after"`
		Networks           user.Networks   `json:"networks"`
		EmailState         user.EmailState `json:"email_state"`
		Contact            user.Contact    `json:"contact,omitzero"`
		Version            int64           `json:"version"`
	}
	contactMembers struct {
		NewEmail    string    `json:"new_email,omitempty"`
		NewEmailKey string    `json:"new_email_key,omitempty"`
		UndoEmail   string    `json:"undo_email,omitempty"`
		UndoKey     string    `json:"undo_email_key,omitempty"`
		UndoSince   time.Time `json:"undo_since,omitzero"`
		Locale      string    `json:"locale,omitempty"`
	}
	sessionMembers struct {
		ID         session.ID     `json:"id"`
		User       user.ID        `json:"user"`
		Epoch      int64          `json:"epoch"`
		Created    time.Time      `json:"created"`
		Expires    time.Time      `json:"expires"`
		Generation int            `json:"generation"`
		RotatedAt  time.Time      `json:"rotated_at"`
		UsedAt     time.Time      `json:"used_at"`
		RevokedAt  time.Time      `json:"revoked_at"`
		Reason     session.Reason `json:"reason"`
		UserAgent  string         `json:"user_agent"`
		Address    string         `json:"address"`
		Browser    string         `json:"browser,omitempty"`
		Version    int64          `json:"version"`
	}
	attemptMembers struct {
		Subject  lockout.Subject `json:"subject"`
		Failures int             `json:"failures"`
		Last     time.Time       `json:"last"`
		Expires  time.Time       `json:"expires"`
		Version  int64           `json:"version"`
	}
	eventMembers struct {
		ID        audit.ID      `json:"id"`
		At        time.Time     `json:"at"`
		Kind      audit.Kind    `json:"event"`
		Actor     user.ID       `json:"actor"`
		User      user.ID       `json:"user"`
		Session   string        `json:"session"`
		Channel   audit.Channel `json:"channel"`
		Address   string        `json:"address"`
		UserAgent string        `json:"user_agent"`
		RequestID string        `json:"request_id"`
		Detail    string        `json:"detail"`
	}
	mailMembers struct {
		ID       mail.ID    `json:"id"`
		Kind     mail.Kind  `json:"mail"`
		User     user.ID    `json:"user"`
		To       string     `json:"to"`
		Key      string     `json:"email_key"`
		Locale   string     `json:"locale"`
		Epoch    int64      `json:"epoch"`
		Detail   string     `json:"detail"`
		Queued   time.Time  `json:"queued"`
		State    mail.State `json:"state"`
		Due      time.Time  `json:"due"`
		Attempts int        `json:"attempts"`
		Finished time.Time  `json:"finished"`
		Reason   string     `json:"reason"`
		Version  int64      `json:"version"`
	}
)

// writeOptions and readOptions encode times as RFC 3339 in UTC with six digits of a second, or null for the zero time,
// and hashes and networks as their texts.
var (
	writeOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.WithMarshalers(json.JoinMarshalers(
		json.MarshalToFunc(func(e *jsontext.Encoder, t time.Time) error {
			if t.IsZero() {
				return e.WriteToken(jsontext.Null)
			}
			return e.WriteToken(jsontext.String(t.UTC().Format("2006-01-02T15:04:05.000000Z07:00")))
		}),
		json.MarshalToFunc(func(e *jsontext.Encoder, h credential.Hash) error { return e.WriteToken(jsontext.String(h.Encoded())) }),
		json.MarshalToFunc(func(e *jsontext.Encoder, c user.Contact) error { return json.MarshalEncode(e, contactMembers(c)) }),
		json.MarshalToFunc(func(e *jsontext.Encoder, n user.Networks) error { return e.WriteToken(jsontext.String(n.Encoded())) }),
	)))
	readOptions = json.JoinOptions(json.RejectUnknownMembers(true), json.WithUnmarshalers(json.JoinUnmarshalers(
		readText(func(text string, h *credential.Hash) { *h = credential.RestoreHash(text) }),
		json.UnmarshalFromFunc(func(d *jsontext.Decoder, c *user.Contact) error { return json.UnmarshalDecode(d, (*contactMembers)(c)) }),
		readText(func(text string, n *user.Networks) { *n = user.RestoreNetworks(text) }),
	)))
)

func readText[T any](set func(text string, value *T)) *json.Unmarshalers {
	return json.UnmarshalFunc(func(data []byte, value *T) error {
		var text string
		err := json.Unmarshal(data, &text)
		set(text, value)
		return err
	})
}

// Records implements outbound.Records.
type Records struct{}

var _ outbound.Records = Records{}

// Line returns the line of a record: its members in a fixed order, without blanks, with only the escapes that JSON
// requires.
func (Records) Line(record any) ([]byte, error) {
	switch r := record.(type) {
	case user.Snapshot:
		return encode(kindUser, userMembers(r))
	case session.Snapshot:
		return encode(kindSession, sessionMembers(r))
	case lockout.Snapshot:
		return encode(kindAttempt, attemptMembers(r))
	case audit.Event:
		return encode(kindEvent, eventMembers(r))
	case mail.Snapshot:
		return encode(kindMail, mailMembers(r))
	}
	return nil, fmt.Errorf("ndjson: there are no records of type %T", record)
}

func encode[T any](kind string, members T) ([]byte, error) {
	text, err := json.Marshal(line[T]{kind, members}, writeOptions)
	return append(text, '\n'), err
}

// record decodes the line of a record. Unknown members are an error: they would be lost.
func record(kind string, text []byte) (any, error) {
	switch kind {
	case kindUser:
		m, err := decode[userMembers](text)
		return user.Snapshot(m), err
	case kindSession:
		m, err := decode[sessionMembers](text)
		return session.Snapshot(m), err
	case kindAttempt:
		m, err := decode[attemptMembers](text)
		return lockout.Snapshot(m), err
	case kindEvent:
		m, err := decode[eventMembers](text)
		return audit.Event(m), err
	default: // kindMail
		m, err := decode[mailMembers](text)
		return mail.Snapshot(m), err
	}
}

func decode[T any](text []byte) (T, error) {
	var l line[T]
	err := json.Unmarshal(text, &l, readOptions)
	return l.Members, err
}

// check fails on a record that the domain could not have made.
func check(record any) (err error) {
	switch r := record.(type) {
	case user.Snapshot:
		if id, invalid := user.ParseID(string(r.ID)); invalid != nil || id != r.ID {
			return user.ErrBadState
		}
		_, err = user.Restore(r)
	case session.Snapshot:
		_, err = session.Restore(r)
	case lockout.Snapshot:
		_, err = lockout.Restore(r)
	case audit.Event:
		err = r.Check()
	case mail.Snapshot:
		_, err = mail.Restore(r)
	}
	return err
}
