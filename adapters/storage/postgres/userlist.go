package postgres

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"roster/adapters/storage/sqltable"
	"roster/domain/user"
	"roster/ports/outbound"
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

// manyTrigrams is how many trigrams a search looks up at most: more would hardly find less, and their number is the
// caller's.
const manyTrigrams = 12

// matching returns the condition of a filter. A search is for outbound.SearchCandidates users at most, see the migration
// that made user_candidates.
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
	if len(terms) == 0 {
		return w
	}
	if three := trigrams(terms); len(three) > 0 && f.Only == "" {
		// In a SELECT of its own, which the planner does not run to see how much it finds.
		w.And("ctid = ANY ((SELECT user_candidates(" + w.Bind(three) + ", " + w.Bind(terms) + ", " + w.Bind(outbound.SearchCandidates) +
			", " + w.Bind(f.Staff != nil && *f.Staff) + ", " + w.Bind(f.Active != nil && !*f.Active) + "))::tid[])")
	}
	patterns := make([]string, len(terms))
	for i, t := range terms {
		patterns[i] = "%" + literally.Replace(t) + "%"
	}
	w.And("search LIKE ALL (" + w.Bind(patterns) + "::text[])")
	return w
}

// trigrams returns what user_candidates looks up for some terms: every three characters in a row or, when all terms are
// shorter, the longest.
func trigrams(terms []string) (out []string) {
	longest := slices.SortedFunc(slices.Values(terms), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, t := range longest {
		text := []rune(t)
		for i := range max(0, len(text)-2) {
			if three := operand.Replace(string(text[i:i+3])) + "'"; len(out) < manyTrigrams && !slices.Contains(out, three) {
				out = append(out, three)
			}
		}
	}
	if len(out) == 0 && longest[0] != "" {
		out = []string{operand.Replace(longest[0]) + "':*"}
	}
	return out
}

var (
	// operand makes a text a quoted operand of a tsquery.
	operand = strings.NewReplacer(`\`, `\\`, `'`, `''`)
	// literally takes from the characters of a LIKE pattern their meaning.
	literally = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
)
