package userlist

import (
	"slices"

	"roster/domain/user"
)

// indexed returns as much of an ordering as an index has: its first criterion, and the id.
func indexed(order []user.Order) []user.Order {
	if order[0].By == user.SortID {
		return order[:1]
	}
	return []user.Order{order[0], {By: user.SortID, Desc: order[0].Desc}}
}

// upTo returns a condition that holds for all users up to a place in the order of an index. Where the
// ordering has more than the index, it holds as well for those equal to it in the first
// criterion, which so come in their whole order.
func (w *where) upTo(place []any, order []user.Order) string {
	if !slices.Equal(order, indexed(order)) {
		order, place = order[:1], place[:1]
	}
	return w.Compare(order, map[bool]string{false: " <= ", true: " >= "}[order[0].Desc], place)
}
