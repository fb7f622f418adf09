package httpapi

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"roster/domain/user"
)

// A page whose items were deleted has a link back into the list, in both directions.
func TestEmptyPageLeadsBack(t *testing.T) {
	e := newTestAPI(t, Settings{PageSize: 1, Pagination: Cursors}, listApp{}) // listApp returns no users
	order := user.Ordering("", user.Order{By: user.SortJoined}, user.Order{By: user.SortID})
	values := userValues(user.Position{ID: "7", Joined: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, order)
	get := func(query string) (p struct {
		Next, Previous *string
		Results        []any
	}) {
		t.Helper()
		r := e.send("GET", "/api/users/"+query, "", "Authorization", "Bearer ann")
		if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.StatusCode != 200 || len(p.Results) != 0 {
			t.Fatalf("%s: %d %s %v", query, r.StatusCode, r.body, err)
		}
		return p
	}
	first := get("")
	forward := get("?cursor=" + cursor{Order: orderingFields(order), Values: values}.encode())
	if first.Next != nil || first.Previous != nil || forward.Next != nil || forward.Previous == nil {
		t.Fatalf("the first page has links %v, the page after a position %v", first, forward)
	}
	back, err := url.Parse(*forward.Previous)
	if err != nil {
		t.Fatal(err)
	}
	last := get("?" + back.RawQuery)
	if last.Next == nil {
		t.Fatalf("the last page has no link to the start: %v", last)
	}
	if start, err := url.Parse(*last.Next); err != nil || start.Query().Has("cursor") {
		t.Errorf("the link to the start is %s", *last.Next)
	}
}
