package postgres

import (
	"context"
	"slices"
	"strings"

	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

func (s *Store) ListUsers(ctx context.Context, t *sqltable.UserTable, q user.Query) ([]*user.User, error) {
	query, args := list(t, q)
	return t.List(ctx, "list users", query, args)
}

func (s *Store) CountUsers(ctx context.Context, _ *sqltable.UserTable, f user.Filter) (n int, err error) {
	query, args := count(f)
	err = s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		return translate(ctx, "count users", q.QueryRow(ctx, query, append([]any{s.listing}, args...)...).Scan(&n))
	})
	return n, err
}

// list returns the statement for a query.
func list(t *sqltable.UserTable, q user.Query) (string, []any) {
	order := user.Criteria(q.Order)
	w := matching(q.Filter)
	if q.From != nil {
		w.And(w.Beyond(sqltable.Place(*q.From, order), order))
	}
	return t.Select + w.String() + sqltable.OrderBy(order) + w.Page(q.Limit, q.Offset), w.Args
}

// count returns the statement that counts what fits a filter.
func count(f user.Filter) (string, []any) {
	if f.Only != "" || len(f.Terms) > 0 {
		w := matching(f)
		return "SELECT count(*) FROM users" + w.String(), w.Args
	}
	w := flags(f)
	return "SELECT coalesce(sum(value), 0)::bigint FROM user_counts" + w.String(), w.Args
}

func flags(f user.Filter) sqltable.Where {
	w := dialect.Where()
	if f.Active != nil {
		w.And(map[bool]string{true: "active", false: "NOT active"}[*f.Active])
	}
	if f.Staff != nil {
		w.And(map[bool]string{true: "staff", false: "NOT staff"}[*f.Staff])
	}
	return w
}

// fewTerms is the number of search terms that have a condition each, which an index can serve. Further terms share one
// condition, since a statement has a maximum number of arguments and a search any number of terms.
const fewTerms = 16

func matching(f user.Filter) sqltable.Where {
	w := flags(f)
	if f.Only != "" {
		key, ok := dialect.Key(f.Only)
		if !ok {
			w.And("FALSE")
		} else {
			w.And("id = " + w.Bind(key))
		}
	}
	terms := slices.Compact(slices.Sorted(slices.Values(f.Terms)))
	if slices.ContainsFunc(terms, func(t string) bool { return !storable(t) }) {
		w.And("FALSE") // no text that is stored has it
		return w
	}
	for _, t := range terms[:min(fewTerms, len(terms))] {
		w.And("search LIKE " + w.Bind("%"+literally.Replace(t)+"%"))
	}
	if len(terms) > fewTerms {
		w.And("NOT EXISTS (SELECT 1 FROM unnest(" + w.Bind(terms[fewTerms:]) + "::text[]) AS term WHERE strpos(search, term) = 0)")
	}
	return w
}

// literally takes from the characters of a LIKE pattern their meaning.
var literally = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
