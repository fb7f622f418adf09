package mongodb

import (
	"slices"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/user"
	"roster/ports/outbound"
)

// A user has the suffixes of the text that is searched, one for each character, in an array with an index. A term that
// occurs in the text begins a suffix, so the users with a term are one range of the index.

// suffixLength is how many characters a suffix has at most. Users are found by as many of the first characters of a term,
// and the rest of it is compared.
const suffixLength = 8

// suffixes is a text whose suffixes are stored. It is never read.
type suffixes string

var (
	_ bson.ValueMarshaler   = suffixes("")
	_ bson.ValueUnmarshaler = (*suffixes)(nil)
)

// list returns the suffixes, each once.
func (s suffixes) list() []string {
	var starts []int
	for i := range s {
		starts = append(starts, i)
	}
	out := make([]string, len(starts))
	for n, start := range starts {
		end := len(s)
		if n+suffixLength < len(starts) {
			end = starts[n+suffixLength]
		}
		out[n] = string(s[start:end])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s suffixes) MarshalBSONValue() (kind byte, data []byte, err error) {
	t, data, err := bson.MarshalValue(s.list())
	return byte(t), data, err
}

func (s *suffixes) UnmarshalBSONValue(byte, []byte) error { return nil }

// isSearch reports whether a filter selects users by terms alone, and not by their id.
func isSearch(f user.Filter) bool { return len(f.Terms) > 0 && f.Only == "" }

// candidates returns the stages of an aggregation that find outbound.SearchCandidates users at most: those whose text has
// the beginning of the longest term.
func candidates(terms []string) bson.A {
	longest := []rune(slices.MaxFunc(terms, func(a, b string) int { return utf8.RuneCountInString(a) - utf8.RuneCountInString(b) }))
	begin := longest[:min(suffixLength, len(longest))]
	within := compared("$gte", string(begin))
	if end := next(begin); end != "" {
		within = append(within, compared("$lt", end)...)
	}
	return bson.A{is("$match", is("suffixes", compared("$elemMatch", within))), is("$limit", outbound.SearchCandidates)}
}

// next returns the first text after all that begin with some characters, "" when there is none. The order is that of
// characters and of bytes.
func next(begin []rune) string {
	end := slices.Clone(begin)
	for n := len(end) - 1; n >= 0; n-- {
		if end[n]++; end[n] == 0xD800 { // where the surrogates begin, which are no characters
			end[n] = 0xE000
		}
		if end[n] <= utf8.MaxRune {
			return string(end[:n+1])
		}
	}
	return ""
}

// search returns the command for a query with terms, but for its last stages: what matches among the candidates.
func search(f user.Filter, conditions bson.D, stages ...bson.D) aggregation {
	pipeline := append(candidates(f.Terms), is("$match", conditions))
	for _, s := range stages {
		pipeline = append(pipeline, s)
	}
	return aggregation{Aggregate: userTable.name, Pipeline: pipeline}
}
