// Package ndjson writes everything that a backend keeps as newline-delimited JSON, and reads it back:
// a header, a line for each record, a footer. docs/transfer.md describes the format. A record has one
// spelling only, so that digests over lines are digests over records.
package ndjson

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
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
	kindFooter  = "end"
)

// instant is a time in RFC 3339 with six digits of a second, or null for never.
type instant time.Time

const layout = "2006-01-02T15:04:05.000000Z07:00"

// MarshalJSON writes the time in UTC.
func (t instant) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().AppendFormat(nil, `"`+layout+`"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *instant) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*t = instant{}
		return nil
	}
	at, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(text))
	*t = instant(at.UTC())
	return err
}

type userLine struct {
	Kind       string  `json:"kind"`
	ID         string  `json:"id"`
	Email      string  `json:"email"`
	EmailKey   string  `json:"email_key"`
	FirstName  string  `json:"first_name"`
	LastName   string  `json:"last_name"`
	Active     bool    `json:"is_active"`
	Staff      bool    `json:"is_staff"`
	Password   string  `json:"password"`
	Joined     instant `json:"date_joined"`
	LastLogin  instant `json:"last_login"`
	Epoch      int64   `json:"session_epoch"`
	ValidAfter instant `json:"sessions_valid_after"`
	Networks   string  `json:"networks"`
	Version    int64   `json:"version"`
}

type sessionLine struct {
	Kind       string  `json:"kind"`
	ID         string  `json:"id"`
	User       string  `json:"user"`
	Epoch      int64   `json:"epoch"`
	Created    instant `json:"created"`
	Expires    instant `json:"expires"`
	Generation int     `json:"generation"`
	RotatedAt  instant `json:"rotated_at"`
	UsedAt     instant `json:"used_at"`
	RevokedAt  instant `json:"revoked_at"`
	Reason     string  `json:"reason"`
	UserAgent  string  `json:"user_agent"`
	Address    string  `json:"address"`
	Version    int64   `json:"version"`
}

type attemptLine struct {
	Kind     string  `json:"kind"`
	Subject  string  `json:"subject"`
	Failures int     `json:"failures"`
	Last     instant `json:"last"`
	Expires  instant `json:"expires"`
	Version  int64   `json:"version"`
}

type eventLine struct {
	Kind      string  `json:"kind"`
	ID        string  `json:"id"`
	At        instant `json:"at"`
	What      string  `json:"event"`
	Actor     string  `json:"actor"`
	User      string  `json:"user"`
	Session   string  `json:"session"`
	Channel   string  `json:"channel"`
	Address   string  `json:"address"`
	UserAgent string  `json:"user_agent"`
	RequestID string  `json:"request_id"`
	Detail    string  `json:"detail"`
}

// Records implements outbound.Records.
type Records struct{}

var _ outbound.Records = Records{}

// Line returns the one spelling of a record: its members in a fixed order, without blanks, only what
// JSON demands escaped, a line feed at the end.
func (Records) Line(record any) ([]byte, error) {
	switch r := record.(type) {
	case user.Snapshot:
		return line(userLine{
			kindUser, string(r.ID), r.Email, r.EmailKey, r.FirstName, r.LastName, r.Active, r.Staff, r.Password.Encoded(),
			instant(r.Joined), instant(r.LastLogin), r.SessionEpoch, instant(r.SessionsValidAfter), r.Networks.Encoded(), r.Version,
		})
	case session.Snapshot:
		return line(sessionLine{
			kindSession, string(r.ID), string(r.User), r.Epoch, instant(r.Created), instant(r.Expires), r.Generation,
			instant(r.RotatedAt), instant(r.UsedAt), instant(r.RevokedAt), string(r.Reason), r.UserAgent, r.Address, r.Version,
		})
	case lockout.Snapshot:
		return line(attemptLine{kindAttempt, string(r.Subject), r.Failures, instant(r.Last), instant(r.Expires), r.Version})
	case audit.Event:
		return line(eventLine{
			kindEvent, string(r.ID), instant(r.At), string(r.Kind), string(r.Actor), string(r.User), r.Session,
			string(r.Channel), r.Address, r.UserAgent, r.RequestID, r.Detail,
		})
	}
	return nil, fmt.Errorf("ndjson: there are no records of type %T", record)
}

func line(v any) ([]byte, error) {
	text, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true))
	return append(text, '\n'), err
}

// record reads a line of a kind, and nothing that the program does not know: what it left out would
// be lost.
func record(kind string, text []byte) (any, error) {
	switch kind {
	case kindUser:
		var l userLine
		err := parse(text, &l)
		return user.Snapshot{
			ID: user.ID(l.ID), Email: l.Email, EmailKey: l.EmailKey, FirstName: l.FirstName, LastName: l.LastName,
			Active: l.Active, Staff: l.Staff, Password: credential.RestoreHash(l.Password),
			Joined: time.Time(l.Joined), LastLogin: time.Time(l.LastLogin), SessionsValidAfter: time.Time(l.ValidAfter),
			SessionEpoch: l.Epoch, Networks: user.RestoreNetworks(l.Networks), Version: l.Version,
		}, err
	case kindSession:
		var l sessionLine
		err := parse(text, &l)
		return session.Snapshot{
			ID: session.ID(l.ID), User: user.ID(l.User), Epoch: l.Epoch, Created: time.Time(l.Created), Expires: time.Time(l.Expires),
			Generation: l.Generation, RotatedAt: time.Time(l.RotatedAt), UsedAt: time.Time(l.UsedAt), RevokedAt: time.Time(l.RevokedAt),
			Reason: session.Reason(l.Reason), UserAgent: l.UserAgent, Address: l.Address, Version: l.Version,
		}, err
	case kindAttempt:
		var l attemptLine
		err := parse(text, &l)
		return lockout.Snapshot{
			Subject: lockout.Subject(l.Subject), Failures: l.Failures, Last: time.Time(l.Last), Expires: time.Time(l.Expires), Version: l.Version,
		}, err
	case kindEvent:
		var l eventLine
		err := parse(text, &l)
		return audit.Event{
			ID: audit.ID(l.ID), At: time.Time(l.At), Kind: audit.Kind(l.What), Actor: user.ID(l.Actor), User: user.ID(l.User), Session: l.Session,
			Channel: audit.Channel(l.Channel), Address: l.Address, UserAgent: l.UserAgent, RequestID: l.RequestID, Detail: l.Detail,
		}, err
	}
	return nil, errKind
}

func parse(text []byte, into any) error {
	return json.Unmarshal(text, into, json.RejectUnknownMembers(true))
}
