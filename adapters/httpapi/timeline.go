package httpapi

import (
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// moment is a place in a list by time, newest first.
type moment struct {
	at time.Time
	id string
}

// wireMoment is what the text of a cursor in such a list holds, in base64url.
type wireMoment struct {
	Back bool   `json:"b,omitzero"`
	At   string `json:"t"`
	ID   string `json:"i"`
}

func (m moment) encode(back bool) string {
	b, err := json.Marshal(wireMoment{back, m.at.UTC().Format(cursorTime), m.id})
	if err != nil {
		return "" // text that storage gave back is UTF-8
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseMoment reads a cursor, or fails as DRF does; "" is the newest.
func parseMoment(text string) (from *moment, back bool, err error) {
	if text == "" {
		return nil, false, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) > maxCursor {
		return nil, false, errInvalidCursor
	}
	var w wireMoment
	if err := json.Unmarshal(raw, &w, json.RejectUnknownMembers(true)); err != nil || w.ID == "" {
		return nil, false, errInvalidCursor
	}
	at, err := time.Parse(cursorTime, w.At)
	if err != nil {
		return nil, false, errInvalidCursor
	}
	return &moment{at, w.ID}, w.Back, nil
}

// maxCursor is the longest cursor that can have been given out.
const maxCursor = 256

// timeline is a page of a list by time, in the form of DRF's CursorPagination.
type timeline[W any] struct {
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  []W     `json:"results"`
}

// source is a list by time: how to read a stretch of it, where one thing stands, and how it is told.
type source[T, W any] struct {
	fetch func(from *moment, back bool, limit int) ([]T, error)
	place func(T) moment
	tell  func(T) W
}

// page answers with the page of a list that the request's cursor names.
func (l source[T, W]) page(s *server, w http.ResponseWriter, r *http.Request, c call) error {
	text, _ := c.query.get("cursor")
	from, back, err := parseMoment(text)
	if err != nil {
		return err
	}
	size := s.pageSize(c.query)
	found, err := l.fetch(from, back, size+1)
	if err != nil {
		return err
	}
	more := len(found) > size
	found = found[:min(len(found), size)]
	if back {
		slices.Reverse(found)
	}
	out := timeline[W]{Results: make([]W, len(found))}
	for i, x := range found {
		out.Results[i] = l.tell(x)
	}
	if len(found) > 0 {
		if back || more {
			out.Next = s.link(r, c.query.with("cursor", l.place(found[len(found)-1]).encode(false)))
		}
		if from != nil && !back || back && more {
			out.Previous = s.link(r, c.query.with("cursor", l.place(found[0]).encode(true)))
		}
	}
	s.ok(w, r, http.StatusOK, out)
	return nil
}
