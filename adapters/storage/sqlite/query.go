package sqlite

import (
	"encoding/json"
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
	user.SortJoined:    {"joined", func(p user.Position) any { return p.Joined.UnixMilli() }},
}

// where is a condition in the making, its parts joined by AND.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(condition string, args ...any) {
	w.parts = append(w.parts, condition)
	w.args = append(w.args, args...)
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
		condition, args := beyond(*q.From, order)
		w.and(condition, args...)
	}
	by := make([]string, len(order))
	for i, o := range order {
		by[i] = sortables[o.By].column
		if o.Desc {
			by[i] += " DESC"
		}
	}
	from := userTable.selectAll()
	if len(order) > 1 && len(w.parts) == 0 {
		// Left alone SQLite sorts all users by more than one criterion; in the order of the first it
		// sorts those equal in it, and ends when the page is full.
		from += " INDEXED BY users_" + sortables[order[0].By].column
	}
	return from + w.String() + " ORDER BY " + strings.Join(by, ", ") + " LIMIT ? OFFSET ?",
		append(w.args, max(q.Limit, 0), max(q.Offset, 0))
}

// count returns the statement that counts what fits a filter.
func count(f user.Filter) (string, []any) {
	w := matching(f)
	if len(w.parts) == 0 {
		return "SELECT value FROM counters WHERE name = 'users'", nil
	}
	return "SELECT count(*) FROM users" + w.String(), w.args
}

// fewTerms is up to how many search terms have a condition each, which is the faster way. Further
// ones share one, since a statement's size is bounded and theirs is the caller's.
const fewTerms = 16

// matching returns the condition that a user fits f. Terms are looked for in every text: an index of
// trigrams (FTS5) finds what few have at once, but makes each write of a user nearly twice as dear.
func matching(f user.Filter) where {
	var w where
	if f.Only != "" {
		key, ok := keyOf(f.Only)
		w.and("id = ?", key)
		if !ok {
			w.and("FALSE")
		}
	}
	if f.Active != nil {
		w.and("active = ?", *f.Active)
	}
	if f.Staff != nil {
		w.and("staff = ?", *f.Staff)
	}
	terms := slices.Compact(slices.Sorted(slices.Values(f.Terms)))
	for _, t := range terms[:min(fewTerms, len(terms))] {
		w.and("instr(search, ?) > 0", t)
	}
	if len(terms) > fewTerms {
		rest, err := json.Marshal(terms[fewTerms:])
		if err != nil {
			panic(err) // texts can always be encoded
		}
		w.and("NOT EXISTS (SELECT 1 FROM json_each(?) WHERE instr(search, value) = 0)", string(rest))
	}
	return w
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

// beyond returns the condition that a user comes after p. When all directions are the same it is one
// comparison of rows, which an index over them serves.
func beyond(p user.Position, order []user.Order) (string, []any) {
	var columns []string
	var args []any
	same := true
	for _, o := range order {
		s := sortables[o.By]
		columns = append(columns, s.column)
		args = append(args, s.at(p))
		same = same && o.Desc == order[0].Desc
	}
	if same {
		return "(" + strings.Join(columns, ", ") + ")" + after(order[0]) + "(?" + strings.Repeat(", ?", len(columns)-1) + ")", args
	}
	// a >= x AND (a > x OR what holds for the rest): the first half serves as the bound of an index.
	rest, more := beyond(p, order[1:])
	a := columns[0]
	return "(" + a + strings.TrimSpace(after(order[0])) + "= ? AND (" + a + after(order[0]) + "? OR " + rest + "))",
		append([]any{args[0], args[0]}, more...)
}

func after(o user.Order) string {
	if o.Desc {
		return " < "
	}
	return " > "
}
