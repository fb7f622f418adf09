package httpapi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/user"
)

// wireUser is a user in a response, with the members in the contract's order.
type wireUser struct {
	ID         wireID    `json:"id"`
	Email      string    `json:"email"`
	FirstName  string    `json:"first_name"`
	LastName   string    `json:"last_name"`
	IsActive   bool      `json:"is_active"`
	IsStaff    bool      `json:"is_staff"`
	DateJoined wireTime  `json:"date_joined"`
	LastLogin  *wireTime `json:"last_login"`
}

// mailUser is a user with what concerns its mail.
type mailUser struct {
	wireUser

	EmailVerified bool    `json:"email_verified"`
	Locale        *string `json:"locale"`
}

func toMailUser(u *user.User) mailUser {
	out := mailUser{wireUser: toWireUser(u), EmailVerified: u.EmailState() == user.EmailVerified}
	if locale := u.Snapshot().Contact.Locale; locale != "" {
		out.Locale = &locale
	}
	return out
}

func toWireUser(u *user.User) wireUser {
	s := u.Snapshot()
	w := wireUser{
		ID: wireID(s.ID), Email: s.Email, FirstName: s.FirstName, LastName: s.LastName,
		IsActive: s.Active, IsStaff: s.Staff, DateJoined: wireTime(s.Joined),
	}
	if !s.LastLogin.IsZero() {
		w.LastLogin = new(wireTime(s.LastLogin))
	}
	return w
}

// wireID is a user id: an integer id is a JSON number, any other a string.
type wireID user.ID

// optionalWireID returns nil for no id.
func optionalWireID(id user.ID) *wireID {
	if id == "" {
		return nil
	}
	return new(wireID(id))
}

// MarshalJSONTo implements json.MarshalerTo, as that of wireTime without memory of its own.
func (id wireID) MarshalJSONTo(e *jsontext.Encoder) error {
	if n, ok := user.ID(id).Integer(); ok {
		return e.WriteToken(jsontext.Int(n))
	}
	return e.WriteToken(jsontext.String(string(id)))
}

// timeLayout is DRF's layout of a UTC time with a fraction of a second.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// wireTime is a time in DRF's form: in UTC, with microseconds unless they are zero.
type wireTime time.Time

// MarshalJSONTo implements json.MarshalerTo.
func (t wireTime) MarshalJSONTo(e *jsontext.Encoder) error {
	layout := timeLayout
	if time.Time(t).Nanosecond() == 0 {
		layout = time.RFC3339
	}
	quoted := append(e.AvailableBuffer(), '"')
	return e.WriteValue(append(time.Time(t).UTC().AppendFormat(quoted, layout), '"'))
}
