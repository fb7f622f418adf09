package mongodb

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/user"
)

// sortable is what an ordering may name: the field, and its value at a place.
type sortable struct {
	field string
	at    func(user.Position) any
}

// sortables is the only source of field names in orderings and places.
var sortables = map[user.Sort]sortable{
	user.SortID:        {"_id", func(p user.Position) any { return p.ID.SortKey() }},
	user.SortEmail:     {"email", func(p user.Position) any { return p.Email }},
	user.SortFirstName: {"first_name", func(p user.Position) any { return p.FirstName }},
	user.SortLastName:  {"last_name", func(p user.Position) any { return p.LastName }},
	user.SortJoined:    {"joined_us", func(p user.Position) any { return p.Joined.UnixMicro() }},
}

// list returns the filter and the order of a query.
func list(q user.Query) (filter, sort bson.D) {
	order := deciding(q.Order)
	conditions := matching(q.Filter)
	if q.From != nil {
		conditions = append(conditions, beyond(*q.From, order))
	}
	for _, o := range order {
		direction := 1
		if o.Desc {
			direction = -1
		}
		sort = append(sort, bson.E{Key: sortables[o.By].field, Value: direction})
	}
	return all(conditions), sort
}

// page returns the command for a query, but for its limit.
func page(q user.Query) lookup {
	filter, sort := list(q)
	return lookup{
		Find: userTable.name, Filter: filter, Sort: sort, Skip: int64(max(q.Offset, 0)),
		// An order by several fields and the id has no index. The sort of a page far behind may need more
		// memory than servers before 6.0 give it unless they are allowed to use the disk.
		OnDisk: len(sort) > 2,
	}
}

// all is the filter that every condition holds.
func all(conditions bson.A) bson.D {
	if len(conditions) == 0 {
		return bson.D{}
	}
	return bson.D{{Key: "$and", Value: conditions}}
}

// longestPattern is the most bytes that the pattern of a search term may have: MongoDB takes 32,764. A term
// that needs more is longer than any text to search in.
const longestPattern = 32_000

// matching returns the conditions of a filter.
func matching(f user.Filter) bson.A {
	var out bson.A
	if f.Only != "" {
		key, ok := keyOf(f.Only)
		if !ok {
			return nothing()
		}
		out = append(out, is("_id", key))
	}
	if f.Active != nil {
		out = append(out, is("active", *f.Active))
	}
	if f.Staff != nil {
		out = append(out, is("staff", *f.Staff))
	}
	for _, term := range slices.Compact(slices.Sorted(slices.Values(f.Terms))) {
		pattern := literally(term)
		if len(pattern) > longestPattern || !utf8.ValidString(term) {
			return nothing()
		}
		out = append(out, is("search", bson.Regex{Pattern: pattern}))
	}
	return out
}

// literally returns the pattern that matches text and nothing else. MongoDB's patterns (PCRE) agree with
// Go's about what QuoteMeta escapes; they arrive as C strings, which hold no NUL.
func literally(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), "\x00", `\x00`)
}

func is(field string, value any) bson.D { return bson.D{{Key: field, Value: value}} }

// nothing is the conditions that no user fits: none has the empty id.
func nothing() bson.A { return bson.A{is("_id", "")} }

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

// beyond returns the condition that a user comes after p: a >= x, and one of a > x, a = x and b > y,
// and so on. The first half serves as the bound of an index.
func beyond(p user.Position, order []user.Order) bson.D {
	var ladder bson.A
	var equal bson.D
	for _, o := range order {
		s := sortables[o.By]
		ladder = append(ladder, append(slices.Clip(equal), bson.E{Key: s.field, Value: compared(after(o), s.at(p))}))
		equal = append(equal, bson.E{Key: s.field, Value: s.at(p)})
	}
	if len(ladder) == 1 {
		return ladder[0].(bson.D) //nolint:forcetypeassert // made above
	}
	first := sortables[order[0].By]
	return bson.D{
		{Key: first.field, Value: compared(after(order[0])+"e", first.at(p))},
		{Key: "$or", Value: ladder},
	}
}

func compared(operator string, value any) bson.D { return bson.D{{Key: operator, Value: value}} }

func after(o user.Order) string {
	if o.Desc {
		return "$lt"
	}
	return "$gt"
}
