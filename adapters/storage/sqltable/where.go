package sqltable

import (
	"slices"
	"strings"
	"time"

	"roster/adapters/storage"
	"roster/domain/user"
)

// Where builds a condition from parts joined by AND, with the arguments of the statement.
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

// Bind adds an argument and returns its placeholder, which may occur in the statement several times.
func (w *Where) Bind(v any) string {
	w.Args = append(w.Args, w.d.sanitize(v))
	return w.d.argument(len(w.Args))
}

func (w *Where) String() string { return AllOf(w.Parts) }

// AllOf returns the WHERE clause that joins conditions by AND, or "" without conditions.
func AllOf(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// Page returns the LIMIT and OFFSET clause.
func (w *Where) Page(limit, offset int) string {
	return " LIMIT " + w.Bind(int64(max(limit, 0))) + " OFFSET " + w.Bind(int64(max(offset, 0)))
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

// Beyond returns the condition that a user comes after place: the values of the columns of an ordering. When all
// directions are the same it is one comparison of rows, which an index over these columns serves.
func (w *Where) Beyond(place []any, order []user.Order) string {
	operator := map[bool]string{false: " > ", true: " < "}[order[0].Desc]
	if !slices.ContainsFunc(order, func(o user.Order) bool { return o.Desc != order[0].Desc }) {
		return w.Compare(order, operator, place)
	}
	// a >= x AND (a > x OR what holds for the rest): the first half serves as the bound of an index.
	a, x := OrderColumns(order)[0], w.Bind(place[0])
	return "(" + a + strings.TrimSpace(operator) + "= " + x + " AND (" + a + operator + x + " OR " + w.Beyond(place[1:], order[1:]) + "))"
}

// Compare returns the comparison of the columns of an ordering with values.
func (w *Where) Compare(order []user.Order, operator string, place []any) string {
	values := make([]string, len(place))
	for i, v := range place {
		values[i] = w.Bind(v)
	}
	return "(" + strings.Join(OrderColumns(order), ", ") + ")" + operator + "(" + strings.Join(values, ", ") + ")"
}

// ListByTime builds a statement that lists rows by a time and then by id, newest first or oldest first. A page
// begins after a time and an id (keyset pagination), so that every page costs the same.
type ListByTime struct {
	Where
	time string // the column
	back bool   // oldest first
}

// ListByTime returns a list by a column, newest first, or oldest first if back is set.
func (d *Dialect) ListByTime(column string, back bool) ListByTime {
	return ListByTime{Where: d.Where(), time: column, back: back}
}

// Newer restricts the list to rows after a time and an id.
func (l *ListByTime) Newer(at time.Time, id string) { l.And(l.compared(">", at, id)) }

// Older restricts the list to rows before a time and an id.
func (l *ListByTime) Older(at time.Time, id string) { l.And(l.compared("<", at, id)) }

func (l *ListByTime) compared(operator string, at time.Time, id string) string {
	return "(" + l.time + ", id) " + operator + " (" + l.Bind(at.UnixMilli()) + ", " + l.Bind(id) + ")"
}

// OrderAndLimit returns the ORDER BY and LIMIT clauses.
func (l *ListByTime) OrderAndLimit(limit int) string {
	direction := " DESC"
	if l.back {
		direction = ""
	}
	return " ORDER BY " + l.time + direction + ", id" + direction + " LIMIT " + l.Bind(int64(max(limit, 0)))
}
