package sqlite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/domain/user"
)

// TestKeysetPlans shows that lists of sessions and events, pages of all there is, and all that is asked
// about failed sign-ins, go to what they return by one index, however much there is.
func TestKeysetPlans(t *testing.T) {
	t.Run("without statistics", func(t *testing.T) { testKeysetPlans(t, opened(t)) })
	t.Run("of 100,000 rows", func(t *testing.T) { testKeysetPlans(t, measured(t)) })
}

// searches finds each way to rows in a plan.
var searches = regexp.MustCompile(`(?:SEARCH|SCAN) [^;]*`)

func testKeysetPlans(t *testing.T, s *Store) {
	t.Helper()
	// check fails when a statement goes to rows in another way than those given.
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
			query, args := listSessions(q, user.ID("7").SortKey())
			check(query, args, "SEARCH sessions USING INDEX sessions_live (owner=?)")
			q.Skip = 99
			query, args = listSessions(q, user.ID("7").SortKey())
			check(query, args, "SEARCH sessions USING INDEX sessions_live (owner=?)")
			q.From = &session.Position{Created: now, ID: "x"}
			query, args = listSessions(q, user.ID("7").SortKey())
			check(query, args, "SEARCH sessions USING INDEX sessions_live (owner=? AND (created,id)"+beyond+"(?,?))")
		}

		for _, c := range []struct {
			of          string // whose events
			actor, user user.ID
			equal       string // of the index
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
					if conditions == "" { // the newest or the oldest of all: the walk ends with the page
						way = "SCAN audit_events USING INDEX audit_events_at"
					}
					query, args := listEvents(q)
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

	check(sweepEvents, nil, "SEARCH audit_events USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH audit_events USING COVERING INDEX audit_events_at (at<?)")
	check(appendEvent(), nil)
	check(deleteAttemptsOf, nil, "SEARCH attempts USING PRIMARY KEY (id>? AND id<?)")
	check(sweepAttempts, nil, "SEARCH attempts USING PRIMARY KEY (id=?)", "SEARCH attempts USING COVERING INDEX attempts_expires (expires<?)")
	check(attemptTable.selectWhere("id"), nil, "SEARCH attempts USING PRIMARY KEY (id=?)")
	check(attemptTable.updateColumns("failures", "last", "expires", "version"), nil, "SEARCH attempts USING PRIMARY KEY (id=?)")
	check(attemptTable.insert(), nil)

	check(userTable.selectPage(), nil, "SEARCH users USING INDEX sqlite_autoindex_users_1 (id>?)")
	check(userTable.countID(), nil, "SEARCH users USING COVERING INDEX sqlite_autoindex_users_1 (id=?)")
	check(sessionTable.selectPage(), nil, "SEARCH sessions USING INDEX sqlite_autoindex_sessions_1 (id>?)")
	check(attemptTable.selectPage(), nil, "SEARCH attempts USING PRIMARY KEY (id>?)")
	check(eventTable.selectPage(), nil, "SEARCH audit_events USING INDEX sqlite_autoindex_audit_events_1 (id>?)")
	check(sessionTable.insertNew(2), nil, "SCAN 2-ROW VALUES CLAUSE")
	check(attemptTable.insertNew(2), nil, "SCAN 2-ROW VALUES CLAUSE")
	check(eventTable.insertNew(2), nil, "SCAN 2-ROW VALUES CLAUSE")
}
