package userlist

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"roster/adapters/storage/sqltable"
	"roster/domain/user"
	"roster/ports/outbound"
)

// A list by more criteria than an index has reads all users once, as they lie, when a page of it lies in so long a
// stretch of users equal in the first criterion: all of these would have to be sorted.
const longStretch = 5_000

// lookup is a question to the index over trigrams: for all of some (match), or for any that begins
// with a text. It may find users without the term, and finds all with it.
type lookup struct {
	match string
	begin string
}

// numbers returns the selection of the numbers of the users that the index finds. A number may come
// more than once.
func (l lookup) numbers(w *where) string {
	if l.match != "" {
		return "SELECT rowid FROM users_search WHERE users_search MATCH " + w.Given(l.match)
	}
	// The last byte of UTF-8 is never 0xFF: one more is the end of all that begins so.
	end := []byte(l.begin)
	end[len(end)-1]++
	return "SELECT doc FROM user_trigrams WHERE term >= " + w.Given(l.begin) + " AND term < " + w.Given(string(end))
}

// users is the source of the users that the index finds first, outbound.SearchCandidates at most.
func (l lookup) users(w *where) string {
	w.And("number IN (" + l.numbers(w) + " LIMIT " + w.Given(outbound.SearchCandidates) + ")")
	return " INDEXED BY users_number"
}

// probe returns the statement that counts what the index finds, outbound.SearchCandidates at most.
func (l lookup) probe(w where) (string, []any) {
	return "SELECT count(*) FROM (" + l.numbers(&w) + " LIMIT " + w.Given(outbound.SearchCandidates) + ")", w.Args
}

// As many trigrams at once, and as many terms without one, the index is asked for at most: more would
// hardly find less, and their number is the caller's.
const (
	manyTrigrams = 16
	manyShort    = 4
)

// lookups returns the questions that narrow a search down: one for all terms of three characters or
// more, and one for each that is shorter. There may be none.
func lookups(terms []string) []lookup {
	longest := slices.SortedFunc(slices.Values(terms), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var long, short []string
	for _, t := range slices.Compact(longest) {
		switch three := trigrams(t); {
		case t == "" || strings.Contains(t, nul): // which all have, or none
		case len(three) == 0:
			short = append(short, t)
		default:
			long = append(long, slices.DeleteFunc(three, func(t string) bool { return slices.Contains(long, t) })...)
		}
	}
	long = long[:min(manyTrigrams, len(long))]
	var out []lookup
	if len(long) > 0 {
		out = append(out, lookup{match: `"` + strings.Join(long, `" AND "`) + `"`})
	}
	for _, t := range short[:min(manyShort, len(short))] {
		out = append(out, lookup{begin: asIndexed(t)})
	}
	return out
}

// trigrams returns enough of what stands three in a row in a term to cover it, each as FTS5 wants it
// between quotes.
func trigrams(term string) (out []string) {
	const three = 3
	text := []rune(asIndexed(term))
	for len(text) > three {
		out = append(out, string(text[:three]))
		text = text[min(three, len(text)-three):]
	}
	if len(text) == three {
		out = append(out, string(text))
	}
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], `"`, `""`)
	}
	return out
}

// asIndexed returns a text as FTS5 reads it, which takes some characters for the replacement character.
func asIndexed(text string) string {
	return notIndexed.Replace(strings.ToValidUTF8(text, "\uFFFD"))
}

var notIndexed = strings.NewReplacer("\uFFFE", "\uFFFD", "\uFFFF", "\uFFFD")

// nul ends a text for FTS5. No text that is searched holds it.
const nul = "\x00"

// List lists users of a table, in the way that suits a query. It returns the errors of q as they are.
func List(ctx context.Context, q sqltable.Querier, t *sqltable.UserTable, query user.Query) ([]*user.User, error) {
	return planner{t, q}.list(ctx, query)
}

func (p planner) list(ctx context.Context, q user.Query) ([]*user.User, error) {
	if q.Only != "" {
		query, args := p.pick(q, only(q.Only))
		return p.users.Rows(ctx, p.q, query, args)
	}
	from, err := p.candidates(ctx, q.Filter)
	if err == nil && from == nil && len(q.Terms) == 0 {
		var long bool
		if long, err = p.longRun(ctx, q); long {
			from = allUsers
		}
	}
	if err != nil {
		return nil, err
	}
	query, args := p.walk(q)
	if from != nil {
		query, args = p.pick(q, from)
	}
	return p.users.Rows(ctx, p.q, query, args)
}

// Count counts the users of a table that fit a filter, in the way that suits it.
func Count(ctx context.Context, q sqltable.Querier, t *sqltable.UserTable, f user.Filter) (n int, err error) {
	p := planner{t, q}
	query, args := p.countKind(f)
	switch {
	case f.Only != "":
		query, args = p.count(f, only(f.Only))
	case len(f.Terms) > 0:
		from, err := p.candidates(ctx, f)
		if err != nil {
			return 0, err
		}
		if from == nil {
			from = allUsers
		}
		query, args = p.count(f, from)
	}
	return n, p.row(ctx, query, args, &n)
}

// candidates returns the source of the users that a search examines: all that the index finds, or all of the kinds
// wanted, when these are fewer than outbound.SearchCandidates, or else the first that the index finds. It is nil when
// there is no search, or no term narrows it down: when all users have the terms, or none can.
func (p planner) candidates(ctx context.Context, f user.Filter) (source, error) {
	all := lookups(f.Terms)
	for _, l := range all {
		query, args := l.probe(p.where())
		if few, err := p.few(ctx, query, args); few || err != nil {
			return l.users, err
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	if f.Active != nil || f.Staff != nil {
		query, args := p.countKind(f)
		if few, err := p.few(ctx, query, args); few || err != nil {
			return ofKinds, err
		}
	}
	return all[0].users, nil
}

// row reads the row that a query finds. Unlike QueryRow it ends with ctx, since these queries can read many rows.
func (p planner) row(ctx context.Context, query string, args []any, into ...any) error {
	err := sql.ErrNoRows
	failed := p.q.QueryEach(ctx, query, args, func(row sqltable.Row) error {
		err = nil
		return row.Scan(into...)
	})
	if failed != nil {
		return failed
	}
	return err
}

// few reports whether a statement counts fewer than outbound.SearchCandidates.
func (p planner) few(ctx context.Context, query string, args []any) (bool, error) {
	var n int
	err := p.row(ctx, query, args, &n)
	return n < outbound.SearchCandidates, err
}

// longRun reports whether a page ends among so many users equal in the first criterion of an ordering,
// which has more of them than its index, that sorting these takes longer than reading all users. As
// with few, the answer may be out of date.
func (p planner) longRun(ctx context.Context, q user.Query) (bool, error) {
	order := user.Criteria(q.Order)
	if slices.Equal(order, indexed(order)) {
		return false, nil
	}
	last := max(q.Offset, 0) + max(q.Limit, 1) - 1 // of the page
	near, err := p.ahead(ctx, q, last)
	if near == nil || err != nil {
		return false, err
	}
	far, err := p.ahead(ctx, q, last+longStretch)
	return far != nil && near[0] == far[0], err
}

// ahead returns the place that lies so many users of the kinds wanted ahead of where a query begins, or
// nil when fewer are left.
func (p planner) ahead(ctx context.Context, q user.Query, users int) ([]any, error) {
	place := make([]any, len(indexed(user.Criteria(q.Order))))
	into := make([]any, len(place))
	for i := range place {
		into[i] = &place[i]
	}
	query, args := p.stretch(q, users)
	err := p.row(ctx, query, args, into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return place, err
}
