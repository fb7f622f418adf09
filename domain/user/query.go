package user

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"roster/domain/field"
)

// Sort is a field that users can be ordered by.
type Sort string

// The fields that users can be ordered by. Texts are compared byte by byte, with case, on every backend.
const (
	SortID        Sort = "id"
	SortEmail     Sort = "email"
	SortFirstName Sort = "first_name"
	SortLastName  Sort = "last_name"
	SortJoined    Sort = "date_joined"
)

// Sorts returns everything users can be ordered by.
func Sorts() []Sort { return []Sort{SortID, SortEmail, SortFirstName, SortLastName, SortJoined} }

// Order is one criterion of an ordering.
type Order struct {
	By   Sort
	Desc bool
}

// Filter selects users. The zero value selects all.
type Filter struct {
	Terms  []string // each must occur in User.SearchText
	Active *bool
	Staff  *bool
	Only   ID // this user only, if the other criteria match too; "" for any
}

// Query selects a page of the users that match a filter, in order.
type Query struct {
	Filter
	Order  []Order   // ends with SortID, so that the order is total; see Ordering
	From   *Position // exclusive; nil for the first page
	Offset int       // users to skip, after From
	Limit  int       // maximum number of users to return, at least 1
}

// Position is the position of a user in an ordering. The user need not exist any more. Only the fields that the
// ordering uses matter.
type Position struct {
	ID                         ID
	Email, FirstName, LastName string
	Joined                     time.Time
}

// Position returns the position of u in any ordering.
func (u *User) Position() Position {
	return Position{ID: u.s.ID, Email: u.s.Email, FirstName: u.s.FirstName, LastName: u.s.LastName, Joined: u.s.Joined}
}

// Ordering parses the ordering parameter of DRF's OrderingFilter: field names separated by commas, each with an
// optional "-" for descending. It ignores unknown and repeated names, and uses fallback when none is left. The id is
// always the last criterion.
func Ordering(param string, fallback ...Order) []Order {
	var out []Order
	for part := range strings.SplitSeq(param, ",") {
		name, desc := strings.CutPrefix(strings.TrimSpace(part), "-")
		by := Sort(name)
		if slices.Contains(Sorts(), by) && !slices.ContainsFunc(out, func(o Order) bool { return o.By == by }) {
			out = append(out, Order{by, desc})
		}
	}
	if len(out) == 0 {
		out = append(out, fallback...)
	}
	for i, o := range out {
		if o.By == SortID {
			return out[:i+1] // ids are unique: later criteria have no effect
		}
	}
	return append(out, Order{By: SortID, Desc: len(out) > 0 && out[len(out)-1].Desc})
}

// Criteria returns what of an ordering decides: the first criterion of each known Sort, and none after the id,
// which it ends with.
func Criteria(order []Order) []Order {
	known := []Sort{SortID, SortEmail, SortFirstName, SortLastName, SortJoined}
	var out []Order
	for _, o := range append(slices.Clip(order), Order{By: SortID}) {
		if slices.Contains(known, o.By) && !slices.ContainsFunc(out, func(p Order) bool { return p.By == o.By }) {
			out = append(out, o)
		}
		if o.By == SortID {
			break
		}
	}
	return out
}

// Reverse returns the opposite ordering.
func Reverse(order []Order) []Order {
	out := make([]Order, len(order))
	for i, o := range order {
		out[i] = Order{o.By, !o.Desc}
	}
	return out
}

// Compare returns a negative number when p comes before q in order, a positive one when after, and 0 when equal.
func (p Position) Compare(q Position, order []Order) int {
	for _, o := range order {
		c := 0
		switch o.By {
		case SortID:
			c = cmp.Compare(p.ID.SortKey(), q.ID.SortKey())
		case SortEmail:
			c = cmp.Compare(p.Email, q.Email)
		case SortFirstName:
			c = cmp.Compare(p.FirstName, q.FirstName)
		case SortLastName:
			c = cmp.Compare(p.LastName, q.LastName)
		case SortJoined:
			c = p.Joined.Compare(q.Joined)
		}
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// Terms parses the search parameter of DRF's SearchFilter: it removes NUL characters, folds the text with Fold, and
// splits it at white space and commas.
func Terms(param string) []string {
	return strings.FieldsFunc(Fold(strings.ReplaceAll(param, "\x00", "")), func(r rune) bool {
		return r == ',' || field.IsSpace(r)
	})
}

// Matches reports whether f selects u. It defines the meaning of a filter for every backend.
func (f Filter) Matches(u *User) bool {
	if f.Only != "" && u.s.ID != f.Only || f.Active != nil && u.s.Active != *f.Active || f.Staff != nil && u.s.Staff != *f.Staff {
		return false
	}
	text := u.s.SearchText()
	for _, t := range f.Terms {
		if !strings.Contains(text, t) {
			return false
		}
	}
	return true
}
