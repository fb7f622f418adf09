package httpapi

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"roster/domain/user"
)

// cursor is a place in the list and a direction. It holds a position, not a page: whoever comes or
// goes meanwhile, nobody is shown twice or left out. It is no secret and no authority: what it can
// ask for, ?ordering= can too.
type cursor struct {
	back bool           // towards the start
	from *user.Position // nil: from the end that the direction begins at
}

// wireCursor is what a cursor's text holds, in base64url: the direction, the ordering that it was
// given out under, and for each criterion the value there.
type wireCursor struct {
	Back   bool     `json:"b,omitzero"`
	Order  []string `json:"o,omitempty"`
	Values []string `json:"v,omitempty"`
}

// cursorTime writes the time of joining in a cursor, to the microsecond.
const cursorTime = "2006-01-02T15:04:05.000000Z"

func (c cursor) encode(order []user.Order) string {
	w := wireCursor{Back: c.back, Order: criteria(order)}
	if c.from != nil {
		for _, o := range order {
			w.Values = append(w.Values, value(c.from, o.By))
		}
	}
	b, err := json.Marshal(w)
	if err != nil {
		return "" // text that storage gave back is UTF-8
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// criteria spells an ordering as ?ordering= does.
func criteria(order []user.Order) []string {
	out := make([]string, len(order))
	for i, o := range order {
		out[i] = string(o.By)
		if o.Desc {
			out[i] = "-" + out[i]
		}
	}
	return out
}

func value(p *user.Position, by user.Sort) string {
	switch by {
	case user.SortID:
		return string(p.ID)
	case user.SortEmail:
		return p.Email
	case user.SortFirstName:
		return p.FirstName
	case user.SortLastName:
		return p.LastName
	case user.SortJoined:
		return p.Joined.UTC().Format(cursorTime)
	}
	return ""
}

// parseCursor reads a cursor that was given out under the same ordering, or fails as DRF does.
func parseCursor(text string, order []user.Order) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return cursor{}, errInvalidCursor
	}
	var w wireCursor
	if err := json.Unmarshal(raw, &w, json.RejectUnknownMembers(true)); err != nil {
		return cursor{}, errInvalidCursor
	}
	c := cursor{back: w.Back}
	if !slices.Equal(w.Order, criteria(order)) {
		return cursor{}, errInvalidCursor
	}
	if len(w.Values) == 0 {
		return c, nil
	}
	if len(w.Values) != len(order) {
		return cursor{}, errInvalidCursor
	}
	c.from = &user.Position{}
	for i, o := range order {
		if err := place(c.from, o.By, w.Values[i]); err != nil {
			return cursor{}, errInvalidCursor
		}
	}
	return c, nil
}

func place(p *user.Position, by user.Sort, v string) (err error) {
	switch by {
	case user.SortID:
		p.ID, err = user.ParseID(v)
	case user.SortEmail:
		p.Email = v
	case user.SortFirstName:
		p.FirstName = v
	case user.SortLastName:
		p.LastName = v
	case user.SortJoined:
		p.Joined, err = time.Parse(cursorTime, v)
	}
	return err
}
