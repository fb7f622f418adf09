package sqltable

import (
	"slices"
	"strings"
	"time"

	"roster/adapters/storage"
	"roster/domain/user"
)

// Where is a condition in the making, its parts joined by AND, with its arguments.
type Where struct {
	Parts []string
	Args  []any
	d     *Dialect
}

// Where returns a condition without parts.
func (d *Dialect) Where() Where { return Where{d: d} }

// Where returns a condition on rows, without parts.
func (t *Table[T, S]) Where() Where { return t.d.Where() }

// And adds a part.
func (w *Where) And(condition string) { w.Parts = append(w.Parts, condition) }

// Given adds an argument and returns its name, which may stand in the statement any number of times.
func (w *Where) Given(v any) string {
	w.Args = append(w.Args, w.d.plain(v))
	return w.d.argument(len(w.Args))
}

func (w *Where) String() string { return AllOf(w.Parts) }

// AllOf returns the clause of some conditions.
func AllOf(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// Page returns the clause that passes over some rows and ends after some more.
func (w *Where) Page(limit, offset int) string {
	return " LIMIT " + w.Given(int64(max(limit, 0))) + " OFFSET " + w.Given(int64(max(offset, 0)))
}

// OrderColumns returns the columns of an ordering of users.
func OrderColumns(order []user.Order) []string {
	out := make([]string, len(order))
	for i, o := range order {
		out[i] = storage.SortColumns[o.By]
	}
	return out
}

// OrderBy returns the clause of an ordering of users.
func OrderBy(order []user.Order) string {
	by := OrderColumns(order)
	for i, o := range order {
		if o.Desc {
			by[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(by, ", ")
}

// Place returns the values of an ordering's columns at p.
func Place(p user.Position, order []user.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = storage.SortValue(p, o.By)
	}
	return out
}

// Beyond returns the condition that a user comes after the place where the columns of an ordering have these
// values. When all directions are the same it is one comparison of rows, which an index over them serves.
func (w *Where) Beyond(place []any, order []user.Order) string {
	operator := map[bool]string{false: " > ", true: " < "}[order[0].Desc]
	if !slices.ContainsFunc(order, func(o user.Order) bool { return o.Desc != order[0].Desc }) {
		return w.Compare(order, operator, place)
	}
	// a >= x AND (a > x OR what holds for the rest): the first half serves as the bound of an index.
	a, x := OrderColumns(order)[0], w.Given(place[0])
	return "(" + a + strings.TrimSpace(operator) + "= " + x + " AND (" + a + operator + x + " OR " + w.Beyond(place[1:], order[1:]) + "))"
}

// Compare returns the comparison of the columns of an ordering with values.
func (w *Where) Compare(order []user.Order, operator string, place []any) string {
	values := make([]string, len(place))
	for i, v := range place {
		values[i] = w.Given(v)
	}
	return "(" + strings.Join(OrderColumns(order), ", ") + ")" + operator + "(" + strings.Join(values, ", ") + ")"
}

// Timeline is a statement in the making that lists rows by a time and then by id, newest first or back. A page
// begins beyond a place, so that it costs the same however far it lies.
type Timeline struct {
	Where
	time string // the column
	back bool   // oldest first
}

// Timeline returns a list by a column, newest first, or back from the oldest.
func (d *Dialect) Timeline(column string, back bool) Timeline {
	return Timeline{Where: d.Where(), time: column, back: back}
}

// Newer asks for rows that come after a place in time.
func (l *Timeline) Newer(at time.Time, id string) { l.And(l.compared(">", at, id)) }

// Older asks for rows that come before a place in time.
func (l *Timeline) Older(at time.Time, id string) { l.And(l.compared("<", at, id)) }

func (l *Timeline) compared(operator string, at time.Time, id string) string {
	return "(" + l.time + ", id) " + operator + " (" + l.Given(at.UnixMilli()) + ", " + l.Given(id) + ")"
}

// End returns the order and the limit.
func (l *Timeline) End(limit int) string {
	direction := " DESC"
	if l.back {
		direction = ""
	}
	return " ORDER BY " + l.time + direction + ", id" + direction + " LIMIT " + l.Given(int64(max(limit, 0)))
}
