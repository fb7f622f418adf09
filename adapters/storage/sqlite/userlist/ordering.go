package userlist

import "roster/domain/user"

// indexed returns the part of an ordering that an index has: its first criterion, and the id.
func indexed(order []user.Order) []user.Order {
	if order[0].By == user.SortID {
		return order[:1]
	}
	return []user.Order{order[0], {By: user.SortID, Desc: order[0].Desc}}
}
