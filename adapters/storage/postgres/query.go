package postgres

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
	user.SortID:        {"id", func(p user.Position) any { return plain(p.ID.SortKey()) }},
	user.SortEmail:     {"email", func(p user.Position) any { return plain(p.Email) }},
	user.SortFirstName: {"first_name", func(p user.Position) any { return plain(p.FirstName) }},
	user.SortLastName:  {"last_name", func(p user.Position) any { return plain(p.LastName) }},
	user.SortJoined:    {"joined_us", func(p user.Position) any { return p.Joined.UnixMicro() }},
}

// where is a condition in the making, its parts joined by AND.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(condition string) { w.parts = append(w.parts, condition) }

// given adds an argument and returns its place in the statement.
func (w *where) given(v any) string {
	w.args = append(w.args, v)
	return place(len(w.args))
}

func (w *where) String() string {
	if len(w.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.parts, " AND ")
}

// list returns the statement for a query.
func list(q user.Query) (string, []any) {
	order := deciding(q.Order)
	w := matching(q.Filter)
	if q.From != nil {
		w.and(w.beyond(*q.From, order))
	}
	by := make([]string, len(order))
	for i, o := range order {
		by[i] = sortables[o.By].column
		if o.Desc {
			by[i] += " DESC"
		}
	}
	query := userTable.selectAll() + w.String() + " ORDER BY " + strings.Join(by, ", ")
	return query + " LIMIT " + w.given(int64(max(q.Limit, 0))) + " OFFSET " + w.given(int64(max(q.Offset, 0))), w.args
}

// count returns the statement that counts what fits a filter.
func count(f user.Filter) (string, []any) {
	if f.Only != "" || len(f.Terms) > 0 {
		w := matching(f)
		return "SELECT count(*) FROM users" + w.String(), w.args
	}
	w := flags(f)
	return "SELECT coalesce(sum(value), 0)::bigint FROM user_counts" + w.String(), w.args
}

func flags(f user.Filter) (w where) {
	if f.Active != nil {
		w.and(map[bool]string{true: "active", false: "NOT active"}[*f.Active])
	}
	if f.Staff != nil {
		w.and(map[bool]string{true: "staff", false: "NOT staff"}[*f.Staff])
	}
	return w
}

// fewTerms is up to how many search terms have a condition each, which an index can serve. Further
// ones share one, since the number of arguments is bounded and theirs is the caller's.
const fewTerms = 16

func matching(f user.Filter) where {
	w := flags(f)
	if f.Only != "" {
		key, ok := keyOf(f.Only)
		if !ok {
			w.and("FALSE")
		} else {
			w.and("id = " + w.given(key))
		}
	}
	terms := slices.Compact(slices.Sorted(slices.Values(f.Terms)))
	if slices.ContainsFunc(terms, func(t string) bool { return !storable(t) }) {
		w.and("FALSE") // no text that is stored has it
		return w
	}
	for _, t := range terms[:min(fewTerms, len(terms))] {
		w.and("search LIKE " + w.given("%"+literally.Replace(t)+"%"))
	}
	if len(terms) > fewTerms {
		w.and("NOT EXISTS (SELECT 1 FROM unnest(" + w.given(terms[fewTerms:]) + "::text[]) AS term WHERE strpos(search, term) = 0)")
	}
	return w
}

// literally takes from the characters of a LIKE pattern their meaning.
var literally = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

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

// beyond returns the condition that a user comes after p. When all directions are the same it is one
// comparison of rows, which an index over them serves.
func (w *where) beyond(p user.Position, order []user.Order) string {
	var columns, values []string
	same := true
	for _, o := range order {
		columns = append(columns, sortables[o.By].column)
		same = same && o.Desc == order[0].Desc
	}
	if same {
		for _, o := range order {
			values = append(values, w.given(sortables[o.By].at(p)))
		}
		return "(" + strings.Join(columns, ", ") + ")" + after(order[0]) + "(" + strings.Join(values, ", ") + ")"
	}
	// a >= x AND (a > x OR what holds for the rest): the first half serves as the bound of an index.
	a, x := columns[0], w.given(sortables[order[0].By].at(p))
	return "(" + a + strings.TrimSpace(after(order[0])) + "= " + x + " AND (" + a + after(order[0]) + x + " OR " + w.beyond(p, order[1:]) + "))"
}

func after(o user.Order) string {
	if o.Desc {
		return " < "
	}
	return " > "
}
