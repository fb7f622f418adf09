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

func TestCursorRoundTrip(t *testing.T) {
	at := user.Position{ID: "42", Email: "é@x", FirstName: "A\"B", LastName: "\n", Joined: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}
	for _, order := range orderings() {
		for _, back := range []bool{false, true} {
			c, err := parseCursor(cursor{back, orderingFields(order), userValues(at, order)}.encode(), orderingFields(order))
			if err != nil {
				t.Fatal(err)
			}
			from, err := parseUserValues(c.Values, order)
			if err != nil || c.Back != back || from.Compare(at, order) != 0 {
				t.Errorf("%v: got %+v, %v", order, c, err)
			}
		}
	}
}

func TestCursorOfAnotherOrderingIsRefused(t *testing.T) {
	at := user.Position{ID: "42", Email: "a@x", Joined: time.Now()}
	email := user.Ordering("email")
	text := cursor{Order: orderingFields(email), Values: userValues(at, email)}.encode()
	if _, err := parseCursor(text, orderingFields(user.Ordering("date_joined"))); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"x", "e30=", "bnVsbA", strings.Repeat("A", 5000), "eyJ2IjpbIiIsIiJdfQ", "eyJ4IjoxfQ"} {
		if c, err := parseCursor(bad, orderingFields(email)); err == nil && c.Values != nil {
			t.Errorf("%q was parsed as %+v", bad, c)
		}
	}
}

// FuzzCursor checks that any text is refused with fault.NotFound or is a position that survives encoding.
func FuzzCursor(f *testing.F) {
	at := user.Position{ID: "42", Email: "a@x", FirstName: "A", LastName: "B", Joined: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i, o := range orderings() {
		f.Add(cursor{i%2 == 0, orderingFields(o), userValues(at, o)}.encode(), i)
	}
	f.Add("e30", 0)
	f.Add("eyJiIjp0cnVlLCJvIjpbImlkIl19", 3)
	f.Fuzz(func(t *testing.T, text string, n int) {
		order := orderings()[uint(n)%uint(len(orderings()))]
		c, err := parseCursor(text, orderingFields(order))
		var from *user.Position
		if err == nil {
			from, err = parseUserValues(c.Values, order)
		}
		if err != nil {
			if fault.KindOf(err) != fault.NotFound {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := parseCursor(c.encode(), orderingFields(order))
		if err != nil || again.Back != c.Back || (again.Values == nil) != (c.Values == nil) {
			t.Fatalf("%q: %+v became %+v, %v", text, c, again, err)
		}
		if from == nil {
			return
		}
		if at, err := parseUserValues(again.Values, order); err != nil || from.Compare(*at, order) != 0 {
			t.Fatalf("%q: %+v became %+v, %v", text, from, at, err)
		}
	})
}

func TestCursorIsBoundToItsOrdering(t *testing.T) {
	order := orderings()
	for i := range order {
		for j := range order {
			_, err := parseCursor(cursor{Back: true, Order: orderingFields(order[i])}.encode(), orderingFields(order[j]))
			if (err == nil) != (i == j) {
				t.Errorf("cursor of %v under %v: %v", order[i], order[j], err)
			}
		}
	}
}
