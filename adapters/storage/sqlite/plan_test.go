package sqlite

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"roster/domain/user"
)

// crowded returns a Store that SQLite takes to have 100,000 users and as many sessions. What it knows of
// sizes are its statistics, never the tables themselves, so there need not be any rows.
func crowded(t *testing.T) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roster.db")
	for first := true; ; first = false {
		s, err := New(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !first { // and has read the statistics
			t.Cleanup(func() { _ = s.Close(context.Background()) })
			return s
		}
		for _, statement := range []string{
			"ANALYZE", // makes the table of statistics
			"DELETE FROM sqlite_stat1",
			`INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
				('users', 'sqlite_autoindex_users_1', '100000 1'), ('users', 'users_email_key', '100000 1'),
				('users', 'users_joined', '100000 2 1'), ('users', 'users_email', '100000 1 1'),
				('users', 'users_first_name', '100000 100 1'), ('users', 'users_last_name', '100000 20 1'),
				('sessions', 'sqlite_autoindex_sessions_1', '100000 1'),
				('sessions', 'sessions_owner', '100000 4 1 1'), ('sessions', 'sessions_expires', '100000 2'),
				('attempts', 'attempts', '100000 1'), ('attempts', 'attempts_expires', '100000 1 1'),
				('audit_events', 'sqlite_autoindex_audit_events_1', '100000 1'), ('audit_events', 'audit_events_at', '100000 2 1'),
				('audit_events', 'audit_events_kind', '100000 10000 2 1'),
				('audit_events', 'audit_events_actor', '80000 40 1 1'), ('audit_events', 'audit_events_actor_kind', '80000 40 10 1 1'),
				('audit_events', 'audit_events_target', '90000 50 1 1'), ('audit_events', 'audit_events_target_kind', '90000 50 10 1 1'),
				('counters', 'counters', '2 1')`,
		} {
			if _, err := s.writer.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// plan returns how SQLite means to answer a statement.
func plan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	if len(args) == 0 { // any will do
		for range strings.Count(query, "?") {
			args = append(args, "1")
		}
	}
	rows, err := s.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "; ")
}

var (
	scans = regexp.MustCompile(`SCAN (users|sessions|attempts|audit_events)\b`)
	walks = regexp.MustCompile(`SCAN users USING INDEX`) // in the order wanted
	sorts = regexp.MustCompile(`USE TEMP B-TREE`)
)

// What a plan may do besides going to what it returns by an index.
const (
	walk = 1 << iota // read users in the order wanted, until the page is full
	sort             // sort
	scan             // read all users
)

// exceptions are the queries that may do more, with the reason why.
var exceptions = map[string]struct {
	may    int
	reason string
}{
	"first page":                   {walk, "the walk ends with the page: LIMIT and OFFSET are how far it goes"},
	"filtered, first page":         {walk, "users who do not fit are passed by; how many depends on how rare the wanted ones are"},
	"mixed directions, first page": {walk | sort, "no index has both directions: users equal in the first criterion are sorted, run by run"},
	"mixed directions, next page":  {sort, "as above, from the place on"},
	"two criteria, first page":     {walk | sort, "no index has two criteria: users equal in the first are sorted, run by run"},
	"two criteria, next page":      {sort, "as above, from the place on"},
	"search, first page":           {walk, "text within text has no index: users who do not match are passed by, all of them when nobody does"},
	"filtered, two criteria":       {walk | scan | sort, "all are read, as without the second criterion when few fit; the sort keeps no more than the page"},
	"count of a kind":              {scan, "nothing counts active or staff users apart: all are read, in one go"},
	"count of a search":            {scan, "text within text has no index: all are read, in one go"},
}

// TestPlans shows that what the adapter can ask is served by indexes, whatever the number of users.
func TestPlans(t *testing.T) {
	t.Run("without statistics", func(t *testing.T) { testPlans(t, opened(t)) }) // as long as nobody runs ANALYZE
	t.Run("of 100,000 rows", func(t *testing.T) { testPlans(t, crowded(t)) })
}

func testPlans(t *testing.T, s *Store) {
	t.Helper()
	used := map[string]int{}
	// check fails when a statement does what it may not, or its plan does not hold a text.
	check := func(kind, index, query string, args ...any) {
		t.Helper()
		got := plan(t, s, query, args...)
		does := 0
		rest := got
		if strings.Contains(query, " LIMIT ? OFFSET ?") && walks.MatchString(rest) {
			does |= walk
			rest = walks.ReplaceAllString(rest, "")
		}
		if scans.MatchString(rest) {
			does |= scan
		}
		if sorts.MatchString(got) {
			does |= sort
		}
		used[kind] |= does
		if does&^exceptions[kind].may != 0 || !strings.Contains(got, index) {
			t.Errorf("%s: want %q\n%s\n%s", kind, index, got, query)
		}
	}

	// What lists are asked for.
	place := somebody(t, "54321").Position()
	filters := map[string]user.Filter{
		"active": {Active: new(true)}, "inactive": {Active: new(false)}, "staff": {Staff: new(true)}, "no staff": {Staff: new(false)},
		"active staff": {Active: new(true), Staff: new(true)},
	}
	searches := map[string]user.Filter{
		"one term": {Terms: []string{"user4242@"}}, "two terms": {Terms: []string{"user77", "first777"}}, "a short term": {Terms: []string{"us"}},
		"long and short": {Terms: []string{"user4242@", "us"}}, "filtered": {Terms: []string{"user4242@"}, Active: new(true), Staff: new(false)},
		"very many": {Terms: strings.Fields("abc abcd abcde bcd bcde cde def defg efg fgh fghi ghi hij hijk ijk jkl jklm klm lmn mno nop")},
	}
	asked := func(kind, index string, q user.Query) {
		t.Helper()
		query, args := list(q)
		check(kind, index, query, args...)
	}
	indexes := map[user.Sort]string{
		user.SortID: "sqlite_autoindex_users_1", user.SortJoined: "users_joined", user.SortEmail: "users_email",
		user.SortFirstName: "users_first_name", user.SortLastName: "users_last_name",
	}
	for by, index := range indexes {
		for _, sign := range []string{"", "-"} {
			order := user.Ordering(sign + string(by))
			from := "SCAN users USING INDEX " + index
			next := "SEARCH users USING INDEX " + index + " (" +
				map[bool]string{false: "(" + strings.TrimPrefix(index, "users_") + ",id)", true: "id"}[by == user.SortID] + map[string]string{"": ">", "-": "<"}[sign]
			asked("first page", from, user.Query{Order: order, Limit: 20})
			asked("first page", from, user.Query{Order: order, Limit: 20, Offset: 40})
			asked("next page", next, user.Query{Order: order, Limit: 20, From: &place})
			asked("next page", next, user.Query{Order: order, Limit: 20, From: &place, Offset: 40})
			for _, f := range filters {
				asked("filtered, first page", from, user.Query{Order: order, Limit: 20, Filter: f})
				asked("filtered, next page", next, user.Query{Order: order, Limit: 20, Filter: f, From: &place})
			}
			for _, f := range searches {
				asked("search, first page", from, user.Query{Order: order, Limit: 20, Filter: f})
				asked("search, next page", next, user.Query{Order: order, Limit: 20, Filter: f, From: &place})
			}
			asked("only one", "(id=?", user.Query{Order: order, Limit: 20, Filter: user.Filter{Only: "7", Terms: []string{"user"}}})
			asked("only one", "(id=?", user.Query{Order: order, Limit: 20, Filter: user.Filter{Only: "7"}, From: &place})
			asked("only one", "(id=?", user.Query{Order: order, Limit: 20, Filter: user.Filter{Only: "07"}})

			for then := range indexes {
				if then == by || by == user.SortID { // the first decides
					continue
				}
				for _, second := range []string{"", "-"} {
					if then == user.SortID && second == sign {
						continue // what every index has
					}
					kind := map[bool]string{true: "two criteria", false: "mixed directions"}[sign == second]
					order := user.Ordering(sign + string(by) + "," + second + string(then))
					asked(kind+", first page", from, user.Query{Order: order, Limit: 20})
					asked(kind+", next page", "SEARCH users USING INDEX "+index, user.Query{Order: order, Limit: 20, From: &place})
					asked("mixed directions, next page", "SEARCH users USING INDEX "+index, user.Query{Order: order, Limit: 20, Filter: searches["one term"], From: &place})
					asked("filtered, two criteria", "USE TEMP B-TREE FOR ", user.Query{Order: order, Limit: 20, Filter: searches["one term"]})
				}
			}
		}
	}

	// What counts are asked for.
	counts := func(kind, index string, f user.Filter) {
		t.Helper()
		query, args := count(f)
		check(kind, index, query, args...)
	}
	counts("count of all", "SEARCH counters", user.Filter{})
	counts("count of one", "(id=?", user.Filter{Only: "7"})
	for _, f := range filters {
		counts("count of a kind", "SCAN users", f)
	}
	for _, f := range searches {
		counts("count of a search", "SCAN users", f)
	}

	// All the rest.
	for query, index := range map[string]string{
		userTable.selectWhere("id"): "sqlite_autoindex_users_1 (id=?)", userTable.selectWhere("email_key"): "users_email_key (email_key=?)",
		sessionTable.selectWhere("id"):                     "sqlite_autoindex_sessions_1 (id=?)",
		userTable.updateColumns("search", "first_name"):    "sqlite_autoindex_users_1 (id=?)",
		sessionTable.updateColumns("generation", "reason"): "sqlite_autoindex_sessions_1 (id=?)",
		deleteUser:            "sqlite_autoindex_users_1 (id=?)",
		deleteOf:              "sessions_owner (owner=?)",
		sweep:                 "sessions_expires (expires<?)",
		selectCounter:         "SEARCH counters",
		setCounter:            "SEARCH counters",
		raiseCounter:          "SEARCH counters",
		selectPing:            "SEARCH counters",
		userTable.insert():    "",
		sessionTable.insert(): "",
	} {
		check("statement", index, query)
	}

	for kind, e := range exceptions {
		if used[kind] != e.may {
			t.Errorf("exception %q (%s): it may do %03b, and does %03b", kind, e.reason, e.may, used[kind])
		}
	}
}
