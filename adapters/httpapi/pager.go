package httpapi

import (
	"net/http"
	"slices"
)

// cursorPage is a page in the form of DRF's CursorPagination.
type cursorPage[W any] struct {
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  []W     `json:"results"`
}

// pager answers requests for the pages of a list of T, each shown as a W.
type pager[T, W any] struct {
	order []string // of the list; cursors of another order are refused
	// fetch returns up to limit records from the position of the cursor on, in the cursor's direction. It calls
	// parse for the cursor once the actor's rights have been judged.
	fetch func(parse func() (cursor, error), limit int) ([]T, error)
	place func(T) []string
	wire  func(T) W
}

// answer writes the page that the request's cursor names. It fetches one record more than the page shows, to learn
// whether another page follows.
func (p pager[T, W]) answer(s *server, w http.ResponseWriter, r *http.Request, c call) error {
	size := s.pageSize(c.query)
	var at cursor
	found, err := p.fetch(func() (_ cursor, err error) {
		text, _ := c.query.get("cursor")
		at, err = parseCursor(text, p.order)
		return at, err
	}, size+1)
	if err != nil {
		return err
	}
	more := len(found) > size
	found = found[:min(len(found), size)]
	if at.Back {
		slices.Reverse(found)
	}
	out := cursorPage[W]{Results: make([]W, len(found))}
	for i, x := range found {
		out.Results[i] = p.wire(x)
	}
	if at.Back || more {
		out.Next = p.link(s, r, c, found, false)
	}
	if at.Values != nil && !at.Back || at.Back && more {
		out.Previous = p.link(s, r, c, found, true)
	}
	s.ok(w, r, http.StatusOK, out)
	return nil
}

// link returns the URL of the page after the one shown, or before it. A page that is empty, since its records were
// deleted, leads to that end of the list.
func (p pager[T, W]) link(s *server, r *http.Request, c call, shown []T, back bool) *string {
	at := cursor{Back: back, Order: p.order}
	switch {
	case len(shown) > 0 && back:
		at.Values = p.place(shown[0])
	case len(shown) > 0:
		at.Values = p.place(shown[len(shown)-1])
	case !back:
		return s.link(r, c.query.without("cursor"))
	}
	return s.link(r, c.query.with("cursor", at.encode()))
}
