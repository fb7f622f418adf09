package userlist_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage/sqlite"
	"roster/adapters/storage/sqlite/userlist"
	"roster/adapters/storage/sqltable"
	"roster/domain/user"
	"roster/ports/outbound"
)

// texts are the parts of names and of search terms in these tests: characters of every length, some that FTS5 maps to
// others, and some that are special in its syntax.
var texts = []string{
	"", "a", "ab", "abc", "abcd", "bcd", "b c", "é", "éa", "日本", "日本語", "😀", "😀b😀", "\uFFFD", "\uFFFE", "\uFFFFx", "\U0010FFFF", "a\U0010FFFF",
	`"`, `""`, `a"b`, "'", "*", "ab*", "AND", "not", "%", "_", "\n", "\n\n", "-", "a\x00b", "\x00", "\xff", "ab\xffc", "\u00ad", "e\u0301",
}

func randomUser(t *testing.T, rnd *rand.Rand, n int) *user.User {
	t.Helper()
	id := user.IntegerID(int64(n + 1))
	if n%3 == 0 {
		id = user.ID(fmt.Sprintf("01900000-0000-7000-8000-%012x", n))
	}
	text := func() string { return texts[rnd.IntN(len(texts))] + texts[rnd.IntN(len(texts))] }
	u, err := user.Restore(user.Snapshot{
		ID: id, Email: fmt.Sprintf("%s%d@example.com", text(), n%7), EmailKey: fmt.Sprint(n), FirstName: text(), LastName: text(),
		Active: rnd.IntN(4) > 0, Staff: rnd.IntN(4) == 0, Joined: time.UnixMilli(int64(rnd.IntN(9))).UTC(), Version: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func ids(us []*user.User) string {
	out := make([]string, len(us))
	for i, u := range us {
		out[i] = string(u.ID())
	}
	return strings.Join(out, " ")
}

// fits is Filter.Matches, except that NUL, which the rules of the domain exclude, counts as the replacement
// character.
func fits(u *user.User, f user.Filter) bool {
	text := strings.ReplaceAll(u.Snapshot().SearchText(), "\x00", "\uFFFD")
	for _, t := range f.Terms {
		if !strings.Contains(text, t) {
			return false
		}
	}
	f.Terms = nil
	return f.Matches(u)
}

// TestPlansAgree runs random queries, the same in every run, by every plan. Each must return the users that match by
// the rules of the domain.
func TestPlansAgree(t *testing.T) {
	s := opened(t)
	p := planner(t, s)
	rnd := rand.New(rand.NewPCG(1, 2))
	all := make([]*user.User, 120)
	for i := range all {
		all[i] = randomUser(t, rnd, i)
		if err := s.Users().Add(t.Context(), all[i]); err != nil {
			t.Fatal(err)
		}
	}
	maybe := func() *bool { return []*bool{nil, nil, new(true), new(false)}[rnd.IntN(4)] }
	sorts := []user.Sort{user.SortID, user.SortEmail, user.SortFirstName, user.SortLastName, user.SortJoined}
	some := 0
	for range 150 {
		q := user.Query{Filter: user.Filter{Active: maybe(), Staff: maybe()}, Offset: rnd.IntN(3), Limit: 1 + rnd.IntN(40)}
		for range 1 + rnd.IntN(3) {
			q.Terms = append(q.Terms, user.Fold(texts[rnd.IntN(len(texts))]))
		}
		for _, i := range rnd.Perm(len(sorts))[:rnd.IntN(3)] {
			q.Order = append(q.Order, user.Order{By: sorts[i], Desc: rnd.IntN(2) == 0})
		}
		q.Order = append(q.Order, user.Order{By: user.SortID, Desc: rnd.IntN(2) == 0})
		if rnd.IntN(2) == 0 {
			q.From = new(all[rnd.IntN(len(all))].Position())
		}
		var want []*user.User
		total := 0
		for _, u := range all {
			if fits(u, q.Filter) {
				total++
				if q.From == nil || u.Position().Compare(*q.From, q.Order) > 0 {
					want = append(want, u)
				}
			}
		}
		slices.SortFunc(want, func(a, b *user.User) int { return a.Position().Compare(b.Position(), q.Order) })
		want = want[min(q.Offset, len(want)):]
		want = want[:min(q.Limit, len(want))]
		some += min(len(want), 1)

		agree := func(way string, query string, args []any) {
			t.Helper()
			got, err := s.UserTable.Rows(t.Context(), querier(t, s), query, args)
			if err != nil {
				t.Fatalf("%s: %v\n%s", way, err, query)
			}
			if ids(got) != ids(want) {
				t.Errorf("%s, %+q by %v: got %q, want %q", way, q.Terms, q.Order, ids(got), ids(want))
			}
		}
		number := func(way string, query string, args []any) {
			t.Helper()
			var n int
			if err := querier(t, s).QueryRow(t.Context(), query, args...).Scan(&n); err != nil || n != total {
				t.Errorf("count by %s, %+q: got %d, %v, want %d", way, q.Terms, n, err, total)
			}
		}
		if got, err := s.Users().List(t.Context(), q); err != nil || ids(got) != ids(want) {
			t.Errorf("%+q by %v: got %q, %v, want %q", q.Terms, q.Order, ids(got), err, ids(want))
		}
		query, args := p.Walk(q)
		agree("walk", query, args)
		query, args = p.Pick(q, userlist.AllUsers)
		agree("all users", query, args)
		query, args = p.Count(q.Filter, userlist.AllUsers)
		number("all users", query, args)
		query, args = p.Pick(q, userlist.OfKinds)
		agree("kinds", query, args)
		for _, l := range userlist.Lookups(q.Terms) {
			query, args = p.Pick(q, l.Users())
			agree(fmt.Sprintf("%+q", l), query, args)
			query, args = p.Count(q.Filter, l.Users())
			number(fmt.Sprintf("%+q", l), query, args)
		}
	}
	if some < 50 {
		t.Errorf("only %d queries found a user: the test shows little", some)
	}
}

func TestLookups(t *testing.T) {
	alphabet := "abcdefghijklmnopqrstuvwxyz0123456789абвгдежзийклмнопрстуфхцчшщъыьэюя"
	for _, c := range []struct {
		terms []string
		want  []userlist.Lookup
	}{
		{nil, nil},
		{[]string{"", "a\x00bc", "\x00"}, nil}, // terms of all users, or of none
		{[]string{"abc"}, []userlist.Lookup{userlist.Match(`"abc"`)}},
		{[]string{"abcd"}, []userlist.Lookup{userlist.Match(`"abc" AND "bcd"`)}},
		{[]string{"abcdef", "def"}, []userlist.Lookup{userlist.Match(`"abc" AND "def"`)}},
		{[]string{"xyz", "abcdefg"}, []userlist.Lookup{userlist.Match(`"abc" AND "def" AND "efg" AND "xyz"`)}}, // the longer first
		{[]string{`a"b"`, "a*"}, []userlist.Lookup{userlist.Match(`"a""b" AND """b"""`), userlist.Begin("a*")}},
		{[]string{"a", "éé", "a", "\uFFFF"}, []userlist.Lookup{userlist.Begin("éé"), userlist.Begin("\uFFFD"), userlist.Begin("a")}},
		{[]string{"a", "b", "c", "d", "e", "f"}, []userlist.Lookup{userlist.Begin("a"), userlist.Begin("b"), userlist.Begin("c"), userlist.Begin("d")}}, // manyShort
		{[]string{alphabet}, []userlist.Lookup{userlist.Match(`"abc" AND "def" AND "ghi" AND "jkl" AND "mno" AND "pqr" AND "stu" AND "vwx" AND ` +
			`"yz0" AND "123" AND "456" AND "789" AND "абв" AND "где" AND "жзи" AND "йкл"`)}}, // manyTrigrams
	} {
		if got := userlist.Lookups(c.terms); !slices.Equal(got, c.want) {
			t.Errorf("%+q: got %+q, want %+q", c.terms, got, c.want)
		}
	}
}

// TestOnlyKnownColumnsOrder shows the ORDER BY clause of an ordering.
func TestOnlyKnownColumnsOrder(t *testing.T) {
	query, _ := planner(t, opened(t)).Walk(user.Query{Order: []user.Order{
		{By: "password"}, {By: "id; DROP TABLE users"}, {By: user.SortEmail, Desc: true}, {By: user.SortEmail}, {By: user.SortJoined},
	}})
	if want := "FROM users INDEXED BY users_email ORDER BY email DESC, joined_us, id LIMIT ?1 OFFSET ?2"; !strings.HasSuffix(query, want) {
		t.Errorf("got %s, want it to end with %s", query, want)
	}
}

// recorder is a Querier that records its statements.
type recorder struct {
	sqltable.Querier
	asked []string
}

func (r *recorder) QueryEach(ctx context.Context, query string, args []any, f func(sqltable.Row) error) error {
	r.asked = append(r.asked, query)
	return r.Querier.QueryEach(ctx, query, args, f)
}

func (r *recorder) QueryRow(ctx context.Context, query string, args ...any) sqltable.Row {
	r.asked = append(r.asked, query)
	return r.Querier.QueryRow(ctx, query, args...)
}

// TestSearchIsBounded searches with few and many matches, and among few users. It examines outbound.SearchCandidates
// users at most.
func TestSearchIsBounded(t *testing.T) {
	const most = outbound.SearchCandidates
	const users = 40 * most // a tenth of them are late
	s := crowded(t, users)
	const byIndex, byKind = " INDEXED BY users_number ", " INDEXED BY users_kind_id "
	last := func(n int) user.ID { return user.IntegerID(int64(n)) }
	for _, c := range []struct {
		name  string
		terms []string
		order string
		staff *bool
		want  user.ID // the first found
		lists string  // the plan of the last statement
		n     int
	}{
		{"none", []string{"absent"}, "id", nil, "", byIndex, 0},
		{"none, a short term", []string{"zq"}, "id", nil, "", byIndex, 0},
		{"one", []string{"user4242@"}, "last_name", nil, "4242", byIndex, 1},
		{"a short term narrows it down", []string{"example", "~"}, "id", nil, "", byIndex, 0},
		{"all", []string{"example"}, "id", nil, "1", byIndex, most},
		{"all, backwards", []string{"example"}, "-id", nil, last(most), byIndex, most},
		{"all, by a short term", []string{"u"}, "id", nil, "1", byIndex, most},
		{"all, long and short", []string{"example", "u"}, "id", nil, "1", byIndex, most},
		{"a tenth", []string{"@late"}, "id", nil, last(users - users/10 + 1), byIndex, most},
		{"a tenth, by two words", []string{"user", "@late"}, "id", nil, last(users - users/10 + 1), byIndex, most},
		{"few of a kind", []string{"@late"}, "id", new(true), last(users - users/10 + 500), byKind, users / 10 / 500},
		{"many of a kind", []string{"example"}, "id", new(false), "1", byIndex, most - most/500},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := user.Query{Filter: user.Filter{Terms: c.terms, Staff: c.staff}, Order: user.Ordering(c.order), Limit: 5}
			r := &recorder{Querier: querier(t, s)}
			found, err := userlist.List(t.Context(), r, s.UserTable, q)
			if err != nil {
				t.Fatal(err)
			}
			if (len(found) == 0) != (c.want == "") || len(found) > 0 && found[0].ID() != c.want {
				t.Errorf("found %q, want %q first", ids(found), c.want)
			}
			if last := r.asked[len(r.asked)-1]; !strings.Contains(last, c.lists) {
				t.Errorf("it is listed by %s, want%s", last, c.lists)
			}
			n, err := userlist.Count(t.Context(), r, s.UserTable, q.Filter)
			if err != nil || n != c.n {
				t.Errorf("counted %d, %v, want %d", n, err, c.n)
			}
			if last := r.asked[len(r.asked)-1]; !strings.Contains(last, c.lists) {
				t.Errorf("it is counted by %s, want%s", last, c.lists)
			}
		})
	}
}

// TestLongRuns orders by two criteria. Many users are equal in the first.
func TestLongRuns(t *testing.T) {
	const run = 2 * userlist.LongStretch
	s := crowded(t, run+10)
	// 5 users, called Last..., come before all M, and 5 after.
	execute(t, s, fmt.Sprintf("UPDATE users SET last_name = iif(id > '%s', 'M', 'Z') WHERE id <= '%s'", user.IntegerID(5).SortKey(), user.IntegerID(run+5).SortKey()))
	for _, c := range []struct {
		name, order string
		offset      int
		walks       bool
		found       int
	}{
		{name: "before the run", order: "last_name,-id", walks: true, found: 5},
		{name: "into the run", order: "last_name,-id", offset: 3, found: 5},
		{name: "in the run, by what the index has", order: "last_name", offset: 3, walks: true, found: 5},
		{name: "after the run", order: "-last_name,id", walks: true, found: 5},
		{name: "beyond the end", order: "last_name,-id", offset: run + 8, walks: true, found: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := user.Query{Order: user.Ordering(c.order), Offset: c.offset, Limit: 5}
			r := &recorder{Querier: querier(t, s)}
			found, err := userlist.List(t.Context(), r, s.UserTable, q)
			if err != nil || len(found) != c.found {
				t.Errorf("found %q, %v, want %d", ids(found), err, c.found)
			}
			if last := r.asked[len(r.asked)-1]; strings.Contains(last, " INDEXED BY users_last_name") != c.walks || strings.Contains(last, " NOT INDEXED ") == c.walks {
				t.Errorf("it is listed by %s", last)
			}
			query, args := planner(t, s).Walk(q)
			want, err := s.UserTable.Rows(t.Context(), querier(t, s), query, args)
			if err != nil || ids(found) != ids(want) {
				t.Errorf("found %q, want %q, %v", ids(found), ids(want), err)
			}
		})
	}
}

// crowded returns a Store with a number of users. The last tenth have another email domain.
func crowded(t *testing.T, users int) *sqlite.Store {
	t.Helper()
	s := opened(t)
	execute(t, s, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d),
		u (i, id, email, first_name, last_name) AS (SELECT i, printf('%%019d', i),
			printf('user%%d@%%s', i, iif(i > %[1]d - %[1]d / 10, 'late.example', 'example.com')), 'First' || (i %% 1000), 'Last' || (i * 7919 %% 5000) FROM n)
		INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined_us, version, search)
		SELECT id, email, email, first_name, last_name, i %% 1000 <> 0, i %% 500 = 0, hex(zeroblob(48)), 1700000000000000 + i * 7919 %% 100000, 1,
			lower(email || char(10) || first_name || char(10) || last_name) FROM u`, users))
	return s
}
