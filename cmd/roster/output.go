package main

import (
	"strconv"
	"time"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

var (
	userList = console.List[*user.User]{
		Headings: []string{"ID", "EMAIL", "FIRST NAME", "LAST NAME", "ACTIVE", "STAFF", "JOINED", "LAST LOGIN"},
		Row: func(u *user.User) []string {
			s := u.Snapshot()
			return []string{
				string(s.ID), s.Email, s.FirstName, s.LastName, yesNo(s.Active), yesNo(s.Staff), timeText(s.Joined), timeText(s.LastLogin),
			}
		},
		Object: func(u *user.User) any { return newUserObject(u) },
	}
	sessionList = console.List[*session.Session]{
		Headings: []string{"ID", "CREATED", "LAST USED", "EXPIRES", "ADDRESS", "USER AGENT"},
		Row: func(x *session.Session) []string {
			s := x.Snapshot()
			return []string{string(s.ID), timeText(s.Created), timeText(x.LastUsed()), timeText(s.Expires), s.Address, s.UserAgent}
		},
		Object: func(x *session.Session) any {
			s := x.Snapshot()
			return sessionObject{
				s.ID, jsonID(s.User), jsonTime(s.Created), jsonTime(x.LastUsed()), jsonTime(s.Expires), s.Address, s.UserAgent,
			}
		},
	}
	mailList = console.List[*mail.Mail]{
		Headings: []string{"ID", "QUEUED", "KIND", "TO", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "REASON"},
		Row: func(m *mail.Mail) []string {
			s, next := m.Snapshot(), ""
			if !s.Due.IsZero() {
				next = timeText(s.Due)
			}
			return []string{
				string(s.ID), timeText(s.Queued), string(s.Kind), s.To, string(s.State), strconv.Itoa(s.Attempts), next, s.Reason,
			}
		},
		Object: func(m *mail.Mail) any {
			s := m.Snapshot()
			return mailObject{
				s.ID, s.Kind, s.To, jsonID(s.User), s.State, jsonTime(s.Queued), jsonTime(s.Due), jsonTime(s.Finished), s.Attempts, s.Reason,
			}
		},
	}
	keyList = console.List[bootstrap.SigningKey]{
		Headings: []string{"KID", "ALGORITHM", "STATE", "UNTIL", "CREATED"},
		Row: func(k bootstrap.SigningKey) []string {
			until := ""
			if !k.Until.IsZero() {
				until = timeText(k.Until)
			}
			return []string{k.ID, k.Algorithm, string(k.State), until, timeText(k.Created)}
		},
		Object: func(k bootstrap.SigningKey) any {
			created, until := k.Created.Truncate(time.Second), k.Until.Truncate(time.Second)
			return keyObject{k.ID, k.Algorithm, string(k.State), jsonTime(until), jsonTime(created)}
		},
	}
)

func userLines(u *user.User) []console.Line {
	s, password := u.Snapshot(), "none fits; set one with user set-password"
	if s.Password.Usable() {
		password = "set"
	}
	return []console.Line{
		{"id", string(s.ID)},
		{"email", s.Email + emailNote[s.EmailState]},
		{"first name", s.FirstName},
		{"last name", s.LastName},
		{"active", yesNo(s.Active)},
		{"staff", yesNo(s.Staff)},
		{"password", password},
		{"joined", timeText(s.Joined)},
		{"last login", timeText(s.LastLogin)},
	}
}

// emailNote is what an operator should know of an address in a state.
var emailNote = map[user.EmailState]string{
	user.EmailUnverified: "", user.EmailVerified: " (verified)", user.AwaitingActivation: " (the account waits for its activation)",
	user.Invited: " (the invitation waits to be accepted)",
}

func statusLines(s inbound.SignInStatus) []console.Line {
	last := timeText(s.LastFailure)
	if s.FailedFrom != "" {
		last += " from " + s.FailedFrom
	}
	locked := "no"
	if !s.LockedUntil.IsZero() {
		locked = "until " + timeText(s.LockedUntil) + "; user unlock ends that"
	}
	return []console.Line{
		{"sessions", strconv.Itoa(s.Sessions)},
		{"last failed sign-in", last},
		{"counted failures", strconv.Itoa(s.Failures)},
		{"locked", locked},
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.DateTime) + " UTC"
}

// userObject has the members of a user in the API, in its order.
type userObject struct {
	ID         any    `json:"id"`
	Email      string `json:"email"`
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
	IsActive   bool   `json:"is_active"`
	IsStaff    bool   `json:"is_staff"`
	DateJoined any    `json:"date_joined"`
	LastLogin  any    `json:"last_login"`
	Verified   bool   `json:"email_verified"`
	Locale     any    `json:"locale"`
}

func newUserObject(u *user.User) userObject {
	s := u.Snapshot()
	o := userObject{
		ID: jsonID(s.ID), Email: s.Email, FirstName: s.FirstName, LastName: s.LastName, IsActive: s.Active, IsStaff: s.Staff,
		DateJoined: jsonTime(s.Joined), LastLogin: jsonTime(s.LastLogin), Verified: s.EmailState == user.EmailVerified,
	}
	if s.Contact.Locale != "" {
		o.Locale = s.Contact.Locale
	}
	return o
}

// statusObject is a user with the status of the sign-ins.
type statusObject struct {
	userObject

	Sessions       int    `json:"sessions"`
	LastFailure    any    `json:"last_failed_sign_in"`
	FailedFrom     string `json:"failed_from"`
	Failures       int    `json:"failed_sign_ins"`
	LockedUntil    any    `json:"locked_until"`
	PasswordUsable bool   `json:"has_password"`
}

func newStatusObject(u *user.User, s inbound.SignInStatus) statusObject {
	return statusObject{
		newUserObject(u), s.Sessions, jsonTime(s.LastFailure), s.FailedFrom, s.Failures, jsonTime(s.LockedUntil), u.Password().Usable(),
	}
}

// sessionObject has the members of a session in the API, without the one that depends on the request.
type sessionObject struct {
	ID        session.ID `json:"id"`
	User      any        `json:"user"`
	Created   any        `json:"created"`
	LastUsed  any        `json:"last_used"`
	Expires   any        `json:"expires"`
	Address   string     `json:"address"`
	UserAgent string     `json:"user_agent"`
}

type mailObject struct {
	ID       mail.ID    `json:"id"`
	Kind     mail.Kind  `json:"kind"`
	To       string     `json:"to"`
	User     any        `json:"user"` // null when the user is found by the address as the mail is sent
	State    mail.State `json:"state"`
	Queued   any        `json:"queued"`
	Due      any        `json:"due"` // null when finished
	Finished any        `json:"finished"`
	Attempts int        `json:"attempts"`
	Reason   string     `json:"reason"`
}

type previewObject struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

type keyObject struct {
	KID       string `json:"kid"`
	Algorithm string `json:"algorithm"`
	State     string `json:"state"`
	Until     any    `json:"until"` // null for a key that has not stopped signing
	Created   any    `json:"created"`
}

// jsonID returns an integer id as a number, any other as a text, and null for none.
func jsonID(id user.ID) any {
	if n, ok := id.Integer(); ok {
		return n
	}
	if id == "" {
		return nil
	}
	return id
}

// jsonTime returns a time in the form of Django REST Framework, with six digits of a second or none, and null for never.
func jsonTime(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case t.Nanosecond() < int(time.Microsecond):
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}
