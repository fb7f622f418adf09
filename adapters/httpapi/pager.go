package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"roster/domain/field"
)

// cursorPage is a page in the form of DRF's CursorPagination.
type cursorPage struct {
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  any     `json:"results"` // a slice
}

// each returns a function that returns the slice of what toWire returns for each item.
func each[T, W any](toWire func(T) W) func([]T) any {
	return func(items []T) any {
		out := make([]W, len(items))
		for i, item := range items {
			out[i] = toWire(item)
		}
		return out
	}
}

// pager responds with pages of a list of T.
type pager[T any] struct {
	order []string // of the list; a cursor of another order is invalid
	// fetch returns up to limit items from the position of the cursor on, in the cursor's direction. It parses the
	// cursor once the actor's permission has been checked.
	fetch  func(parse func() (cursor, error), limit int) ([]T, error)
	values func(T) []string // of an item, for cursor.Values
	toWire func([]T) any    // returns the slice of the items of a page
}

// writePage writes the page that the request's cursor names. It fetches one item more than the page shows, to learn
// whether another page follows.
func (p pager[T]) writePage(s *server, w http.ResponseWriter, r *http.Request, c call) error {
	size := s.pageSize(c.query)
	var at cursor
	items, err := p.fetch(func() (_ cursor, err error) {
		text, _ := c.query.get("cursor")
		at, err = parseCursor(text, p.order)
		return at, err
	}, size+1)
	if err != nil {
		return err
	}
	more := len(items) > size
	items = items[:min(len(items), size)]
	if at.Back {
		slices.Reverse(items)
	}
	page := cursorPage{Results: p.toWire(items)}
	if at.Back || more {
		page.Next = p.link(s, r, c, items, false)
	}
	if at.Values != nil && !at.Back || at.Back && more {
		page.Previous = p.link(s, r, c, items, true)
	}
	s.writeJSON(w, r, http.StatusOK, page)
	return nil
}

// link returns the URL of the next page, or of the previous one. If items is empty, since they were deleted, it is
// the page at that end of the list.
func (p pager[T]) link(s *server, r *http.Request, c call, items []T, back bool) *string {
	at := cursor{Back: back, Order: p.order}
	switch {
	case len(items) > 0 && back:
		at.Values = p.values(items[0])
	case len(items) > 0:
		at.Values = p.values(items[len(items)-1])
	case !back:
		return s.link(r, c.query.without("cursor"))
	}
	return s.link(r, c.query.with("cursor", at.encode()))
}

// pageSize returns how many items a page holds: ?page_size= up to MaxPageSize, as DRF's page_size_query_param. A value
// that is no positive number is ignored.
func (s *server) pageSize(q query) int {
	text, _ := q.get("page_size")
	n, err := strconv.ParseInt(field.Strip(text), 10, 64)
	most := max(s.MaxPageSize, s.PageSize)
	switch {
	case s.MaxPageSize == 0:
		return s.PageSize
	case errors.Is(err, strconv.ErrRange) && n > 0:
		return most
	case err != nil || n < 1:
		return s.PageSize
	}
	return int(min(n, int64(most)))
}
