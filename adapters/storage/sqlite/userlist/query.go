package userlist

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

// where builds a condition.
type where struct{ sqltable.Where }

// planner builds the statements of a query and runs them.
type planner struct {
	users *sqltable.UserTable
	q     sqltable.Querier
}

func (p planner) where() where { return where{p.users.Where()} }

// walk returns the statement that reads users of the requested kinds in the requested order, until the page is full.
func (p planner) walk(q user.Query) (string, []any) {
	order := user.Criteria(q.Order)
	w := p.where()
	w.match(q.Terms)
	w.from(q.From, order)
	return w.inOrder(p.users.Select, q.Filter, order) + w.Page(q.Limit, q.Offset), w.Args
}

// stretch returns the statement that selects the index position a number of users of the requested kinds after the
// begin of a query. It selects none when fewer are left.
func (p planner) stretch(q user.Query, users int) (string, []any) {
	order := user.Criteria(q.Order)
	w := p.where()
	w.from(q.From, order)
	order = indexed(order)
	columns := strings.Join(sqltable.OrderColumns(order), ", ")
	return w.inOrder("SELECT "+columns+" FROM users", q.Filter, order) + " LIMIT 1 OFFSET " + w.Bind(users), w.Args
}

// pick returns the statement that answers a query by sorting the users of a source.
func (p planner) pick(q user.Query, s source) (string, []any) {
	order := user.Criteria(q.Order)
	w := p.where()
	hint := s(&w)
	w.kind(q.Filter)
	w.match(q.Terms)
	w.from(q.From, order)
	return p.users.Select + hint + w.String() + sqltable.OrderBy(order) + w.Page(q.Limit, q.Offset), w.Args
}

// count returns the statement that counts the users of a source that match a filter.
func (p planner) count(f user.Filter, s source) (string, []any) {
	w := p.where()
	hint := s(&w)
	w.kind(f)
	w.match(f.Terms)
	return "SELECT count(*) FROM users" + hint + w.String(), w.Args
}

// countKind returns the statement that counts the users of the requested kinds from the stored counts.
func (p planner) countKind(f user.Filter) (string, []any) {
	w := p.where()
	w.kind(f)
	return "SELECT sum(value) FROM user_counts" + w.String(), w.Args
}

// source is a set of users that contains all matches. It adds its condition and returns the SQL that follows the name
// of the table.
type source func(*where) (hint string)

// allUsers is all users, in the order of the table.
func allUsers(*where) string { return " NOT INDEXED" }

// ofKinds is the users of the requested kinds, by the index over both columns, which needs a condition on each.
func ofKinds(w *where) string {
	w.And("active IN (0, 1) AND staff IN (0, 1)")
	return " INDEXED BY users_kind_id"
}

// only is the user with an id.
func only(id user.ID) source {
	return func(w *where) string {
		key, err := id.Stored()
		w.And("id = " + w.Bind(key))
		if err != nil {
			w.And("FALSE")
		}
		return ""
	}
}

// inOrder completes the selection of the users of the requested kinds that meet the conditions so far, by the index of
// the first criterion of an ordering. Without INDEXED BY, SQLite sorts all users for more than one criterion; with it,
// SQLite sorts only those equal in the first, and ends when the page is full.
func (w *where) inOrder(selection string, f user.Filter, order []user.Order) string {
	column := sqltable.OrderColumns(order)[0]
	from := selection + " INDEXED BY "
	if f.Active == nil && f.Staff == nil {
		if order[0].By == user.SortID {
			return from + primaryKey + w.String() + sqltable.OrderBy(order)
		}
		return from + "users_" + column + w.String() + sqltable.OrderBy(order)
	}
	var kinds []string
	for _, active := range either(f.Active) {
		for _, staff := range either(f.Staff) {
			kind := []string{"active = " + strconv.Itoa(active), "staff = " + strconv.Itoa(staff)}
			kinds = append(kinds, from+"users_kind_"+column+sqltable.AllOf(slices.Concat(kind, w.Parts)))
		}
	}
	return strings.Join(kinds, " UNION ALL ") + sqltable.OrderBy(order)
}

// primaryKey is the index that SQLite made for the ids of users.
const primaryKey = "sqlite_autoindex_users_1"

// either returns the stored form of a requested value, or of both values when none is requested.
func either(wanted *bool) []int {
	switch {
	case wanted == nil:
		return []int{0, 1}
	case *wanted:
		return []int{1}
	}
	return []int{0}
}

func (w *where) from(p *user.Position, order []user.Order) {
	if p != nil {
		w.And(w.Beyond(sqltable.Place(*p, order), order))
	}
}

func (w *where) kind(f user.Filter) {
	if f.Active != nil {
		w.And("active = " + w.Bind(*f.Active))
	}
	if f.Staff != nil {
		w.And("staff = " + w.Bind(*f.Staff))
	}
}

// fewTerms is the number of search terms that have a condition each, which is faster. Further terms share one
// condition, since a statement has a maximum size and a search any number of terms.
const fewTerms = 16

// match adds the condition that the search text of a user contains each term.
func (w *where) match(terms []string) {
	if slices.ContainsFunc(terms, func(t string) bool { return strings.Contains(t, nul) }) {
		w.And("FALSE")
		return
	}
	terms = slices.Compact(slices.Sorted(slices.Values(terms)))
	for _, t := range terms[:min(fewTerms, len(terms))] {
		w.And("instr(search, " + w.Bind(t) + ") > 0")
	}
	if len(terms) > fewTerms {
		rest, err := json.Marshal(terms[fewTerms:])
		if err != nil {
			panic(err) // strings can always be encoded
		}
		w.And("NOT EXISTS (SELECT 1 FROM json_each(" + w.Bind(string(rest)) + ") WHERE instr(search, value) = 0)")
	}
}
