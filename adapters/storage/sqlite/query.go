package sqlite

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"roster/domain/user"
)

// where is a condition in the making, its parts joined by AND.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(condition string) { w.parts = append(w.parts, condition) }

// given adds an argument and returns its name, which may stand in the statement any number of times.
func (w *where) given(v any) string {
	w.args = append(w.args, v)
	return "?" + strconv.Itoa(len(w.args))
}

func (w *where) String() string { return allOf(w.parts) }

func allOf(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// walk returns the statement that answers a query by passing through the users of the kinds wanted in
// the order wanted, until the page is full or the place end, if there is one, is behind.
func walk(q user.Query, end []any) (string, []any) {
	order := deciding(q.Order)
	var w where
	w.match(q.Terms)
	w.from(q.From, order)
	if end != nil {
		w.and(w.upTo(end, order))
	}
	return w.inOrder(userTable.fields, q.Filter, order) + w.page(q), w.args
}

// stretch returns the statement for the place in the order of the index that lies so many users of the
// kinds wanted ahead of where a query begins. None is found when fewer are left.
func stretch(q user.Query, users int) (string, []any) {
	order := deciding(q.Order)
	var w where
	w.from(q.From, order)
	order = indexed(order)
	return w.inOrder(columns(order), q.Filter, order) + " LIMIT 1 OFFSET " + w.given(users), w.args
}

// pick returns the statement that answers a query from what a source has, sorted.
func pick(q user.Query, s source) (string, []any) {
	order := deciding(q.Order)
	var w where
	hint := s(&w)
	w.kind(q.Filter)
	w.match(q.Terms)
	w.from(q.From, order)
	return userTable.selectAll() + hint + w.String() + orderBy(order) + w.page(q), w.args
}

// count returns the statement that counts what a source has and fits a filter.
func count(f user.Filter, s source) (string, []any) {
	var w where
	hint := s(&w)
	w.kind(f)
	w.match(f.Terms)
	return "SELECT count(*) FROM users" + hint + w.String(), w.args
}

// countKind returns the statement that counts the users of the kinds that a filter wants, by what is
// kept about them.
func countKind(f user.Filter) (string, []any) {
	var w where
	w.kind(f)
	return "SELECT sum(value) FROM user_counts" + w.String(), w.args
}

// source is where the users that may fit come from. It adds its condition and returns what follows the
// name of the table.
type source func(*where) (hint string)

// everybody is all users, one after the other as they lie.
func everybody(*where) string { return " NOT INDEXED" }

// only is the user with an id.
func only(id user.ID) source {
	return func(w *where) string {
		key, ok := keyOf(id)
		w.and("id = " + w.given(key))
		if !ok {
			w.and("FALSE")
		}
		return ""
	}
}

// inOrder returns the selection of columns of all users of the kinds wanted under the conditions so
// far, by the index for an ordering. Left alone SQLite sorts all users by more than one criterion; in
// the order of the first it sorts those equal in it, and ends when it has enough.
func (w *where) inOrder(selected []string, f user.Filter, order []user.Order) string {
	column := sortables[order[0].By].column
	from := "SELECT " + strings.Join(selected, ", ") + " FROM users INDEXED BY "
	if f.Active == nil && f.Staff == nil {
		if order[0].By == user.SortID {
			return from + primaryKey + w.String() + orderBy(order)
		}
		return from + "users_" + column + w.String() + orderBy(order)
	}
	var kinds []string
	for _, active := range either(f.Active) {
		for _, staff := range either(f.Staff) {
			kind := []string{"active = " + strconv.Itoa(active), "staff = " + strconv.Itoa(staff)}
			kinds = append(kinds, from+"users_kind_"+column+allOf(slices.Concat(kind, w.parts)))
		}
	}
	return strings.Join(kinds, " UNION ALL ") + orderBy(order)
}

// primaryKey is the index that SQLite made for the ids of users.
const primaryKey = "sqlite_autoindex_users_1"

// either returns the values, as stored, that fit what is wanted, or both.
func either(wanted *bool) []int {
	switch {
	case wanted == nil:
		return []int{0, 1}
	case *wanted:
		return []int{1}
	}
	return []int{0}
}

func (w *where) page(q user.Query) string {
	return " LIMIT " + w.given(max(q.Limit, 0)) + " OFFSET " + w.given(max(q.Offset, 0))
}

func (w *where) from(p *user.Position, order []user.Order) {
	if p != nil {
		w.and(w.beyond(at(*p, order), order))
	}
}

func (w *where) kind(f user.Filter) {
	if f.Active != nil {
		w.and("active = " + w.given(*f.Active))
	}
	if f.Staff != nil {
		w.and("staff = " + w.given(*f.Staff))
	}
}

// fewTerms is up to how many search terms have a condition each, which is the faster way. Further
// ones share one, since a statement's size is bounded and theirs is the caller's.
const fewTerms = 16

// match looks for each term in the text of a user.
func (w *where) match(terms []string) {
	if slices.ContainsFunc(terms, func(t string) bool { return strings.Contains(t, nul) }) {
		w.and("FALSE")
		return
	}
	terms = slices.Compact(slices.Sorted(slices.Values(terms)))
	for _, t := range terms[:min(fewTerms, len(terms))] {
		w.and("instr(search, " + w.given(t) + ") > 0")
	}
	if len(terms) > fewTerms {
		rest, err := json.Marshal(terms[fewTerms:])
		if err != nil {
			panic(err) // texts can always be encoded
		}
		w.and("NOT EXISTS (SELECT 1 FROM json_each(" + w.given(string(rest)) + ") WHERE instr(search, value) = 0)")
	}
}
