package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"roster/domain/user"
)

// userWriter prints users, one after the other.
type userWriter interface {
	add(u *user.User) error
	flush() error
}

// printUser prints one user.
func printUser(w userWriter, u *user.User) error { return errors.Join(w.add(u), w.flush()) }

// format is the flag --format.
type format struct{ name *string }

func formatFlag(cmd *cobra.Command) format {
	f := format{cmd.Flags().String("format", "table", "`form` of the output: table, or json for one object a line")}
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return f
}

func (f format) get(cmd *cobra.Command) (func(io.Writer) userWriter, error) {
	form := newUserTable
	json, err := f.json(cmd)
	if json {
		form = newUserLines
	}
	return form, err
}

// json reports whether JSON was asked for.
func (f format) json(cmd *cobra.Command) (bool, error) {
	switch *f.name {
	case "table":
		return false, nil
	case "json":
		return true, nil
	}
	return false, misuse(cmd, "--format must be table or json, not %q", *f.name)
}

// userTable prints users as columns. Columns are aligned in stretches, so that a table of any length
// takes little memory.
type userTable struct {
	w    *tabwriter.Writer
	rows int
}

const stretch = 1000

func newUserTable(w io.Writer) userWriter {
	t := &userTable{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	_, _ = fmt.Fprintln(t.w, "ID\tEMAIL\tFIRST NAME\tLAST NAME\tACTIVE\tSTAFF\tJOINED\tLAST LOGIN")
	return t
}

func (t *userTable) add(u *user.User) error {
	s := u.Snapshot()
	_, err := fmt.Fprintf(t.w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
		s.ID, visible(s.Email), visible(s.FirstName), visible(s.LastName), yesNo(s.Active), yesNo(s.Staff), moment(s.Joined), moment(s.LastLogin))
	if t.rows++; err == nil && t.rows%stretch == 0 {
		err = t.w.Flush()
	}
	return err
}

func (t *userTable) flush() error { return t.w.Flush() }

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

// userLines prints users as the API's JSON objects, one a line.
type userLines struct{ enc *json.Encoder }

func newUserLines(w io.Writer) userWriter {
	enc := json.NewEncoder(jsonWriter{w})
	enc.SetEscapeHTML(false)
	return userLines{enc}
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

func (l userLines) add(u *user.User) error {
	s := u.Snapshot()
	o := userObject{
		ID: s.ID, Email: s.Email, FirstName: s.FirstName, LastName: s.LastName, IsActive: s.Active, IsStaff: s.Staff,
		DateJoined: instant(s.Joined), LastLogin: instant(s.LastLogin),
	}
	if n, ok := s.ID.Integer(); ok {
		o.ID = n
	}
	return l.enc.Encode(o)
}

func (userLines) flush() error { return nil }

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
