package mongodb

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/user"
	"roster/ports/outbound"
)

func TestSuffixes(t *testing.T) {
	for text, want := range map[suffixes][]string{
		"": {}, "aaa": {"a", "aa", "aaa"}, "é\n😀": {"\n😀", "é\n😀", "😀"},
		"ann.smith@": {"@", "ann.smit", "h@", "ith@", "mith@", "n.smith@", "nn.smith", "smith@", ".smith@", "th@"},
	} {
		slices.Sort(want)
		if diff := cmp.Diff(want, text.list()); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	}
}

// TestSearchIsARangeOfAnIndex shows that a search has one range, which holds the suffixes that begin with a term, and a
// limit on what is examined before anything else is asked of a user.
func TestSearchIsARangeOfAnIndex(t *testing.T) {
	for _, c := range []struct {
		terms       []string
		first, next string
	}{
		{[]string{"a"}, "a", "b"},
		{[]string{"an", "smith", "lee"}, "smith", "smiti"},
		{[]string{"smith@example.com"}, "smith@ex", "smith@ey"},
		{[]string{"привет"}, "привет", "привеу"},
		{[]string{"a\ud7ff"}, "a\ud7ff", "a\ue000"},
		{[]string{"a\U0010FFFF"}, "a\U0010FFFF", "b"},
		{[]string{"\U0010FFFF"}, "\U0010FFFF", ""},
	} {
		within := is("$gte", c.first)
		if c.next != "" {
			within = append(within, bson.E{Key: "$lt", Value: c.next})
		}
		want := bson.A{is("$match", is("suffixes", is("$elemMatch", within))), is("$limit", outbound.SearchCandidates)}
		if diff := cmp.Diff(want, candidates(c.terms)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", c.terms, diff)
		}
		for _, text := range []suffixes{suffixes("x" + c.terms[0]), suffixes(c.terms[0] + "x"), "other"} {
			begin := string([]rune(c.first)[:min(suffixLength, len([]rune(c.first)))])
			in := slices.ContainsFunc(text.list(), func(s string) bool { return s >= c.first && (c.next == "" || s < c.next) })
			if in != strings.Contains(string(text), begin) {
				t.Errorf("%q: a suffix of %q is in the range: %t", c.terms, text, in)
			}
		}
	}
}

// TestSearchesAreBounded has more users with a term than a search examines: it finds among the first alone, and counts as
// many.
func TestSearchesAreBounded(t *testing.T) {
	s := started(t, false)
	const users = outbound.SearchCandidates + 20
	docs := make([]any, users)
	for i := range docs {
		id := user.IntegerID(int64(i + 1))
		docs[i] = bson.D{
			{Key: "_id", Value: id.SortKey()}, {Key: "email", Value: "a@b"}, {Key: "email_key", Value: fmt.Sprint(i)}, {Key: "joined_us", Value: int64(1)},
			{Key: "version", Value: int64(1)}, {Key: "search", Value: "ann smith"}, {Key: "suffixes", Value: bson.A{"ann smit"}},
		}
	}
	if _, err := s.collection("users").InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	f := user.Filter{Terms: []string{"ann", "smith"[:2]}}
	if n, err := s.Users().Count(t.Context(), f); n != outbound.SearchCandidates || err != nil {
		t.Errorf("Count: %d, %v; want %d", n, err, outbound.SearchCandidates)
	}
	q := user.Query{Filter: f, Order: user.Ordering("-id"), Offset: outbound.SearchCandidates - 3, Limit: 9}
	if found, err := s.Users().List(t.Context(), q); len(found) != 3 || err != nil {
		t.Errorf("List: %d users, %v; want the last 3 of those examined", len(found), err)
	}
}
