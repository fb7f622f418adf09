package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/user"
)

var lists = []check{
	{"EmptyIsNoFailure", listEmpty},
	{"EveryOrderingBothWays", listOrderings},
	{"TextsAreOrderedByBytes", listByBytes},
	{"CountedIDsAreOrderedByValue", listIDsByValue},
	{"PagesAreCompleteUnderEqualTimes", listPages},
	{"PagesStandChanges", listPagesUnderChange},
	{"PlaceOfADeletedUserHolds", listDeletedPlace},
	{"OffsetAndLimit", listOffset},
	{"Filters", listFilters},
	{"SearchFoldsCase", listSearchFolds},
	{"SearchTakesTermsPlainly", listSearchPlain},
	{"SearchNeedsEveryTerm", listSearchTerms},
	{"SearchTakesManyTerms", listSearchMany},
	{"SearchFollowsUpdates", listSearchUpdates},
	{"AgreesWithTheModel", listModel},
}

var byID = []user.Order{{By: user.SortID}}

var sorts = []user.Sort{user.SortID, user.SortEmail, user.SortFirstName, user.SortLastName, user.SortJoined}

// named returns a user for a check of the order by names.
func named(t *testing.T, id user.ID, first, last string) *user.User {
	t.Helper()
	s := person(t, id).Snapshot()
	s.FirstName, s.LastName = first, last
	return restored(t, s)
}

func mustList(t *testing.T, b storage.Backend, q user.Query) []*user.User {
	t.Helper()
	us, err := b.Users().List(t.Context(), q)
	if err != nil {
		t.Fatalf("List(%+v): %v", q, err)
	}
	return us
}

// wantList fails unless a query finds the users with these ids, in this order.
func wantList(t *testing.T, b storage.Backend, q user.Query, want string) {
	t.Helper()
	if got := idsOf(mustList(t, b, q)); got != want {
		t.Errorf("List(%+v): got %q, want %q", q, got, want)
	}
}

// walk reads all pages of an ordering, each from the last user of the one before.
func walk(t *testing.T, b storage.Backend, order []user.Order, size int, between func(page []*user.User)) []*user.User {
	t.Helper()
	var all []*user.User
	q := user.Query{Order: order, Limit: size}
	for {
		page := mustList(t, b, q)
		if len(page) > size {
			t.Fatalf("List returned %d users, more than the limit of %d", len(page), size)
		}
		if len(page) == 0 || len(all) > 1000 {
			return all
		}
		all = append(all, page...)
		place := page[len(page)-1].Position()
		q.From = &place
		between(page)
	}
}

func quietly([]*user.User) {}

func listEmpty(t *testing.T, b storage.Backend) {
	wantList(t, b, user.Query{Order: byID, Limit: 9}, "")
	if n, err := b.Users().Count(t.Context(), user.Filter{}); err != nil || n != 0 {
		t.Errorf("Count: got %d, %v; want 0", n, err)
	}
}

// mixture returns users with many equal fields, in no order.
func mixture(t *testing.T, n int) []*user.User {
	t.Helper()
	rnd := rand.New(rand.NewPCG(7, 2024))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	us := make([]*user.User, n)
	for i := range us {
		id := user.IntegerID(int64(i + 1))
		if i%3 == 0 {
			id = user.ID(fmt.Sprintf("01900000-0000-7000-8000-%012x", i))
		}
		s := person(t, id).Snapshot()
		s.FirstName = pick("", "Ann", "ann", "Ánn", "Bo", "B_o", "😀")
		s.LastName = pick("", "Lee", "lee", "Li", "Ļee")
		s.Email = pick("a", "A", "b", "é") + "@example.com"
		s.Joined = epoch.Add(time.Duration(rnd.IntN(4)) * time.Microsecond)
		s.Active, s.Staff = rnd.IntN(4) > 0, rnd.IntN(4) == 0
		us[i] = restored(t, s)
	}
	rnd.Shuffle(n, func(i, j int) { us[i], us[j] = us[j], us[i] })
	return us
}

// model is List by the rules of the domain.
func model(us []*user.User, q user.Query) []*user.User {
	var out []*user.User
	for _, u := range us {
		if q.Matches(u) && (q.From == nil || u.Position().Compare(*q.From, q.Order) > 0) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *user.User) int { return a.Position().Compare(b.Position(), q.Order) })
	out = out[min(q.Offset, len(out)):]
	return out[:min(q.Limit, len(out))]
}

func listOrderings(t *testing.T, b storage.Backend) {
	us := mixture(t, 20)
	mustAdd(t, b, us...)
	for _, by := range sorts {
		for _, sign := range []string{"", "-"} {
			order := user.Ordering(sign + string(by))
			want := model(us, user.Query{Order: order, Limit: 99})
			wantList(t, b, user.Query{Order: order, Limit: 99}, idsOf(want))
			if got := idsOf(walk(t, b, order, 3, quietly)); got != idsOf(want) {
				t.Errorf("pages by %s%s: got %q, want %q", sign, by, got, idsOf(want))
			}
			back := walk(t, b, user.Reverse(order), 3, quietly)
			if slices.Reverse(back); idsOf(back) != idsOf(want) {
				t.Errorf("pages backwards by %s%s: got %q, want %q", sign, by, idsOf(back), idsOf(want))
			}
		}
	}
	for _, param := range []string{
		"last_name,-first_name", "-date_joined,email,-id", "first_name,last_name,date_joined", "email,email,-email", "-last_name,id,first_name",
	} {
		order := user.Ordering(param)
		want := idsOf(model(us, user.Query{Order: order, Limit: 99}))
		if got := idsOf(walk(t, b, order, 4, quietly)); got != want {
			t.Errorf("pages by %s: got %q, want %q", param, got, want)
		}
	}
}

func listByBytes(t *testing.T, b storage.Backend) {
	texts := []string{"", " ", "A", "A ", "A B", "AB", "Z", "_", "a", "aa", "a\u0301", "z", "é", "ａ", "😀"}
	for i, text := range texts {
		mustAdd(t, b, named(t, user.IntegerID(int64(len(texts)-i)), text, text))
	}
	for _, by := range []user.Sort{user.SortFirstName, user.SortLastName} {
		var got []string
		for _, u := range mustList(t, b, user.Query{Order: user.Ordering(string(by)), Limit: 99}) {
			got = append(got, u.Snapshot().FirstName)
		}
		if !slices.Equal(got, texts) {
			t.Errorf("by %s: got %q, want %q", by, got, texts)
		}
	}
}

func listIDsByValue(t *testing.T, b storage.Backend) {
	for _, id := range []user.ID{"10", "9223372036854775807", "2", "100", "9", "1"} {
		mustAdd(t, b, person(t, id))
	}
	const up, down = "1 2 9 10 100 9223372036854775807", "9223372036854775807 100 10 9 2 1"
	wantList(t, b, user.Query{Order: byID, Limit: 9}, up)
	wantList(t, b, user.Query{Order: user.Reverse(byID), Limit: 9}, down)
	wantList(t, b, user.Query{Order: user.Ordering("last_name"), Limit: 9}, up) // all are equal except in the id
	wantList(t, b, user.Query{Order: user.Ordering("-date_joined"), Limit: 9}, down)
	wantList(t, b, user.Query{Order: byID, Limit: 9, From: &user.Position{ID: "9"}}, "10 100 9223372036854775807")
}

func listPages(t *testing.T, b storage.Backend) {
	us := persons(t, 12) // all joined at the same time
	mustAdd(t, b, us...)
	for _, param := range []string{"date_joined", "-date_joined"} {
		order := user.Ordering(param)
		want := idsOf(model(us, user.Query{Order: order, Limit: 99}))
		for _, size := range []int{1, 2, 5, 12} {
			if got := idsOf(walk(t, b, order, size, quietly)); got != want {
				t.Errorf("pages of %d by %s: got %q, want %q", size, param, got, want)
			}
		}
	}
}

// listPagesUnderChange reads pages while users are added and deleted. A user that stays is listed once.
func listPagesUnderChange(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, 30)...) // 1 to 30
	var wanted, gone []string
	all := walk(t, b, user.Ordering("date_joined"), 3, func(page []*user.User) {
		last := page[len(page)-1].ID()
		n, _ := last.Integer()
		if n > 30 {
			return
		}
		// The last user of this page and the first of the next are deleted. One user is added before the cursor, and one
		// at the end.
		for _, id := range []user.ID{last, user.IntegerID(n + 1)} {
			if err := b.Users().Delete(t.Context(), id, func(*user.User) error { return nil }); err == nil {
				gone = append(gone, string(id))
			}
		}
		early := person(t, user.IntegerID(1000+n)).Snapshot()
		early.Joined = epoch.Add(-time.Hour)
		mustAdd(t, b, restored(t, early), person(t, user.IntegerID(2000+n)))
	})
	seen := strings.Fields(idsOf(all))
	for i := range 30 {
		if id := fmt.Sprint(i + 1); slices.Contains(seen, id) || !slices.Contains(gone, id) {
			wanted = append(wanted, id)
		}
	}
	for _, id := range seen {
		if n, _ := user.ID(id).Integer(); n > 2000 {
			wanted = append(wanted, id)
		}
		if n, _ := user.ID(id).Integer(); n > 1000 && n <= 2000 {
			t.Errorf("%s came before the place and was seen", id)
		}
	}
	if !slices.Equal(seen, wanted) {
		t.Errorf("seen: %v\nwant: %v", seen, wanted)
	}
	if len(gone) < 10 || len(wanted) < 28 {
		t.Errorf("the case does not show enough: %d went, %d were wanted", len(gone), len(wanted))
	}
}

func listDeletedPlace(t *testing.T, b storage.Backend) {
	us := persons(t, 5)
	mustAdd(t, b, us...)
	place := us[2].Position()
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "3", func(*user.User) error { return nil }), nil)
	for _, by := range sorts {
		order := user.Ordering(string(by))
		wantList(t, b, user.Query{Order: order, Limit: 9, From: &place}, "4 5")
		wantList(t, b, user.Query{Order: user.Reverse(order), Limit: 9, From: &place}, "2 1")
	}
}

func listOffset(t *testing.T, b storage.Backend) {
	us := persons(t, 5)
	mustAdd(t, b, us...)
	wantList(t, b, user.Query{Order: byID, Limit: 2, Offset: 1}, "2 3")
	wantList(t, b, user.Query{Order: byID, Limit: 2, Offset: 4}, "5")
	wantList(t, b, user.Query{Order: byID, Limit: 2, Offset: 5}, "")
	wantList(t, b, user.Query{Order: byID, Limit: 2, Offset: 1 << 40}, "")
	wantList(t, b, user.Query{Order: byID, Limit: 1 << 40}, "1 2 3 4 5")
	place := us[1].Position()
	wantList(t, b, user.Query{Order: byID, Limit: 2, Offset: 1, From: &place}, "4 5")
}

func listFilters(t *testing.T, b storage.Backend) {
	yes, no := true, false
	for i, is := range []struct{ active, staff bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		s := person(t, user.IntegerID(int64(i+1))).Snapshot()
		s.Active, s.Staff = is.active, is.staff
		mustAdd(t, b, restored(t, s))
	}
	for _, c := range []struct {
		f    user.Filter
		want string
	}{
		{user.Filter{}, "1 2 3 4"},
		{user.Filter{Active: &yes}, "1 2"},
		{user.Filter{Active: &no}, "3 4"},
		{user.Filter{Staff: &yes}, "1 3"},
		{user.Filter{Staff: &no}, "2 4"},
		{user.Filter{Active: &no, Staff: &yes}, "3"},
		{user.Filter{Only: "2"}, "2"},
		{user.Filter{Only: "02"}, ""},
		{user.Filter{Only: "22"}, ""},
		{user.Filter{Only: "2", Active: &no}, ""},
		{user.Filter{Only: "2", Terms: []string{"user.2"}}, "2"},
		{user.Filter{Only: "2", Terms: []string{"user.1"}}, ""},
	} {
		wantFound(t, b, c.f, c.want)
	}
}

// wantFound fails unless a filter finds the users with these ids, and Count returns their number.
func wantFound(t *testing.T, b storage.Backend, f user.Filter, want string) {
	t.Helper()
	wantList(t, b, user.Query{Filter: f, Order: byID, Limit: 99}, want)
	if n, err := b.Users().Count(t.Context(), f); err != nil || n != len(strings.Fields(want)) {
		t.Errorf("Count(%+v): got %d, %v; want %d", f, n, err, len(strings.Fields(want)))
	}
}

func listSearchFolds(t *testing.T, b storage.Backend) {
	mustAdd(t, b, named(t, "1", "École", "Straße"), named(t, "2", "ÉCOLE", "ΑΘΗΝΑ"), named(t, "3", "Ecole", "Привет"),
		named(t, "4", "Οδυσσεύς", "Ilgın"), named(t, "5", "Wieſe", "ILGIN"))
	for param, want := range map[string]string{
		"école": "1 2", "ÉCOLE": "1 2", "ecole": "3", "cole": "1 2 3", "αθηνα": "2", "ПРИВЕТ": "3", "STRASSE": "", "straße": "1",
		"ΟΔΥΣΣΕΎΣ": "4", "οδυσσεύσ": "4", "οδυσσεύς": "4", "ilgin": "4 5", "ILGIN": "4 5", "ilgın": "4 5", "wiese": "5", "WIESE": "5",
		"wieſe": "5", "ύς": "4", "ſ": "1 2 3 4 5",
		"USER.2@EXAMPLE": "2", "é": "1 2", "": "1 2 3 4 5",
	} {
		wantFound(t, b, user.Filter{Terms: user.Terms(param)}, want)
	}
}

func listSearchPlain(t *testing.T, b storage.Backend) {
	texts := []string{`100%`, `a_b`, `back\slash`, `quote'd`, `"double"`, `.*`, `[a-z]`, `$where`, `{"$ne":1}`, `a*b?`, `axb`, `(?i)x`, `😀`}
	for i, text := range texts {
		mustAdd(t, b, named(t, user.IntegerID(int64(i+1)), text, ""))
	}
	for i, text := range texts {
		wantFound(t, b, user.Filter{Terms: []string{text}}, fmt.Sprint(i+1))
	}
	for term, want := range map[string]string{"%": "1", "_": "2", `\`: "3", "'": "4", "?": "10 12", "\\\\": "", "''": ""} {
		wantFound(t, b, user.Filter{Terms: []string{term}}, want)
	}
}

func listSearchTerms(t *testing.T, b storage.Backend) {
	mustAdd(t, b, named(t, "1", "Ann", "Lee"), named(t, "2", "Ann", "Li"), named(t, "3", "Bo", "Lee"))
	for param, want := range map[string]string{
		"ann": "1 2", "ann lee": "1", "lee,ann": "1", "ann lee user.1": "1", "ann lee user.2": "", "ann ann": "1 2", "annlee": "", "nn l": "1 2",
	} {
		wantFound(t, b, user.Filter{Terms: user.Terms(param)}, want)
	}
}

// listSearchMany searches for as many terms as a request can have. Any number of terms must work.
func listSearchMany(t *testing.T, b storage.Backend) {
	mustAdd(t, b, named(t, "1", "abcdefghijklmnopqrstuvwxyz0123456789", ""), named(t, "2", "abc", ""))
	var terms []string
	for i := range 36 {
		for j := i + 1; j <= 36; j++ {
			terms = append(terms, "abcdefghijklmnopqrstuvwxyz0123456789"[i:j])
		}
	}
	wantFound(t, b, user.Filter{Terms: terms}, "1")
	wantFound(t, b, user.Filter{Terms: append(terms, "absent")}, "")
	for i := range 5000 {
		terms = append(terms, fmt.Sprint("absent", i))
	}
	wantFound(t, b, user.Filter{Terms: terms}, "")
	wantFound(t, b, user.Filter{Terms: slices.Repeat([]string{"abc"}, 50_000)}, "1 2")
}

func listSearchUpdates(t *testing.T, b storage.Backend) {
	mustAdd(t, b, named(t, "1", "Ann", "Lee"))
	_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { u.Rename("Bo", "Lee"); return nil })
	wantErr(t, "Update", err, nil)
	wantFound(t, b, user.Filter{Terms: []string{"ann"}}, "")
	wantFound(t, b, user.Filter{Terms: []string{"bo"}}, "1")
}

// listModel runs many random queries, the same in every run.
func listModel(t *testing.T, b storage.Backend) {
	us := mixture(t, 40)
	mustAdd(t, b, us...)
	rnd := rand.New(rand.NewPCG(2024, 7))
	maybe := func() *bool { return []*bool{nil, nil, new(true), new(false)}[rnd.IntN(4)] }
	for range 200 {
		var q user.Query
		q.Active, q.Staff = maybe(), maybe()
		for range rnd.IntN(3) {
			q.Terms = append(q.Terms, []string{"ann", "ánn", "lee", "_", "@", "b", "😀", "\n"}[rnd.IntN(8)])
		}
		for _, i := range rnd.Perm(len(sorts))[:rnd.IntN(len(sorts))] {
			q.Order = append(q.Order, user.Order{By: sorts[i], Desc: rnd.IntN(2) == 0})
		}
		q.Order = append(q.Order, user.Order{By: user.SortID, Desc: rnd.IntN(2) == 0})
		if rnd.IntN(2) == 0 {
			place := us[rnd.IntN(len(us))].Position()
			q.From = &place
		}
		q.Offset, q.Limit = rnd.IntN(3), 1+rnd.IntN(40)
		wantList(t, b, q, idsOf(model(us, q)))
		want := len(model(us, user.Query{Filter: q.Filter, Order: byID, Limit: 99}))
		if n, err := b.Users().Count(t.Context(), q.Filter); err != nil || n != want {
			t.Errorf("Count(%+v): got %d, %v", q.Filter, n, err)
		}
	}
}
