package mongodb

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/user"
)

func TestPlacesAreBoundsOfAnIndex(t *testing.T) {
	at := int64(1700000000123456)
	p := user.Position{ID: "7", LastName: "Lee", Joined: time.UnixMicro(at)}
	id := user.ID("7").SortKey()
	for param, want := range map[string]bson.D{
		"id":  {{Key: "_id", Value: bson.D{{Key: "$gt", Value: id}}}},
		"-id": {{Key: "_id", Value: bson.D{{Key: "$lt", Value: id}}}},
		"-date_joined": {
			{Key: "joined_us", Value: bson.D{{Key: "$lte", Value: at}}},
			{Key: "$or", Value: bson.A{
				bson.D{{Key: "joined_us", Value: bson.D{{Key: "$lt", Value: at}}}},
				bson.D{{Key: "joined_us", Value: at}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: id}}}},
			}},
		},
		"last_name,-date_joined": {
			{Key: "last_name", Value: bson.D{{Key: "$gte", Value: "Lee"}}},
			{Key: "$or", Value: bson.A{
				bson.D{{Key: "last_name", Value: bson.D{{Key: "$gt", Value: "Lee"}}}},
				bson.D{{Key: "last_name", Value: "Lee"}, {Key: "joined_us", Value: bson.D{{Key: "$lt", Value: at}}}},
				bson.D{{Key: "last_name", Value: "Lee"}, {Key: "joined_us", Value: at}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: id}}}},
			}},
		},
	} {
		filter, _ := list(user.Query{Order: user.Ordering(param), From: &p})
		if diff := cmp.Diff(all(bson.A{want}), filter); diff != "" {
			t.Errorf("%s: -want +got:\n%s", param, diff)
		}
	}
}

func TestUnknownCriteriaAreLeftOut(t *testing.T) {
	filter, sort := list(user.Query{Order: []user.Order{{By: "password"}, {By: "$where", Desc: true}, {By: user.SortEmail}}})
	if diff := cmp.Diff(bson.D{{Key: "email", Value: 1}, {Key: "_id", Value: 1}}, sort); diff != "" || len(filter) != 0 {
		t.Errorf("filter %v; sort -want +got:\n%s", filter, diff)
	}
}

func TestLiterally(t *testing.T) {
	for _, text := range []string{"a", `.*\E[a]{2}(?i)(*UTF8)^$|#`, "a\x00b", "\n\t", "é😀", "//i"} {
		pattern := literally(text)
		if strings.Contains(pattern, "\x00") {
			t.Errorf("%q: a NUL cannot be sent", text)
		}
		if got := regexp.MustCompile(pattern).FindString("x" + text + "x"); got != text {
			t.Errorf("%q: %s matches %q", text, pattern, got)
		}
	}
}

func TestSearchWithoutMatches(t *testing.T) {
	for _, term := range []string{"\xff", strings.Repeat("a", longestPattern+1), strings.Repeat("\x00", 8_001)} {
		if diff := cmp.Diff(nothing(), matching(user.Filter{Terms: []string{"a", term}})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
