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

// A list by more criteria than an index has reads the whole table once, when its page lies among at least this many
// users equal in the first criterion: all of these would have to be sorted.
const longStretch = 5_000

// lookup is a query of the trigram index: for all of some trigrams (match), or for any trigram that begins with a
// text. It finds all users that match a term, and may find others.
type lookup struct {
	match string
	begin string
}

// numbers returns the SELECT of the numbers of the users that the index finds. A number may occur several times.
func (l lookup) numbers(w *where) string {
	if l.match != "" {
		return "SELECT rowid FROM users_search WHERE users_search MATCH " + w.Bind(l.match)
	}
	// The last byte of UTF-8 is never 0xFF: one more is the upper bound of all texts with this prefix.
	end := []byte(l.begin)
	end[len(end)-1]++
	return "SELECT doc FROM user_trigrams WHERE term >= " + w.Bind(l.begin) + " AND term < " + w.Bind(string(end))
}

// users is the source of the first users that the index finds, outbound.SearchCandidates at most.
func (l lookup) users(w *where) string {
	w.And("number IN (" + l.numbers(w) + " LIMIT " + w.Bind(outbound.SearchCandidates) + ")")
	return " INDEXED BY users_number"
}

// probe returns the statement that counts the users that the index finds, outbound.SearchCandidates at most.
func (l lookup) probe(w where) (string, []any) {
	return "SELECT count(*) FROM (" + l.numbers(&w) + " LIMIT " + w.Bind(outbound.SearchCandidates) + ")", w.Args
}

// The most trigrams in one lookup, and the most lookups of short terms. More would hardly narrow a search, and its
// client chooses their number.
const (
	manyTrigrams = 16
	manyShort    = 4
)

// lookups returns the lookups that narrow a search: one for all terms of three characters or more, and one for each
// shorter term. There may be none.
func lookups(terms []string) []lookup {
	longest := slices.SortedFunc(slices.Values(terms), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var long, short []string
	for _, t := range slices.Compact(longest) {
		switch three := trigrams(t); {
		case t == "" || strings.Contains(t, nul): // all users match, or none
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

// trigrams returns trigrams that together cover a term, each quoted for FTS5.
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

// asIndexed returns a text as FTS5 indexes it: some characters become the replacement character.
func asIndexed(text string) string {
	return notIndexed.Replace(strings.ToValidUTF8(text, "\uFFFD"))
}

var notIndexed = strings.NewReplacer("\uFFFE", "\uFFFD", "\uFFFF", "\uFFFD")

// nul ends a text for FTS5. No search text contains it.
const nul = "\x00"

// List lists the users of a table by the cheapest plan for a query. It returns the errors of q unchanged.
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

// Count counts the users of a table that match a filter.
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

// candidates returns the source of the users that a search examines: all that the index finds, or all of the requested
// kinds, when these are fewer than outbound.SearchCandidates; otherwise the first that the index finds. It is nil
// without a search and when no term narrows it: when all users match, or none can.
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

// longRun reports whether a page ends among so many users equal in the first criterion of an ordering that sorting
// them takes longer than reading all users. It is false when the index has all criteria. As with few, the answer may
// be out of date.
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

// ahead returns the position a number of users of the requested kinds after the begin of a query, or nil when fewer
// are left.
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
