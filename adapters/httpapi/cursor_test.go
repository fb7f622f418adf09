package httpapi

import (
	"strings"
	"testing"
	"time"

	"roster/domain/fault"
	"roster/domain/user"
)

func orderings() [][]user.Order {
	return [][]user.Order{
		user.Ordering("", user.Order{By: user.SortJoined}),
		user.Ordering("-email"),
		user.Ordering("last_name,-first_name"),
		user.Ordering("id"),
	}
}

func TestCursorLeadsBackToItsPlace(t *testing.T) {
	at := user.Position{ID: "42", Email: "é@x", FirstName: "A\"B", LastName: "\n", Joined: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}
	for _, order := range orderings() {
		for _, back := range []bool{false, true} {
			c, err := parseCursor(cursor{back, &at}.encode(order), order)
			if err != nil {
				t.Fatal(err)
			}
			if c.back != back || c.from.Compare(at, order) != 0 {
				t.Errorf("%v: got %+v", order, c)
			}
		}
	}
}

func TestCursorOfAnotherOrderingIsRefused(t *testing.T) {
	at := user.Position{ID: "42", Email: "a@x", Joined: time.Now()}
	text := cursor{false, &at}.encode(user.Ordering("email"))
	if _, err := parseCursor(text, user.Ordering("date_joined")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"x", "e30=", "bnVsbA", strings.Repeat("A", 5000), "eyJ2IjpbIiIsIiJdfQ", "eyJ4IjoxfQ"} {
		if c, err := parseCursor(bad, user.Ordering("email")); err == nil && c.from != nil {
			t.Errorf("%q was taken as %+v", bad, c)
		}
	}
}

// FuzzCursor feeds any text: it is refused as not found, or a place that encodes to a cursor for
// the same place.
func FuzzCursor(f *testing.F) {
	at := user.Position{ID: "42", Email: "a@x", FirstName: "A", LastName: "B", Joined: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i, o := range orderings() {
		f.Add(cursor{i%2 == 0, &at}.encode(o), i)
	}
	f.Add("e30", 0)
	f.Add("eyJiIjp0cnVlLCJvIjpbImlkIl19", 3)
	f.Fuzz(func(t *testing.T, text string, n int) {
		order := orderings()[uint(n)%uint(len(orderings()))]
		c, err := parseCursor(text, order)
		if err != nil {
			if fault.KindOf(err) != fault.NotFound {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := parseCursor(c.encode(order), order)
		if err != nil || again.back != c.back || (again.from == nil) != (c.from == nil) {
			t.Fatalf("%q: %+v became %+v, %v", text, c, again, err)
		}
		if c.from != nil && c.from.Compare(*again.from, order) != 0 {
			t.Fatalf("%q: %+v became %+v", text, c.from, again.from)
		}
	})
}
