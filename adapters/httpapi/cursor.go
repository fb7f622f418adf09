package httpapi

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"roster/domain/user"
)

// cursor is a position in a list and a direction. It names a position and not a page, so that no record is shown
// twice or left out when others are added or deleted. A cursor grants nothing that ?ordering= does not.
type cursor struct {
	Back   bool     `json:"b,omitzero"`  // towards the start
	Order  []string `json:"o,omitempty"` // the criteria, as ?ordering= spells them
	Values []string `json:"v,omitempty"` // the value of each criterion at the position; none: the end to start from
}

// encode returns the text of c, in base64url.
func (c cursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // text that storage returned is UTF-8
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor parses a cursor that was issued under the same order. It fails as DRF does. The text "" is the start.
func parseCursor(text string, order []string) (cursor, error) {
	c := cursor{Order: order}
	if text == "" {
		return c, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return c, errInvalidCursor
	}
	var got cursor
	if err := json.Unmarshal(raw, &got, json.RejectUnknownMembers(true)); err != nil || !slices.Equal(got.Order, order) {
		return c, errInvalidCursor
	}
	if n := len(got.Values); n != 0 && n != len(order) {
		return c, errInvalidCursor
	}
	return got, nil
}

// cursorTime is the layout of times in a cursor, to the microsecond.
const cursorTime = "2006-01-02T15:04:05.000000Z"

// criteria returns an ordering as ?ordering= spells it.
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

// userPlace returns the values of a user's position in an ordering.
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
			out[i] = p.Joined.UTC().Format(cursorTime)
		}
	}
	return out
}

// parseUserPlace returns the position that userPlace returned the values of, nil for no values.
func parseUserValues(values []string, order []user.Order) (*user.Position, error) {
	if len(values) == 0 {
		return nil, nil //nolint:nilnil // the start of the list is no position
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
			p.Joined, err = time.Parse(cursorTime, v)
		}
		if err != nil {
			return nil, errInvalidCursor
		}
	}
	return p, nil
}

// newestFirst is the order of lists by time.
var newestFirst = []string{"-time", "-id"}

func timeValues(at time.Time, id string) []string { return []string{at.UTC().Format(cursorTime), id} }

// parseTimePlace returns the time and the id that timePlace returned the values of; ok is false for no values.
func parseTimeValues(values []string) (at time.Time, id string, ok bool, err error) {
	if len(values) == 0 {
		return at, "", false, nil
	}
	at, err = time.Parse(cursorTime, values[0])
	if err != nil || values[1] == "" {
		return at, "", false, errInvalidCursor
	}
	return at, values[1], true, nil
}
