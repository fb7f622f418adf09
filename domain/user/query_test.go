package user_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roster/domain/user"
)

func TestOrdering(t *testing.T) {
	id, down := user.Order{By: user.SortID}, user.Order{By: user.SortID, Desc: true}
	for param, want := range map[string][]user.Order{
		"":                         {id},
		"id":                       {id},
		"-id":                      {down},
		"email":                    {{By: user.SortEmail}, id},
		"-email":                   {{By: user.SortEmail, Desc: true}, down},
		" -email , first_name ":    {{By: user.SortEmail, Desc: true}, {By: user.SortFirstName}, id},
		"last_name,-date_joined":   {{By: user.SortLastName}, {By: user.SortJoined, Desc: true}, down},
		"email,id,first_name":      {{By: user.SortEmail}, id},
		"email,-email,email":       {{By: user.SortEmail}, id},
		"password":                 {id},
		"password,email":           {{By: user.SortEmail}, id},
		"Email":                    {id},
		"--email":                  {id},
		"- email":                  {id},
		",,":                       {id},
		"email;drop table users":   {id},
		"is_staff,-is_active,user": {id},
	} {
		if diff := cmp.Diff(want, user.Ordering(param)); diff != "" {
			t.Errorf("%q: %s", param, diff)
		}
	}
	fallback := user.Order{By: user.SortJoined, Desc: true}
	if got := user.Ordering("nonsense", fallback); !slices.Equal(got, []user.Order{fallback, down}) {
		t.Errorf("fallback: %v", got)
	}
	if got := user.Ordering("email", fallback); got[0].By != user.SortEmail {
		t.Errorf("fallback although there is one: %v", got)
	}
}

func TestTerms(t *testing.T) {
	for param, want := range map[string][]string{
		"": nil, " , ,": nil, "Zoë": {"zoë"}, "a b": {"a", "b"}, "a,b, c\td\u3000e\x1cf": {"a", "b", "c", "d", "e", "f"}, "a\x00b": {"ab"}, "\x00": nil,
		"50% _x": {"50%", "_x"}, "O'Neil": {"o'neil"}, `"a b"`: {`"a`, `b"`},
	} {
		if got := user.Terms(param); !slices.Equal(got, want) {
			t.Errorf("%q: %q", param, got)
		}
	}
}

func person(t *testing.T, id user.ID, email, first, last string) *user.User {
	t.Helper()
	u, err := user.Restore(user.Snapshot{ID: id, Email: email, EmailKey: email, FirstName: first, LastName: last, Active: true, Joined: joined, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

var joined = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestMatches(t *testing.T) {
	yes, no := true, false
	u := person(t, "7", "Zoe@example.com", "ZOË", "O'Neil")
	for name, c := range map[string]struct {
		filter user.Filter
		want   bool
	}{
		"all":                          {user.Filter{}, true},
		"active":                       {user.Filter{Active: &yes}, true},
		"inactive":                     {user.Filter{Active: &no}, false},
		"staff":                        {user.Filter{Staff: &yes}, false},
		"no staff":                     {user.Filter{Staff: &no, Active: &yes}, true},
		"only":                         {user.Filter{Only: "7"}, true},
		"only another":                 {user.Filter{Only: "8"}, false},
		"first name":                   {user.Filter{Terms: user.Terms("zoë")}, true},
		"all terms":                    {user.Filter{Terms: user.Terms("ZOË neil EXAMPLE")}, true},
		"one term too many":            {user.Filter{Terms: user.Terms("zoë smith")}, false},
		"not across members":           {user.Filter{Terms: []string{"comzoë"}}, false},
		"the separator does not match": {user.Filter{Terms: user.Terms("com\nzoë")}, true}, // two terms
		"wildcards are plain":          {user.Filter{Terms: []string{"z%"}}, false},
		"terms and only":               {user.Filter{Terms: []string{"zoë"}, Only: "8"}, false},
	} {
		if got := c.filter.Matches(u); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// An ordering is total, and Reverse inverts it.
func TestCompare(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "a", "A", "b", "é", "aa"})
	place := rapid.Custom(func(t *rapid.T) user.Position {
		return user.Position{
			ID:    rapid.SampledFrom([]user.ID{"1", "2", "10", "0197b5a0-1234-7abc-8def-0123456789ab"}).Draw(t, "id"),
			Email: text.Draw(t, "email"), FirstName: text.Draw(t, "first"), LastName: text.Draw(t, "last"),
			Joined: joined.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "joined")) * time.Millisecond),
		}
	})
	param := rapid.StringMatching(`(-?(id|email|first_name|last_name|date_joined),?){0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		order := user.Ordering(param.Draw(t, "ordering"))
		p, q, r := place.Draw(t, "p"), place.Draw(t, "q"), place.Draw(t, "r")
		if p.Compare(q, order) != -q.Compare(p, order) || p.Compare(q, user.Reverse(order)) != -p.Compare(q, order) {
			t.Fatal("not antisymmetric")
		}
		if p.Compare(q, order) <= 0 && q.Compare(r, order) <= 0 && p.Compare(r, order) > 0 {
			t.Fatal("not transitive")
		}
		if p.Compare(q, order) == 0 && p.ID != q.ID {
			t.Fatal("two users are equal")
		}
	})
	a, b := user.Position{ID: "2", FirstName: "B"}, user.Position{ID: "10", FirstName: "a"}
	if a.Compare(b, user.Ordering("id")) >= 0 || a.Compare(b, user.Ordering("first_name")) >= 0 || a.Compare(b, user.Ordering("-first_name")) <= 0 {
		t.Error("ids by value, texts by byte")
	}
	if got := person(t, "7", "e", "f", "l").Position(); got != (user.Position{ID: "7", Email: "e", FirstName: "f", LastName: "l", Joined: joined}) {
		t.Errorf("%+v", got)
	}
}

// TestCriteria shows what of an ordering is left: nothing unknown, nothing twice, and nothing after the id.
func TestCriteria(t *testing.T) {
	got := user.Criteria([]user.Order{
		{By: "password"}, {By: user.SortEmail, Desc: true}, {By: user.SortEmail}, {By: user.SortID, Desc: true}, {By: user.SortJoined},
	})
	if want := []user.Order{{By: user.SortEmail, Desc: true}, {By: user.SortID, Desc: true}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := user.Criteria(nil); !slices.Equal(got, []user.Order{{By: user.SortID}}) {
		t.Errorf("of nothing: %v, want the id", got)
	}
}
