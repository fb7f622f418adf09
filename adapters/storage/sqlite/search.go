package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"roster/domain/user"
)

// A search goes one of three ways, none of which changes what is found:
//
//   - When the index over trigrams finds few users, these are read, compared and sorted.
//   - When it finds many, a walk in the order wanted meets a page of them soon, and ends with it.
//   - When the walk does not, over a long stretch, all users are read once, one after the other as they
//     lie, which is many times faster per user than a walk.
//
// Any list by more criteria than an index has goes the last way too when a page of it lies in a long
// stretch of users equal in the first, who would all have to be sorted.
const (
	fewFound    = 1_000 // below it what the index finds is read and sorted
	longStretch = 5_000 // users; so far a walk goes
)

// lookup is a question to the index over trigrams: for all of some (match), or for any that begins
// with a text. What it finds may have a term; who has the term is found.
type lookup struct {
	match string
	begin string
}

// numbers returns the selection of the numbers of the users that the index finds. A number may come
// more than once.
func (l lookup) numbers(w *where) string {
	if l.match != "" {
		return "SELECT rowid FROM users_search WHERE users_search MATCH " + w.given(l.match)
	}
	// The last byte of UTF-8 is never 0xFF: one more is the end of all that begins so.
	end := []byte(l.begin)
	end[len(end)-1]++
	return "SELECT doc FROM user_trigrams WHERE term >= " + w.given(l.begin) + " AND term < " + w.given(string(end))
}

// users is the source of the users that the index finds.
func (l lookup) users(w *where) string {
	w.and("number IN (" + l.numbers(w) + ")")
	return " INDEXED BY users_number"
}

// probe returns the statement that counts what the index finds, fewFound at most.
func (l lookup) probe() (string, []any) {
	var w where
	return "SELECT count(*) FROM (" + l.numbers(&w) + " LIMIT " + w.given(fewFound) + ")", w.args
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

// listed answers a query in the way that suits it.
func listed(ctx context.Context, c querier, q user.Query) ([]*user.User, error) {
	if q.Only != "" {
		query, args := pick(q, only(q.Only))
		return userTable.rows(ctx, c, query, args)
	}
	if len(q.Terms) > 0 {
		few, err := few(ctx, c, q.Terms)
		if err != nil {
			return nil, err
		}
		if few != nil {
			query, args := pick(q, few)
			return userTable.rows(ctx, c, query, args)
		}
	}
	long, err := longRun(ctx, c, q)
	if err != nil {
		return nil, err
	}
	if long {
		query, args := pick(q, everybody)
		return userTable.rows(ctx, c, query, args)
	}
	if len(q.Terms) > 0 {
		return met(ctx, c, q)
	}
	query, args := walk(q, nil)
	return userTable.rows(ctx, c, query, args)
}

// met answers a query that many users fit, by a walk if that meets a page of them soon.
func met(ctx context.Context, c querier, q user.Query) ([]*user.User, error) {
	end, err := ahead(ctx, c, q, longStretch)
	if err != nil {
		return nil, err
	}
	query, args := walk(q, end)
	found, err := userTable.rows(ctx, c, query, args)
	if err != nil || end == nil || len(found) >= q.Limit {
		return found, err
	}
	query, args = pick(q, everybody)
	return userTable.rows(ctx, c, query, args)
}

// counted counts what fits a filter in the way that suits it.
func counted(ctx context.Context, c querier, f user.Filter) (n int, err error) {
	query, args := countKind(f)
	switch {
	case f.Only != "":
		query, args = count(f, only(f.Only))
	case len(f.Terms) > 0:
		from, err := few(ctx, c, f.Terms)
		if err != nil {
			return 0, err
		}
		if from == nil {
			from = everybody
		}
		query, args = count(f, from)
	}
	return n, c.QueryRowContext(ctx, query, args...).Scan(&n)
}

// few returns the source of the few users among whom are all that have some terms, or nil when the
// index knows none so small. The answer may be out of date when it is used: it decides how long a query
// takes, never what it finds.
func few(ctx context.Context, c querier, terms []string) (source, error) {
	for _, l := range lookups(terms) {
		var n int
		query, args := l.probe()
		if err := c.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
			return nil, err
		}
		if n < fewFound {
			return l.users, nil
		}
	}
	return nil, nil
}

// longRun reports whether a page ends among so many users equal in the first criterion of an ordering,
// which has more of them than its index, that sorting these takes longer than reading all users. As
// with few, the answer may be out of date.
func longRun(ctx context.Context, c querier, q user.Query) (bool, error) {
	order := deciding(q.Order)
	if slices.Equal(order, indexed(order)) {
		return false, nil
	}
	last := max(q.Offset, 0) + max(q.Limit, 1) - 1 // of the page
	near, err := ahead(ctx, c, q, last)
	if near == nil || err != nil {
		return false, err
	}
	far, err := ahead(ctx, c, q, last+longStretch)
	return far != nil && near[0] == far[0], err
}

// ahead returns the place that lies so many users of the kinds wanted ahead of where a query begins, or
// nil when fewer are left.
func ahead(ctx context.Context, c querier, q user.Query, users int) ([]any, error) {
	place := make([]any, len(indexed(deciding(q.Order))))
	into := make([]any, len(place))
	for i := range place {
		into[i] = &place[i]
	}
	query, args := stretch(q, users)
	err := c.QueryRowContext(ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return place, err
}
