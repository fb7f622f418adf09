package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/domain/user"
)

// texts are what names in these tests are made of, and what is searched for in them: characters of
// every length, some that FTS5 takes for others, and some that mean something to it.
var texts = []string{
	"", "a", "ab", "abc", "abcd", "bcd", "b c", "é", "éa", "日本", "日本語", "😀", "😀b😀", "\uFFFD", "\uFFFE", "\uFFFFx", "\U0010FFFF", "a\U0010FFFF",
	`"`, `""`, `a"b`, "'", "*", "ab*", "AND", "not", "%", "_", "\n", "\n\n", "-", "a\x00b", "\x00", "\xff", "ab\xffc", "\u00ad", "e\u0301",
}

func anyone(t *testing.T, rnd *rand.Rand, n int) *user.User {
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

// fits is Filter.Matches, but for NUL, which no user's texts hold by the rules of the domain, and which
// stands for the replacement character if they do.
func fits(u *user.User, f user.Filter) bool {
	text := strings.ReplaceAll(u.SearchText(), nul, "\uFFFD")
	for _, t := range f.Terms {
		if !strings.Contains(text, t) {
			return false
		}
	}
	f.Terms = nil
	return f.Matches(u)
}

// TestWaysAgree asks the same in every way that there is, at random but the same in every run. All must
// find what the domain says.
func TestWaysAgree(t *testing.T) {
	s := opened(t)
	set(t, s, "synchronous = OFF")
	rnd := rand.New(rand.NewPCG(1, 2))
	all := make([]*user.User, 120)
	for i := range all {
		all[i] = anyone(t, rnd, i)
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

		run := func(way string, query string, args []any) []*user.User {
			t.Helper()
			got, err := userTable.rows(t.Context(), s.reader, query, args)
			if err != nil {
				t.Fatalf("%s: %v\n%s", way, err, query)
			}
			return got
		}
		agree := func(way string, query string, args []any) {
			t.Helper()
			if got := run(way, query, args); ids(got) != ids(want) {
				t.Errorf("%s, %+q by %v: got %q, want %q", way, q.Terms, q.Order, ids(got), ids(want))
			}
		}
		number := func(way string, query string, args []any) {
			t.Helper()
			var n int
			if err := s.reader.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil || n != total {
				t.Errorf("count by %s, %+q: got %d, %v, want %d", way, q.Terms, n, err, total)
			}
		}
		if got, err := s.Users().List(t.Context(), q); err != nil || ids(got) != ids(want) {
			t.Errorf("%+q by %v: got %q, %v, want %q", q.Terms, q.Order, ids(got), err, ids(want))
		}
		query, args := walk(q, nil)
		agree("walk", query, args)
		query, args = pick(q, everybody)
		agree("everybody", query, args)
		query, args = count(q.Filter, everybody)
		number("everybody", query, args)
		for _, l := range lookups(q.Terms) {
			query, args = pick(q, l.users)
			agree(fmt.Sprintf("%+q", l), query, args)
			query, args = count(q.Filter, l.users)
			number(fmt.Sprintf("%+q", l), query, args)
		}

		// A walk over a stretch finds the first of them.
		end, err := ahead(t.Context(), s.reader, q, rnd.IntN(len(all)))
		if err != nil {
			t.Fatal(err)
		}
		if end == nil {
			continue // so many are not left
		}
		query, args = walk(q, end)
		got := run("stretch", query, args)
		if len(got) > len(want) || ids(got) != ids(want[:len(got)]) {
			t.Errorf("stretch, %+q by %v: got %q, want the first of %q", q.Terms, q.Order, ids(got), ids(want))
		}
	}
	if some < 50 {
		t.Errorf("only %d queries found anybody: the test shows little", some)
	}
}

func TestLookups(t *testing.T) {
	alphabet := "abcdefghijklmnopqrstuvwxyz0123456789абвгдежзийклмнопрстуфхцчшщъыьэюя"
	for _, c := range []struct {
		terms []string
		want  []lookup
	}{
		{nil, nil},
		{[]string{"", "a\x00bc", "\x00"}, nil}, // which all have, or nobody
		{[]string{"abc"}, []lookup{{match: `"abc"`}}},
		{[]string{"abcd"}, []lookup{{match: `"abc" AND "bcd"`}}},
		{[]string{"abcdef", "def"}, []lookup{{match: `"abc" AND "def"`}}},
		{[]string{"xyz", "abcdefg"}, []lookup{{match: `"abc" AND "def" AND "efg" AND "xyz"`}}}, // the longer first
		{[]string{`a"b"`, "a*"}, []lookup{{match: `"a""b" AND """b"""`}, {begin: "a*"}}},
		{[]string{"a", "éé", "a", "\uFFFF"}, []lookup{{begin: "éé"}, {begin: "\uFFFD"}, {begin: "a"}}},
		{[]string{"a", "b", "c", "d", "e", "f"}, []lookup{{begin: "a"}, {begin: "b"}, {begin: "c"}, {begin: "d"}}}, // manyShort
		{[]string{alphabet}, []lookup{{match: `"abc" AND "def" AND "ghi" AND "jkl" AND "mno" AND "pqr" AND "stu" AND "vwx" AND ` +
			`"yz0" AND "123" AND "456" AND "789" AND "абв" AND "где" AND "жзи" AND "йкл"`}}}, // manyTrigrams
	} {
		if got := lookups(c.terms); !slices.Equal(got, c.want) {
			t.Errorf("%+q: got %+q, want %+q", c.terms, got, c.want)
		}
	}
}

// recorder keeps the statements that go through it.
type recorder struct {
	querier
	asked []string
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.asked = append(r.asked, query)
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.asked = append(r.asked, query)
	return r.querier.QueryRowContext(ctx, query, args...)
}

// TestSearchGoesTheShortWay shows which way is taken, and that what is found far away is found.
func TestSearchGoesTheShortWay(t *testing.T) {
	const users = 2 * longStretch // so that a tenth of them are many (fewFound), and lie far away
	s := crowded(t, users)
	const byIndex, byWalk, byReading = " INDEXED BY users_number ", " INDEXED BY " + primaryKey, " NOT INDEXED "
	late := user.IntegerID(users - users/10 + 1)
	for _, c := range []struct {
		name  string
		terms []string
		order string
		from  user.ID
		want  user.ID // the first found
		lists string  // how the last statement goes about it
		n     int
		count string
	}{
		{"nobody", []string{"nobody"}, "id", "", "", byIndex, 0, byIndex},
		{"nobody, a short term", []string{"zq"}, "id", "", "", byIndex, 0, byIndex},
		{"one", []string{"user4242@"}, "last_name", "", "4242", byIndex, 1, byIndex},
		{"a short term narrows it down", []string{"example", "~"}, "id", "", "", byIndex, 0, byIndex},
		{"all", []string{"example"}, "id", "", "1", byWalk, users, byReading},
		{"all, by a short term", []string{"u"}, "-id", "", user.IntegerID(users), byWalk, users, byReading},
		{"many, near", []string{"@late"}, "-id", "", user.IntegerID(users), byWalk, users / 10, byReading},
		{"many, far", []string{"@late"}, "id", "", late, byReading, users / 10, byReading},
		{"two criteria, all", []string{"example"}, "email,-id", "", "10000", " INDEXED BY users_email", users, byReading},
		{"many, near the end", []string{"@late"}, "id", user.IntegerID(users - 1), user.IntegerID(users), byWalk, users / 10, byReading},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := user.Query{Filter: user.Filter{Terms: c.terms}, Order: user.Ordering(c.order), Limit: 5}
			if c.from != "" {
				q.From = &user.Position{ID: c.from}
			}
			r := &recorder{querier: s.reader}
			found, err := listed(t.Context(), r, q)
			if err != nil {
				t.Fatal(err)
			}
			if (len(found) == 0) != (c.want == "") || len(found) > 0 && found[0].ID() != c.want {
				t.Errorf("found %q, want %q first", ids(found), c.want)
			}
			if last := r.asked[len(r.asked)-1]; !strings.Contains(last, c.lists) {
				t.Errorf("it is listed by %s, want%s", last, c.lists)
			}
			n, err := counted(t.Context(), r, q.Filter)
			if err != nil || n != c.n {
				t.Errorf("counted %d, %v, want %d", n, err, c.n)
			}
			if last := r.asked[len(r.asked)-1]; !strings.Contains(last, c.count) {
				t.Errorf("it is counted by %s, want%s", last, c.count)
			}
		})
	}
}

// TestLongRuns orders by two criteria, of which the first is the same for many.
func TestLongRuns(t *testing.T) {
	const run = 2 * longStretch
	s := crowded(t, run+10)
	if _, err := s.writer.ExecContext(t.Context(), "UPDATE users SET last_name = iif(id > ?1, 'M', 'Z') WHERE id <= ?2",
		user.IntegerID(5).SortKey(), user.IntegerID(run+5).SortKey()); err != nil { // 5 users, called Last..., come before all M, and 5 after
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, order string
		offset      int
		terms       []string
		walks       bool
		found       int
	}{
		{name: "before the run", order: "last_name,-id", walks: true, found: 5},
		{name: "into the run", order: "last_name,-id", offset: 3, found: 5},
		{name: "in the run, by what the index has", order: "last_name", offset: 3, walks: true, found: 5},
		{name: "after the run", order: "-last_name,id", walks: true, found: 5},
		{name: "beyond the end", order: "last_name,-id", offset: run + 8, walks: true, found: 2},
		{name: "in the run, a search of many", order: "last_name,-id", offset: 3, terms: []string{"user"}, found: 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := user.Query{Filter: user.Filter{Terms: c.terms}, Order: user.Ordering(c.order), Offset: c.offset, Limit: 5}
			r := &recorder{querier: s.reader}
			found, err := listed(t.Context(), r, q)
			if err != nil || len(found) != c.found {
				t.Errorf("found %q, %v, want %d", ids(found), err, c.found)
			}
			if last := r.asked[len(r.asked)-1]; strings.Contains(last, " INDEXED BY users_last_name") != c.walks || strings.Contains(last, " NOT INDEXED ") == c.walks {
				t.Errorf("it is listed by %s", last)
			}
			query, args := walk(q, nil)
			want, err := userTable.rows(t.Context(), s.reader, query, args)
			if err != nil || ids(found) != ids(want) {
				t.Errorf("found %q, want %q, %v", ids(found), ids(want), err)
			}
		})
	}
}
