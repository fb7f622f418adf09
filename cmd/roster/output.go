package main

import (
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"roster/cmd/roster/console"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// format is the flag --format: plain, which is the name of the form for people, or json.
type format struct {
	name  *string
	plain string
}

func formatFlag(cmd *cobra.Command, plain string) format {
	name := cmd.Flags().String("format", plain, "`form` of the output: "+plain+", or json for one object a line")
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{plain, "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return format{name, plain}
}

// get returns how a list of users is printed.
func (f format) get(cmd *cobra.Command) (func(io.Writer) console.Printer[*user.User], error) {
	form := newUserTable
	json, err := f.json(cmd)
	if json {
		form = func(w io.Writer) console.Printer[*user.User] {
			return console.NewJSONLines(w, func(u *user.User) any { return newUserObject(u) })
		}
	}
	return form, err
}

// json reports whether JSON was asked for.
func (f format) json(cmd *cobra.Command) (bool, error) {
	switch *f.name {
	case f.plain:
		return false, nil
	case "json":
		return true, nil
	}
	return false, misuse(cmd, "--format must be %s or json, not %q", f.plain, *f.name)
}

func newUserTable(w io.Writer) console.Printer[*user.User] {
	return console.NewTable(w, func(u *user.User) []string {
		s := u.Snapshot()
		return []string{string(s.ID), s.Email, s.FirstName, s.LastName, yesNo(s.Active), yesNo(s.Staff), moment(s.Joined), moment(s.LastLogin)}
	}, "ID", "EMAIL", "FIRST NAME", "LAST NAME", "ACTIVE", "STAFF", "JOINED", "LAST LOGIN")
}

func newSessionTable(w io.Writer) console.Printer[*session.Session] {
	return console.NewTable(w, func(x *session.Session) []string {
		s := x.Snapshot()
		return []string{string(s.ID), moment(s.Created), moment(x.LastUsed()), moment(s.Expires), s.Address, s.UserAgent}
	}, "ID", "CREATED", "LAST USED", "EXPIRES", "ADDRESS", "USER AGENT")
}

func userLines(u *user.User) []console.Line {
	s := u.Snapshot()
	return []console.Line{
		{"id", string(s.ID)},
		{"email", s.Email},
		{"first name", s.FirstName},
		{"last name", s.LastName},
		{"active", yesNo(s.Active)},
		{"staff", yesNo(s.Staff)},
		{"password", map[bool]string{true: "set", false: "none fits; set one with user set-password"}[s.Password.Usable()]},
		{"joined", moment(s.Joined)},
		{"last login", moment(s.LastLogin)},
	}
}

func standingLines(s inbound.SignInStatus) []console.Line {
	last := moment(s.LastFailure)
	if s.FailedFrom != "" {
		last += " from " + s.FailedFrom
	}
	locked := "no"
	if !s.LockedUntil.IsZero() {
		locked = "until " + moment(s.LockedUntil) + "; user unlock ends that"
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

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.DateTime) + " UTC"
}

// userObject has the members of a user in the API, in its order.
type userObject struct {
	ID         any     `json:"id"` // a number when it is a counted one
	Email      string  `json:"email"`
	FirstName  string  `json:"first_name"`
	LastName   string  `json:"last_name"`
	IsActive   bool    `json:"is_active"`
	IsStaff    bool    `json:"is_staff"`
	DateJoined *string `json:"date_joined"`
	LastLogin  *string `json:"last_login"`
}

func newUserObject(u *user.User) userObject {
	s := u.Snapshot()
	return userObject{
		ID: jsonID(s.ID), Email: s.Email, FirstName: s.FirstName, LastName: s.LastName, IsActive: s.Active, IsStaff: s.Staff,
		DateJoined: instant(s.Joined), LastLogin: instant(s.LastLogin),
	}
}

func jsonID(id user.ID) any {
	if n, ok := id.Integer(); ok {
		return n
	}
	return id
}

// standingObject is a user with what is known of the sign-ins.
type standingObject struct {
	userObject

	Sessions       int     `json:"sessions"`
	LastFailure    *string `json:"last_failed_sign_in"`
	FailedFrom     string  `json:"failed_from"`
	Failures       int     `json:"failed_sign_ins"`
	LockedUntil    *string `json:"locked_until"`
	PasswordUsable bool    `json:"has_password"`
}

func newStandingObject(u *user.User, s inbound.SignInStatus) standingObject {
	return standingObject{
		newUserObject(u), s.Sessions, instant(s.LastFailure), s.FailedFrom, s.Failures, instant(s.LockedUntil), u.Password().Usable(),
	}
}

// sessionObject has the members of a session in the API, but for the one that depends on the request.
type sessionObject struct {
	ID        session.ID `json:"id"`
	User      any        `json:"user"`
	Created   *string    `json:"created"`
	LastUsed  *string    `json:"last_used"`
	Expires   *string    `json:"expires"`
	Address   string     `json:"address"`
	UserAgent string     `json:"user_agent"`
}

func newSessionObject(x *session.Session) sessionObject {
	s := x.Snapshot()
	return sessionObject{s.ID, jsonID(s.User), instant(s.Created), instant(x.LastUsed()), instant(s.Expires), s.Address, s.UserAgent}
}

// instant is Django REST Framework's form: six digits of a second, or none when they are zero.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	layout := "2006-01-02T15:04:05.000000Z"
	if t.Nanosecond() < int(time.Microsecond) {
		layout = "2006-01-02T15:04:05Z"
	}
	text := t.UTC().Format(layout)
	return &text
}
