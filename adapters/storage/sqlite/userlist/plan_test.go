package userlist_test

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/adapters/storage/sqlite"
	"roster/adapters/storage/sqlite/userlist"
	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

// started returns a started Store on the file at path.
func started(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.New(path)
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

func opened(t *testing.T) *sqlite.Store {
	t.Helper()
	return started(t, filepath.Join(t.TempDir(), "roster.db"))
}

// execute runs statements in one transaction.
func execute(t *testing.T, s *sqlite.Store, statements ...string) {
	t.Helper()
	err := s.Write(t.Context(), "prepare a test", sqltable.Durable, func(ctx context.Context, q sqltable.Querier) error {
		for _, statement := range statements {
			if _, err := q.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// querier returns the Querier of s.
func querier(t *testing.T, s *sqlite.Store) (out sqltable.Querier) {
	t.Helper()
	if err := s.Read(t.Context(), func(_ context.Context, q sqltable.Querier) error { out = q; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func planner(t *testing.T, s *sqlite.Store) userlist.Planner {
	t.Helper()
	return userlist.NewPlanner(s.UserTable, querier(t, s))
}

// measured returns a Store with the statistics of 100,000 users. SQLite plans by statistics only, never by the size of
// the tables, so there are no rows.
func measured(t *testing.T) *sqlite.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roster.db")
	s, err := sqlite.New(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, s,
		"ANALYZE", // makes the table of statistics
		"DELETE FROM sqlite_stat1",
		`INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
			('users', 'sqlite_autoindex_users_1', '100000 1'), ('users', 'users_email_key', '100000 1'), ('users', 'users_number', '100000 1'),
			('users', 'users_joined_us', '100000 2 1'), ('users', 'users_email', '100000 1 1'),
			('users', 'users_first_name', '100000 100 1'), ('users', 'users_last_name', '100000 20 1'),
			('users', 'users_kind_id', '100000 50000 25000 1'),
			('users', 'users_kind_joined_us', '100000 50000 25000 2 1'), ('users', 'users_kind_email', '100000 50000 25000 1 1'),
			('users', 'users_kind_first_name', '100000 50000 25000 100 1'), ('users', 'users_kind_last_name', '100000 50000 25000 20 1'),
			('user_counts', 'user_counts', '4 2 1')`)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return started(t, path) // SQLite reads the statistics when it opens the file
}

// plan returns the plan of SQLite for a statement.
func plan(t *testing.T, s *sqlite.Store, query string, args ...any) string {
	t.Helper()
	var out []string
	err := querier(t, s).QueryEach(t.Context(), "EXPLAIN QUERY PLAN "+query, args, func(row sqltable.Row) error {
		var id, parent, unused int
		var detail string
		err := row.Scan(&id, &parent, &unused, &detail)
		out = append(out, detail)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(out, "; ")
}

var (
	scans = regexp.MustCompile(`SCAN users\b`)
	walks = regexp.MustCompile(`SCAN users USING (COVERING )?INDEX`) // in the requested order
	sorts = regexp.MustCompile(`USE TEMP B-TREE`)
	pages = regexp.MustCompile(` LIMIT (\?\d+|1) OFFSET \?\d+$`)
)

// What a plan may do besides finding its rows by an index.
const (
	passes = 1 << iota // reads users in the requested order, until the page is full
	sorted             // sorts
	reads              // reads all users
)

// exceptions are the queries that may do more, with the reason and the bound.
var exceptions = map[string]struct {
	may    int
	reason string
}{
	"first page":                   {passes, "ends with the page: LIMIT and OFFSET are how far it goes"},
	"mixed directions, first page": {passes | sorted, "no index has both directions: users equal in the first criterion are sorted, run by run, and the run that fills the page is no long stretch"},
	"mixed directions, next page":  {sorted, "as above, from the place on"},
	"two criteria, first page":     {passes | sorted, "no index has two criteria: as above"},
	"two criteria, next page":      {sorted, "as above, from the place on"},
	"two criteria, a long run":     {reads | sorted, "a long stretch is equal in the first criterion: all users are read once, as they lie, and a page is kept"},
	"two criteria, of a kind":      {sorted, "as above, within each kind"},
	"search":                       {sorted, "SearchCandidates at most are sorted"},
}

// TestPlans shows that indexes serve every query of the adapter, whatever the number of users.
func TestPlans(t *testing.T) {
	t.Run("without statistics", func(t *testing.T) { testPlans(t, opened(t)) }) // the service does not run ANALYZE
	t.Run("of 100,000 rows", func(t *testing.T) { testPlans(t, measured(t)) })
}

func testPlans(t *testing.T, s *sqlite.Store) {
	t.Helper()
	p := planner(t, s)
	used := map[string]int{}
	// check fails when a plan does more than it may, or does not contain a text.
	check := func(kind, index, query string, args ...any) {
		t.Helper()
		got := plan(t, s, query, args...)
		does := 0
		rest := got
		if pages.MatchString(query) && walks.MatchString(rest) {
			does |= passes
			rest = walks.ReplaceAllString(rest, "")
		}
		if scans.MatchString(rest) {
			does |= reads
		}
		if sorts.MatchString(got) {
			does |= sorted
		}
		used[kind] |= does
		if does&^exceptions[kind].may != 0 || !strings.Contains(got, index) {
			t.Errorf("%s: want %q\n%s\n%s", kind, index, got, query)
		}
	}

	// The queries for lists.
	place := user.Position{ID: "54321", Email: "54321@example.com", Joined: time.UnixMilli(1700000000000)}
	kinds := map[string]user.Filter{
		"active": {Active: new(true)}, "inactive": {Active: new(false)}, "staff": {Staff: new(true)}, "no staff": {Staff: new(false)},
		"active staff": {Active: new(true), Staff: new(true)},
	}
	searches := map[string]user.Filter{
		"one term": {Terms: []string{"user4242@"}}, "two terms": {Terms: []string{"user77", "first777"}}, "a short term": {Terms: []string{"us"}},
		"long and short": {Terms: []string{"user4242@", "us"}}, "of a kind": {Terms: []string{"user4242@"}, Active: new(true), Staff: new(false)},
		"very many": {Terms: strings.Fields("abc abcd abcde bcd bcde cde def defg efg fgh fghi ghi hij hijk ijk jkl jklm klm lmn mno nop")},
	}
	walked := func(kind, index string, q user.Query) {
		t.Helper()
		query, args := p.Walk(q)
		check(kind, index, query, args...)
	}
	picked := func(kind, index string, q user.Query, from userlist.Source) {
		t.Helper()
		query, args := p.Pick(q, from)
		check(kind, index, query, args...)
	}
	found := func(l userlist.Lookup) string {
		return map[bool]string{true: "users_search VIRTUAL TABLE INDEX 0:M1", false: "user_trigrams VIRTUAL TABLE INDEX 1539:"}[l.Long()] // 1539: from a term to a term
	}
	for by, column := range storage.SortColumns {
		for _, sign := range []string{"", "-"} {
			order := user.Ordering(sign + string(by))
			index, key := "users_"+column, "("+column+",id)"
			if by == user.SortID {
				index, key = userlist.PrimaryKey, "id"
			}
			after := map[string]string{"": ">", "-": "<"}[sign]
			from, next := "SCAN users USING INDEX "+index, "SEARCH users USING INDEX "+index+" ("+key+after
			ofKind := "SEARCH users USING INDEX users_kind_" + column + " (active=? AND staff=?"
			walked("first page", from, user.Query{Order: order, Limit: 20})
			walked("first page", from, user.Query{Order: order, Limit: 20, Offset: 40})
			walked("next page", next, user.Query{Order: order, Limit: 20, From: &place})
			walked("next page", next, user.Query{Order: order, Limit: 20, From: &place, Offset: 40})
			for _, f := range kinds {
				walked("of a kind, first page", ofKind+")", user.Query{Order: order, Limit: 20, Filter: f})
				walked("of a kind, next page", ofKind+" AND "+key+after, user.Query{Order: order, Limit: 20, Filter: f, From: &place})
				query, args := p.Stretch(user.Query{Order: order, Filter: f, From: &place}, userlist.LongStretch)
				check("stretch of a kind", "USING COVERING INDEX users_kind_"+column+" (active=? AND staff=? AND "+key+after, query, args...)
			}
			for _, f := range searches {
				first, then := user.Query{Order: order, Limit: 20, Filter: f}, user.Query{Order: order, Limit: 20, Filter: f, From: &place}
				for _, l := range userlist.Lookups(f.Terms) {
					picked("search", found(l), first, l.Users())
					picked("search", "SEARCH users USING INDEX users_number (number=?)", then, l.Users())
				}
				picked("search", "SEARCH users USING INDEX users_kind_id (active=? AND staff=?", first, userlist.OfKinds)
			}
			query, args := p.Stretch(user.Query{Order: order}, userlist.LongStretch)
			check("first page", "SCAN users USING COVERING INDEX "+index, query, args...)
			query, args = p.Stretch(user.Query{Order: order, From: &place}, userlist.LongStretch)
			check("stretch", "SEARCH users USING COVERING INDEX "+index+" ("+key+after, query, args...)
			picked("only one", "(id=?", user.Query{Order: order, Limit: 20, Filter: user.Filter{Terms: []string{"user"}}}, userlist.Only("7"))
			picked("only one", "(id=?", user.Query{Order: order, Limit: 20, From: &place}, userlist.Only("7"))
			picked("only one", "(id=?", user.Query{Order: order, Limit: 20}, userlist.Only("07"))

			for then := range storage.SortColumns {
				if then == by || by == user.SortID { // the first decides
					continue
				}
				for _, second := range []string{"", "-"} {
					if then == user.SortID && second == sign {
						continue // every index has it
					}
					kind := map[bool]string{true: "two criteria", false: "mixed directions"}[sign == second]
					order := user.Ordering(sign + string(by) + "," + second + string(then))
					walked(kind+", first page", from, user.Query{Order: order, Limit: 20})
					picked("two criteria, a long run", "SCAN users", user.Query{Order: order, Limit: 20}, userlist.AllUsers)
					walked(kind+", next page", "SEARCH users USING INDEX "+index, user.Query{Order: order, Limit: 20, From: &place})
					walked("two criteria, of a kind", ofKind, user.Query{Order: order, Limit: 20, Filter: kinds["active"], From: &place})
				}
			}
		}
	}

	// The queries for counts.
	counts := func(kind, index string, f user.Filter, from userlist.Source) {
		t.Helper()
		query, args := p.Count(f, from)
		check(kind, index, query, args...)
	}
	counts("count of one", "(id=?", user.Filter{}, userlist.Only("7"))
	for _, f := range kinds {
		query, args := p.CountKind(f)
		check("count of a kind", "user_counts", query, args...)
	}
	for _, f := range searches {
		for _, l := range userlist.Lookups(f.Terms) {
			counts("count of a search of few", "SEARCH users USING INDEX users_number (number=?)", f, l.Users())
			query, args := p.Probe(l)
			check("probe", found(l), query, args...)
		}
	}

	for kind, e := range exceptions {
		if used[kind] != e.may {
			t.Errorf("exception %q (%s): it may do %03b, and does %03b", kind, e.reason, e.may, used[kind])
		}
	}
}
