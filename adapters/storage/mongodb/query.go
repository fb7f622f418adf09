package mongodb

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/adapters/storage"
	"roster/domain/user"
)

// sortField returns the field that users are sorted by.
func sortField(by user.Sort) string {
	if by == user.SortID {
		return "_id"
	}
	return storage.SortColumns[by]
}

// list returns the filter and the order of a query.
func list(q user.Query) (filter, sort bson.D) {
	order := user.Criteria(q.Order)
	for _, o := range order {
		direction := 1
		if o.Desc {
			direction = -1
		}
		sort = append(sort, bson.E{Key: sortField(o.By), Value: direction})
	}
	conditions := matching(q.Filter)
	if q.From != nil {
		values := make([]any, len(order))
		for i, o := range order {
			values[i] = storage.SortValue(*q.From, o.By)
		}
		conditions = append(conditions, beyond(sort, values...))
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
		key, err := f.Only.Stored()
		if err != nil {
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

func compared(operator string, value any) bson.D { return bson.D{{Key: operator, Value: value}} }
