package console

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"roster/domain/user"
)

// exportBatch is how many users an export reads at once.
const exportBatch = 1000

// exported are the columns of an export.
var exported = []struct {
	name string
	text func(user.Snapshot) string
}{
	{"id", func(u user.Snapshot) string { return string(u.ID) }},
	{"email", func(u user.Snapshot) string { return u.Email }},
	{"first_name", func(u user.Snapshot) string { return u.FirstName }},
	{"last_name", func(u user.Snapshot) string { return u.LastName }},
	{"is_active", func(u user.Snapshot) string { return strconv.FormatBool(u.Active) }},
	{"is_staff", func(u user.Snapshot) string { return strconv.FormatBool(u.Staff) }},
	{"email_verified", func(u user.Snapshot) string { return strconv.FormatBool(u.EmailState == user.EmailVerified) }},
	{"date_joined", func(u user.Snapshot) string { return timestamp(u.Joined) }},
	{"last_login", func(u user.Snapshot) string { return timestamp(u.LastLogin) }},
	{"locale", func(u user.Snapshot) string { return u.Contact.Locale }},
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// exportUsers writes all users of a list as CSV (RFC 4180). It reads and writes them in batches. An export that fails
// half way breaks the connection, so that it does not look complete.
func (s *server) exportUsers(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, q := parseUserList(v.query)
	q.Limit = exportBatch
	out := csv.NewWriter(w)
	row := make([]string, len(exported))
	for first := true; ; first = false {
		users, err := s.Accounts.List(r.Context(), v.Actor, q)
		switch {
		case err != nil && first:
			return err
		case err != nil:
			s.explain(w, r, err)
			panic(http.ErrAbortHandler)
		}
		if first {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="users.csv"`)
			for i, c := range exported {
				row[i] = c.name
			}
			_ = out.Write(row) // Error reports it
		}
		for _, u := range users {
			snapshot := u.Snapshot()
			for i, c := range exported {
				row[i] = plainCell(c.text(snapshot))
			}
			_ = out.Write(row)
		}
		if out.Flush(); out.Error() != nil || len(users) < exportBatch {
			return nil // the client has gone, or has all
		}
		last := users[len(users)-1].Position()
		q.From = &last
	}
}

// plainCell returns a text that no spreadsheet takes for a formula (OWASP, CSV injection): with an apostrophe before
// what begins as one.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
