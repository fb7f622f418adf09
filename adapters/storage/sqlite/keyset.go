package sqlite

import "time"

// keyset is a statement in the making that lists rows by a time and then by id, newest first or back. A
// page begins beyond a place, so that it costs the same however far it lies.
type keyset struct {
	where
	time string // the column
	back bool   // oldest first
}

// newer asks for rows that come after a place in time.
func (k *keyset) newer(at time.Time, id string) { k.and(k.compared(">", at, id)) }

// older asks for rows that come before a place in time.
func (k *keyset) older(at time.Time, id string) { k.and(k.compared("<", at, id)) }

func (k *keyset) compared(operator string, at time.Time, id string) string {
	return "(" + k.time + ", id) " + operator + " (" + k.given(at.UnixMilli()) + ", " + k.given(id) + ")"
}

// end returns the order and the limit.
func (k *keyset) end(limit int) string {
	direction := " DESC"
	if k.back {
		direction = ""
	}
	return " ORDER BY " + k.time + direction + ", id" + direction + " LIMIT " + k.given(max(limit, 0))
}
