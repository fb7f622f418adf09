package postgres

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"roster/adapters/storage/sqltable"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
)

// opened returns a started Store on a new database.
func opened(t *testing.T) *Store {
	t.Helper()
	s, err := New(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// crowded returns a Store with 100,000 users and as many sessions, for which the server has statistics.
func crowded(t *testing.T) *Store {
	t.Helper()
	s := opened(t)
	c, err := pgx.Connect(t.Context(), s.config.ConnString()) // without the store's time limit
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var again string
	if err := c.QueryRow(t.Context(), "SELECT pg_get_indexdef('users_search'::regclass)").Scan(&again); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"DROP INDEX users_search", // making it at once is faster
		`INSERT INTO users SELECT lpad(n::text, 19, '0'), 'user' || n || '@example.com', 'user' || n || '@example.com',
			'First' || n % 1000, 'Last' || n * 7919 % 5000, n % 1000 <> 0, n % 500 = 0, 'x', 1700000000000 + n * 7919 % 100000 * 1000,
			NULL, NULL, 1, 'user' || n || E'@example.com\nfirst' || n % 1000 || E'\nlast' || n * 7919 % 5000
			FROM generate_series(1, 100000) AS n`,
		`INSERT INTO sessions SELECT md5(n::text), lpad((n * 7919 % 30000)::text, 19, '0'), 1, 1700000000000 + n * 7919 % 100000 * 1000,
			0, NULL, NULL, '', '', '', 1 FROM generate_series(1, 100000) AS n`,
		again, "VACUUM ANALYZE users", "VACUUM ANALYZE sessions",
	} {
		if _, err := c.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return s
}

// plan returns how the server means to answer a statement with these values.
func plan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	return explained(t, s.pool, "EXPLAIN (COSTS OFF) "+query, append([]any{s.listing}, args...)...)
}

// generic returns how the server means to answer a statement that is asked again and again, with any
// values.
func generic(t *testing.T, s *Store, query string) (out string) {
	t.Helper()
	places := map[string]bool{}
	for _, p := range regexp.MustCompile(`\$\d+`).FindAllString(query, -1) {
		places[p] = true
	}
	execute := "EXECUTE asked"
	if len(places) > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", len(places)-1) + ")"
	}
	err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		for _, statement := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE asked AS " + query} {
			if _, err := tx.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		out = explained(t, tx, "EXPLAIN (COSTS OFF) "+execute, pgx.QueryExecModeSimpleProtocol)
		_, err := tx.Exec(t.Context(), "DEALLOCATE asked")
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func explained(t *testing.T, q runner, statement string, args ...any) string {
	t.Helper()
	rows, err := q.Query(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return strings.Join(lines, "\n")
}

var (
	scans = regexp.MustCompile(`Seq Scan on (users|sessions|attempts|audit_events)`)
	sorts = regexp.MustCompile(`\bSort\b`)
)

// exceptions are the queries that may sort or read more than they return, with the reason why.
var exceptions = map[string]string{
	"mixed directions, first page": "no index has both directions: users equal in the first criterion are sorted, page by page",
	"mixed directions, next page":  "as above, from the place on",
	"two criteria, first page":     "no index has two criteria: users equal in the first are sorted, page by page",
	"two criteria, next page":      "as above, from the place on",
	"search":                       "the users examined are sorted, outbound.SearchCandidates at most",
	"staff, by last_name":          "the few staff users are found by their own index and sorted",
	"inactive, by last_name":       "as the staff",
	"only one":                     "one row is sorted",
}

// TestPlans shows that what requests ask is served by indexes on a table of 100,000 users.
func TestPlans(t *testing.T) {
	s := crowded(t)
	used := map[string]bool{}
	check := func(name, plan, index string) {
		t.Helper()
		bad := scans.MatchString(plan) || sorts.MatchString(plan)
		if exceptions[name] != "" {
			used[name] = true
			if !bad {
				t.Errorf("%s needs no exception:\n%s", name, plan)
			}
			bad = strings.Contains(exceptions[name], "sorted") && scans.MatchString(plan)
		}
		if bad || !strings.Contains(plan, index) {
			t.Errorf("%s: want %s\n%s", name, index, plan)
		}
	}
	asked := func(name, index string, q user.Query) {
		t.Helper()
		query, args := list(s.UserTable, q)
		check(name, plan(t, s, query, args...), index)
	}
	middle, err := s.Users().Get(t.Context(), "54321")
	if err != nil {
		t.Fatal(err)
	}
	place := middle.Position()
	for sort, index := range map[user.Sort]string{
		user.SortID: "users_id", user.SortJoined: "users_joined_us", user.SortEmail: "users_email",
		user.SortFirstName: "users_first_name", user.SortLastName: "users_last_name",
	} {
		for sign, using := range map[string]string{"": "Index Scan using ", "-": "Index Scan Backward using "} {
			order, name := user.Ordering(sign+string(sort)), sign+string(sort)
			using += index + " on users"
			asked(name+", first page", using, user.Query{Order: order, Limit: 20})
			asked(name+", by offset", using, user.Query{Order: order, Limit: 20, Offset: 40})
			asked(name+", active", using, user.Query{Order: order, Limit: 20, Filter: user.Filter{Active: new(true)}})
			asked(name+", no staff", using, user.Query{Order: order, Limit: 20, Filter: user.Filter{Staff: new(false)}})
			asked(name+", next page", using+"\n        Index Cond: (", user.Query{Order: order, Limit: 20, From: &place})
			asked(name+", next page of the active", using+"\n        Index Cond: (", user.Query{Order: order, Limit: 20, From: &place, Filter: user.Filter{Active: new(true)}})
		}
	}
	const byLast = "Index Scan using users_last_name"
	for name, param := range map[string]string{"mixed directions": "last_name,-first_name", "two criteria": "last_name,first_name"} {
		asked(name+", first page", byLast, user.Query{Order: user.Ordering(param), Limit: 20})
		asked(name+", next page", "Index Cond: (", user.Query{Order: user.Ordering(param), Limit: 20, From: &place})
	}
	last := user.Ordering("last_name")
	asked("search", "Tid Scan on users", user.Query{Order: last, Limit: 20, Filter: user.Filter{Terms: []string{"example"}}})
	asked("staff, by last_name", "users_staff", user.Query{Order: last, Limit: 20, Filter: user.Filter{Staff: new(true)}})
	asked("inactive, by last_name", "users_inactive", user.Query{Order: last, Limit: 20, Filter: user.Filter{Active: new(false)}})
	asked("only one", "Index Scan using users_id", user.Query{Order: last, Limit: 20, Filter: user.Filter{Only: "7"}})

	for name, f := range map[string]user.Filter{"all": {}, "active": {Active: new(true)}, "staff": {Active: new(true), Staff: new(true)}} {
		query, args := count(f)
		check("count of "+name, plan(t, s, query, args...), "user_counts")
	}
	query, args := count(user.Filter{Terms: []string{"example"}})
	check("count of a search", plan(t, s, query, args...), "Tid Scan on users")
	query, args = count(user.Filter{Only: "7"})
	check("count of one", plan(t, s, query, args...), "users_id")

	selectUsersByKey, _ := selectAny("users", "email_key", nil)
	for query, index := range map[string]string{
		s.UserTable.SelectByID:                                 "using users_id on users",
		s.UserTable.SelectUnique:                               "using users_email_key on users",
		s.UserTable.SelectToSet:                                "using users_id on users",
		s.UserTable.Delete:                                     "using users_id on users",
		dialect.OtherStaff:                                     "using users_staff on users",
		"UPDATE users SET first_name = $1 WHERE id = $2":       "using users_id on users", // as save makes them
		s.SessionTable.SelectByID:                              "using sessions_id on sessions",
		s.SessionTable.SelectToSet:                             "using sessions_id on sessions",
		"UPDATE sessions SET generation = $1 WHERE id = $2":    "using sessions_id on sessions",
		s.DeleteSessionsOf:                                     "sessions_owner",
		s.SweepSessions:                                        "using sessions_expires on sessions",
		strings.Replace(s.RaiseCounter, "$1", "$1::bigint", 1): "counters",
		s.CountUp:           "counters",
		s.SelectCounter:     "counters",
		selectUsersByKey:    "using users_email_key on users",
		sqltable.SelectPing: "counters",
	} {
		check(query, generic(t, s, query), index)
	}
	for _, after := range []string{"", "0000000000000054321"} {
		check("page of all", plan(t, s, s.UserTable.SelectPage, after, int64(1000)), "Index Scan using users_id on users\n        Index Cond: (id > ")
	}
	check("sweep", plan(t, s, s.SweepSessions, int64(1700000000000), int64(1000)), "sessions_id")
	for name := range exceptions {
		if !used[name] {
			t.Errorf("no query is called %q", name)
		}
	}
}

// TestSearchIsBounded counts what searches find, and the pages that the server reads to count it.
func TestSearchIsBounded(t *testing.T) {
	s := crowded(t)
	const most = outbound.SearchCandidates
	for _, c := range []struct {
		name  string
		terms []string
		staff *bool
		n     int
		pages int // at most; a user is a page
	}{
		{"all", []string{"example"}, nil, most, 3 * most},
		{"all, by a letter", []string{"u"}, nil, most, 3 * most},
		{"all, by two letters", []string{".c"}, nil, most, 3 * most},
		{"all, by two words", []string{"example", "first"}, nil, most, 3 * most},
		{"all, long and short", []string{"example", "u"}, nil, most, 3 * most},
		{"some", []string{"first77\n"}, nil, 100, 3 * most},
		{"one, by the whole address", []string{"user4242@example.com"}, nil, 1, 3 * most},
		{"one, by two words", []string{"user4242@", "first242"}, nil, 1, 3 * most},
		{"none", []string{"nobody"}, nil, 0, most},
		{"none, by a letter", []string{"q"}, nil, 0, most},
		{"none, with a word that all have", []string{"example", "zzzz"}, nil, 0, most},
		{"characters with a meaning", []string{`'`, `\`, `&`, `:*`}, nil, 0, most},
		{"few of a kind", []string{"first"}, new(true), 200, most},
		{"many of a kind", []string{"example"}, new(false), most - 1, 3 * most},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := user.Filter{Terms: c.terms, Staff: c.staff}
			if n, err := s.Users().Count(t.Context(), f); err != nil || n != c.n {
				t.Errorf("Count: %d, %v; want %d", n, err, c.n)
			}
			found, err := s.Users().List(t.Context(), user.Query{Filter: f, Order: user.Ordering("-last_name"), Limit: 2 * most})
			if err != nil || len(found) != c.n {
				t.Errorf("List: %d users, %v; want %d", len(found), err, c.n)
			}
			query, args := count(f)
			pages := 0
			for _, line := range regexp.MustCompile(`Buffers: shared (?:hit=(\d+))? ?(?:read=(\d+))?`).
				FindStringSubmatch(explained(t, s.pool, "EXPLAIN (ANALYZE, BUFFERS) "+query, append([]any{s.listing}, args...)...))[1:] {
				n, _ := strconv.Atoi(line)
				pages += n
			}
			if pages == 0 || pages > c.pages {
				t.Errorf("%d pages were read, want %d at most", pages, c.pages)
			}
		})
	}
}
