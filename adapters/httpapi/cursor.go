package httpapi

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"roster/domain/user"
)

// cursor is a position in a list and a direction. Since it names no page number, no item is shown twice or left out
// when others are added or deleted. It grants no access: a client can forge one, but read nothing more with it.
type cursor struct {
	Back   bool     `json:"b,omitzero"`  // towards the start of the list
	Order  []string `json:"o,omitempty"` // the fields of the ordering, as in ?ordering=
	Values []string `json:"v,omitempty"` // the value of each field at the position; none is an end of the list
}

// encode returns c as text in base64url.
func (c cursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // not reached: storage returns valid UTF-8
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor parses a cursor of a list with the given order. "" is the start of the list. It returns errInvalidCursor
// for other text, also for a cursor of another order.
func parseCursor(text string, order []string) (cursor, error) {
	start := cursor{Order: order}
	if text == "" {
		return start, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return start, errInvalidCursor
	}
	var c cursor
	if err := json.Unmarshal(raw, &c, json.RejectUnknownMembers(true)); err != nil || !slices.Equal(c.Order, order) {
		return start, errInvalidCursor
	}
	if n := len(c.Values); n != 0 && n != len(order) {
		return start, errInvalidCursor
	}
	return c, nil
}

// orderingFields returns the fields of an ordering as in ?ordering=, with "-" for descending.
func orderingFields(order []user.Order) []string {
	out := make([]string, len(order))
	for i, o := range order {
		out[i] = string(o.By)
		if o.Desc {
			out[i] = "-" + out[i]
		}
	}
	return out
}

// userValues returns the cursor values of a user's position.
func userValues(p user.Position, order []user.Order) []string {
	out := make([]string, len(order))
	for i, o := range order {
		switch o.By {
		case user.SortID:
			out[i] = string(p.ID)
		case user.SortEmail:
			out[i] = p.Email
		case user.SortFirstName:
			out[i] = p.FirstName
		case user.SortLastName:
			out[i] = p.LastName
		case user.SortJoined:
			out[i] = p.Joined.UTC().Format(timeLayout)
		}
	}
	return out
}

// parseUserValues is the inverse of userValues. It returns nil for no values.
func parseUserValues(values []string, order []user.Order) (*user.Position, error) {
	if len(values) == 0 {
		return nil, nil //nolint:nilnil // an end of the list has no position
	}
	p := &user.Position{}
	for i, o := range order {
		var err error
		switch v := values[i]; o.By {
		case user.SortID:
			p.ID, err = user.ParseID(v)
		case user.SortEmail:
			p.Email = v
		case user.SortFirstName:
			p.FirstName = v
		case user.SortLastName:
			p.LastName = v
		case user.SortJoined:
			p.Joined, err = time.Parse(timeLayout, v)
		}
		if err != nil {
			return nil, errInvalidCursor
		}
	}
	return p, nil
}

// newestFirst is the order of the lists by time.
var newestFirst = []string{"-time", "-id"}

// timeValues returns the cursor values of a position in a list by time.
func timeValues(at time.Time, id string) []string { return []string{at.UTC().Format(timeLayout), id} }

// parseTimeValues is the inverse of timeValues. ok is false for no values.
func parseTimeValues(values []string) (at time.Time, id string, ok bool, err error) {
	if len(values) == 0 {
		return at, "", false, nil
	}
	at, err = time.Parse(timeLayout, values[0])
	if err != nil || values[1] == "" {
		return at, "", false, errInvalidCursor
	}
	return at, values[1], true, nil
}
