package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/user"
)

// wireEvent is an event of the audit trail in a response.
type wireEvent struct {
	ID        audit.ID      `json:"id"`
	Time      wireTime      `json:"time"`
	Kind      audit.Kind    `json:"kind"`
	Actor     *wireID       `json:"actor"` // null: anonymous
	User      *wireID       `json:"user"`  // null: no such user
	Session   *string       `json:"session"`
	Channel   audit.Channel `json:"channel"`
	Address   string        `json:"address"`
	UserAgent string        `json:"user_agent"`
	RequestID string        `json:"request_id"`
	Detail    string        `json:"detail"`
}

func (s *server) listEvents(w http.ResponseWriter, r *http.Request, c call) error {
	return pager[audit.Event]{
		order: newestFirst,
		fetch: func(parse func() (cursor, error), limit int) ([]audit.Event, error) {
			return s.Trail.Events(r.Context(), c.actor, func() (audit.Query, error) {
				f, err := s.eventFilter(c.query)
				if err != nil {
					return audit.Query{}, err
				}
				at, err := parse()
				if err != nil {
					return audit.Query{}, err
				}
				q := audit.Query{Filter: f, Back: at.Back, Limit: limit}
				when, id, ok, err := parseTimeValues(at.Values)
				if ok {
					q.From = &audit.Position{At: when, ID: audit.ID(id)}
				}
				return q, err
			})
		},
		values: func(e audit.Event) []string { return timeValues(e.At, string(e.ID)) },
		toWire: each(func(e audit.Event) wireEvent {
			out := wireEvent{
				ID: e.ID, Time: wireTime(e.At), Kind: e.Kind, Actor: optionalWireID(e.Actor), User: optionalWireID(e.User),
				Channel: e.Channel, Address: e.Address, UserAgent: e.UserAgent, RequestID: e.RequestID, Detail: e.Detail,
			}
			if e.Session != "" {
				out.Session = &e.Session
			}
			return out
		}),
	}.writePage(s, w, r, c)
}

// eventFilter parses ?kind= (a comma-separated list), ?actor=, ?user=, ?since= and ?until= (RFC 3339).
func (s *server) eventFilter(q query) (audit.Filter, error) {
	var (
		f      audit.Filter
		faults []fault.Field
	)
	refuse := func(name, code, message string) {
		faults = append(faults, fault.Field{Name: name, Code: code, Message: message})
	}
	if text, _ := q.get("kind"); text != "" {
		for part := range strings.SplitSeq(text, ",") {
			k := audit.Kind(strings.TrimSpace(part))
			switch {
			case !slices.Contains(audit.Kinds(), k):
				refuse("kind", "invalid_choice",
					fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", truncate(string(k), 64)))
			case !slices.Contains(f.Kinds, k):
				f.Kinds = append(f.Kinds, k)
			}
			if len(faults) > 0 {
				break // one fault is enough; a list may be long
			}
		}
	}
	for name, out := range map[string]*user.ID{"actor": &f.Actor, "user": &f.User} {
		if text, _ := q.get(name); text != "" {
			id, err := s.parseID(text)
			if err != nil {
				refuse(name, "invalid", "Enter a valid id.")
			}
			*out = id
		}
	}
	for name, out := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if text, _ := q.get(name); text != "" {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				refuse(name, "invalid", "Enter a valid date/time.")
			}
			*out = at.UTC()
			if err == nil && out.IsZero() {
				*out = out.Add(time.Millisecond) // the zero time means no bound
			}
		}
	}
	if len(faults) > 0 {
		slices.SortStableFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
		return f, fault.ErrInvalid.With(faults...)
	}
	return f, nil
}
