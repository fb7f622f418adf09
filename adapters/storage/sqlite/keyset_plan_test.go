package sqlite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
)

// TestKeysetPlans shows that lists of sessions and events, pages of every collection, and all queries about failed
// sign-ins find their rows by one index, whatever the size of the tables.
func TestKeysetPlans(t *testing.T) {
	t.Run("without statistics", func(t *testing.T) { testKeysetPlans(t, opened(t)) })
	t.Run("of 100,000 rows", func(t *testing.T) { testKeysetPlans(t, measured(t)) })
}

// searches matches each access to a table in a plan.
var searches = regexp.MustCompile(`(?:SEARCH|SCAN) [^;]*`)

func testKeysetPlans(t *testing.T, s *Store) {
	t.Helper()
	// check fails when a statement accesses rows in another way than those in want.
	check := func(query string, args []any, want ...string) {
		t.Helper()
		got := plan(t, s, query, args...)
		if ways := searches.FindAllString(got, -1); scans.MatchString(got) || sorts.MatchString(got) || strings.Join(ways, "; ") != strings.Join(want, "; ") {
			t.Errorf("want %q\n%s\n%s", want, got, query)
		}
	}

	now := time.UnixMilli(1700000000000)
	for _, back := range []bool{false, true} {
		beyond := map[bool]string{false: "<", true: ">"}[back]
		for _, epoch := range []int64{0, 3} {
			q := session.Query{Owner: "7", LiveAt: now, Epoch: epoch, Back: back, Limit: 20}
			query, args := s.SessionList(q, user.ID("7").SortKey())
			check(query, args, "SEARCH sessions USING INDEX sessions_live (owner=?)")
			q.Skip = 99
			query, args = s.SessionList(q, user.ID("7").SortKey())
			check(query, args, "SEARCH sessions USING INDEX sessions_live (owner=?)")
			q.From = &session.Position{Created: now, ID: "x"}
			query, args = s.SessionList(q, user.ID("7").SortKey())
			check(query, args, "SEARCH sessions USING INDEX sessions_live (owner=? AND (created,id)"+beyond+"(?,?))")
		}

		for _, c := range []struct {
			of          string // the users whose events are listed
			actor, user user.ID
			equal       string // the columns of the index with a condition
		}{
			{of: ""}, {"_actor", "1", "", "actor=?"}, {"_target", "", "2", "target=?"}, {"_actor", "1", "2", "actor=?"},
		} {
			for kinds := range 4 {
				index, equal := c.of, c.equal
				switch {
				case kinds > 0:
					index += "_kind"
					equal = strings.TrimPrefix(equal+" AND kind=?", " AND ")
				case index == "":
					index = "_at"
				}
				for _, bounds := range []struct {
					want         string
					since, until bool
					from         bool
				}{
					{}, {want: ">", since: true}, {want: "<", until: true}, {want: "><", since: true, until: true},
					{want: beyond, from: true}, {want: "><", from: true, since: true, until: true},
				} {
					q := audit.Query{Filter: audit.Filter{Kinds: audit.Kinds()[:kinds], Actor: c.actor, User: c.user}, Back: back, Limit: 20}
					if bounds.since {
						q.Since = now.Add(-time.Hour)
					}
					if bounds.until {
						q.Until = now.Add(time.Hour)
					}
					if bounds.from {
						q.From = &audit.Position{At: now, ID: "x"}
					}
					conditions := equal
					for _, operator := range bounds.want {
						conditions = strings.TrimPrefix(conditions+fmt.Sprintf(" AND (at,id)%c(?,?)", operator), " AND ")
					}
					way := "SEARCH audit_events USING INDEX audit_events" + index + " (" + conditions + ")"
					if conditions == "" { // the newest or the oldest of all: the scan ends with the page
						way = "SCAN audit_events USING INDEX audit_events_at"
					}
					query, args := s.EventList(s.EventTable, q)
					if conditions == "" {
						if got := plan(t, s, query, args...); got != way {
							t.Errorf("want %s\n%s", way, got)
						}
						continue
					}
					check(query, args, slices.Repeat([]string{way}, max(kinds, 1))...)
				}
			}
		}
	}

	check(s.SweepEvents, nil, "SEARCH audit_events USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH audit_events USING COVERING INDEX audit_events_at (at<?)")
	check(s.EventTable.InsertOnce, nil)
	check(s.DeleteAttemptsOf, nil, "SEARCH attempts USING PRIMARY KEY (id>? AND id<?)")
	check(s.SweepAttempts, nil, "SEARCH attempts USING PRIMARY KEY (id=?)", "SEARCH attempts USING COVERING INDEX attempts_expires (expires<?)")
	check(s.AttemptTable.SelectByID, nil, "SEARCH attempts USING PRIMARY KEY (id=?)")
	check(s.AttemptTable.Update("failures", "last", "expires", "version"), nil, "SEARCH attempts USING PRIMARY KEY (id=?)")
	check(s.AttemptTable.InsertOnce, nil)

	check(s.SelectDue, nil, "SEARCH mails USING INDEX mails_due (due<?)")
	check(s.SelectBegun, nil, "SEARCH mails USING INDEX mails_begun (email_key=?)")
	check(s.SweepMails, nil, "SEARCH mails USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH mails USING COVERING INDEX mails_state_finished (state=? AND finished<?)")
	check(s.MailTable.SelectPage, nil, "SEARCH mails USING INDEX sqlite_autoindex_mails_1 (id>?)")
	check(s.MailTable.SelectByID, nil, "SEARCH mails USING INDEX sqlite_autoindex_mails_1 (id=?)")
	check(s.MailTable.InsertOnce, nil)
	query, args := s.MailList(mail.Query{Before: "m", Limit: 20})
	check(query, args, "SEARCH mails USING INDEX sqlite_autoindex_mails_1 (id<?)")
	check(s.SelectInvited, nil, "SEARCH users USING INDEX users_invited (id>?)")

	check(s.UserTable.SelectPage, nil, "SEARCH users USING INDEX sqlite_autoindex_users_1 (id>?)")
	for _, c := range []struct{ table, column, index string }{
		{"users", "id", "SEARCH users USING COVERING INDEX sqlite_autoindex_users_1 (id=?)"}, {"users", "email_key", "SEARCH users USING COVERING INDEX users_email_key (email_key=?)"},
		{"sessions", "id", "SEARCH sessions USING COVERING INDEX sqlite_autoindex_sessions_1 (id=?)"}, {"attempts", "id", "SEARCH attempts USING PRIMARY KEY (id=?)"},
		{"audit_events", "id", "SEARCH audit_events USING COVERING INDEX sqlite_autoindex_audit_events_1 (id=?)"},
	} {
		query, args := dialect.SelectAny(c.table, c.column, []string{"1", "2"})
		check(query, args, c.index)
	}
	check(s.SessionTable.SelectPage, nil, "SEARCH sessions USING INDEX sqlite_autoindex_sessions_1 (id>?)")
	check(s.AttemptTable.SelectPage, nil, "SEARCH attempts USING PRIMARY KEY (id>?)")
	check(s.EventTable.SelectPage, nil, "SEARCH audit_events USING INDEX sqlite_autoindex_audit_events_1 (id>?)")
	for table, columns := range map[string][]sqltable.Column{"sessions": s.SessionTable.Columns, "attempts": s.AttemptTable.Columns, "audit_events": s.EventTable.Columns} {
		row := make([]any, len(columns))
		query, args := dialect.InsertNew(table, columns, [][]any{row, row}, "id")
		check(query, args, "SCAN 2-ROW VALUES CLAUSE")
	}
}
