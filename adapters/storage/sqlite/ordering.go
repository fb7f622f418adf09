package sqlite

import (
	"slices"
	"strings"

	"roster/domain/user"
)

// sortable is what an ordering may name: the column, and its value at a place.
type sortable struct {
	column string
	at     func(user.Position) any
}

// sortables is the only source of column names in an ORDER BY.
var sortables = map[user.Sort]sortable{
	user.SortID:        {"id", func(p user.Position) any { return p.ID.SortKey() }},
	user.SortEmail:     {"email", func(p user.Position) any { return p.Email }},
	user.SortFirstName: {"first_name", func(p user.Position) any { return p.FirstName }},
	user.SortLastName:  {"last_name", func(p user.Position) any { return p.LastName }},
	user.SortJoined:    {"joined_us", func(p user.Position) any { return p.Joined.UnixMicro() }},
}

// deciding returns the criteria of an ordering that can decide: the first on each thing, and none
// after the id, which is always there.
func deciding(order []user.Order) []user.Order {
	var out []user.Order
	for _, o := range append(slices.Clip(order), user.Order{By: user.SortID}) {
		_, known := sortables[o.By]
		if known && !slices.ContainsFunc(out, func(p user.Order) bool { return p.By == o.By }) {
			out = append(out, o)
		}
		if o.By == user.SortID {
			break
		}
	}
	return out
}

// indexed returns as much of an ordering as an index has: its first criterion, and the id.
func indexed(order []user.Order) []user.Order {
	if order[0].By == user.SortID {
		return order[:1]
	}
	return []user.Order{order[0], {By: user.SortID, Desc: order[0].Desc}}
}

func columns(order []user.Order) []string {
	out := make([]string, len(order))
	for i, o := range order {
		out[i] = sortables[o.By].column
	}
	return out
}

// at returns the values of an ordering's columns at p.
func at(p user.Position, order []user.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = sortables[o.By].at(p)
	}
	return out
}

// orderBy returns the clause of an ordering.
func orderBy(order []user.Order) string {
	by := columns(order)
	for i, o := range order {
		if o.Desc {
			by[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(by, ", ")
}

// beyond returns the condition that a user comes after the place where the columns of an ordering have
// these values. When all directions are the same it is one comparison of rows, which an index over
// them serves.
func (w *where) beyond(place []any, order []user.Order) string {
	if !slices.ContainsFunc(order, func(o user.Order) bool { return o.Desc != order[0].Desc }) {
		return w.compare(order, after(order[0]), place)
	}
	// a >= x AND (a > x OR what holds for the rest): the first half serves as the bound of an index.
	a, x := columns(order)[0], w.given(place[0])
	return "(" + a + strings.TrimSpace(after(order[0])) + "= " + x + " AND (" + a + after(order[0]) + x + " OR " + w.beyond(place[1:], order[1:]) + "))"
}

// upTo returns a condition that holds for all users up to a place in the order of an index. Where the
// ordering has more than the index, it holds as well for those who are equal to it in the first
// criterion, which so come in their whole order.
func (w *where) upTo(place []any, order []user.Order) string {
	if !slices.Equal(order, indexed(order)) {
		order, place = order[:1], place[:1]
	}
	return w.compare(order, map[bool]string{false: " <= ", true: " >= "}[order[0].Desc], place)
}

func (w *where) compare(order []user.Order, operator string, place []any) string {
	values := make([]string, len(place))
	for i, v := range place {
		values[i] = w.given(v)
	}
	return "(" + strings.Join(columns(order), ", ") + ")" + operator + "(" + strings.Join(values, ", ") + ")"
}

func after(o user.Order) string {
	if o.Desc {
		return " < "
	}
	return " > "
}
