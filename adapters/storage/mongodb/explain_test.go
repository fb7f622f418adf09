package mongodb

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/testenv"
)

// TestPlans asks a real server how it would answer: with an index, without a sort of its own. The
// exceptions are a search for a part of a text and an ordering by several fields, which no index serves.
func TestPlans(t *testing.T) {
	if os.Getenv("MONGODB_TEST_URI") == "" {
		t.Skip("NOT TESTED: query plans, since MONGODB_TEST_URI names no real MongoDB and test/mongoserver uses no indexes")
	}
	u, err := url.Parse(testenv.MongoDB(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(u, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	var docs []userDocument
	for i := range 5000 {
		id := user.IntegerID(int64(i + 1)).SortKey()
		docs = append(docs, userDocument{ID: id, Email: id, EmailKey: id, FirstName: fmt.Sprint(i % 7), LastName: fmt.Sprint(i % 11), Times: userTimes{Joined: micros{time.UnixMilli(int64(i))}}, Version: 1, Search: id})
	}
	if _, err := s.collection("users").InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	place := user.Position{ID: "2500", Email: "2500", FirstName: "3", LastName: "3", Joined: time.UnixMilli(2500)}
	for _, by := range []user.Sort{user.SortID, user.SortEmail, user.SortFirstName, user.SortLastName, user.SortJoined} {
		for _, sign := range []string{"", "-"} {
			for _, from := range []*user.Position{nil, &place} {
				filter, sort := list(user.Query{Order: user.Ordering(sign + string(by)), From: from})
				wantIndex(t, s, fmt.Sprintf("list by %s%s from %v", sign, by, from), "users", filter, sort)
			}
		}
	}
	for _, name := range []string{"users", "sessions", "attempts", eventCollection} {
		wantIndex(t, s, "a page of all "+name, name, is("_id", compared("$gt", "x")), is("_id", 1))
	}
	wantIndex(t, s, "which ids are there", "users", oneOf("_id", []string{"x", "y"}), nil)
	wantIndex(t, s, "which emails are there", "users", oneOf("email_key", []string{"x", "y"}), nil)
	wantIndex(t, s, "by email", "users", is("email_key", "x"), nil)
	wantIndex(t, s, "compare and set", "users", unchanged("x", 1), nil)
	wantIndex(t, s, "rival", "users", userTable.rival(docs[0]), nil)
	wantIndex(t, s, "sessions of a user", "sessions", is("user", "x"), nil)
	now := time.Now()
	for _, back := range []bool{false, true} {
		for _, from := range []*session.Position{nil, {Created: now, ID: "x"}} {
			filter, sort := listSessions(session.Query{Owner: "7", LiveAt: now, Epoch: 3, From: from, Back: back}, "x")
			wantIndex(t, s, fmt.Sprintf("sessions of a user from %v, back %t", from, back), "sessions", filter, sort)
		}
		for _, f := range []audit.Filter{
			{}, {Since: now, Until: now}, {Kinds: audit.Kinds()[:1]}, {Kinds: audit.Kinds()}, {Actor: "7"}, {User: "7"}, {Actor: "7", User: "7"},
			{Actor: "7", Kinds: audit.Kinds()}, {User: "7", Kinds: audit.Kinds()[:2], Since: now},
		} {
			for _, from := range []*audit.Position{nil, {At: now, ID: "x"}} {
				filter, sort := listEvents(audit.Query{Filter: f, From: from, Back: back})
				wantIndex(t, s, fmt.Sprintf("events of %+v from %v, back %t", f, from, back), eventCollection, filter, sort)
			}
		}
	}
	wantIndex(t, s, "old events", eventCollection, is("at", compared("$lt", now)), byTime("at", true))
	wantIndex(t, s, "failures", "attempts", append(unchanged("x", 1), is("expires", now)...), nil)
	wantIndex(t, s, "failures of an account", "attempts", attemptsOf(lockout.ForAccount("a@example.com")), nil)
	wantIndex(t, s, "expired failures", "attempts", is("expires", compared("$lte", now)), is("expires", 1))
	wantIndex(t, s, "expired sessions", "sessions", is("expires", compared("$lte", time.Now())), is("expires", 1))
}

func wantIndex(t *testing.T, s *Store, what, collection string, filter, sort bson.D) {
	t.Helper()
	find := bson.D{{Key: "find", Value: collection}, {Key: "filter", Value: filter}, {Key: "limit", Value: 20}}
	if sort != nil {
		find = append(find, bson.E{Key: "sort", Value: sort})
	}
	var answer struct {
		QueryPlanner struct {
			WinningPlan bson.Raw `bson:"winningPlan"`
		} `bson:"queryPlanner"`
	}
	explain := bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "queryPlanner"}}
	if err := s.db.RunCommand(t.Context(), explain).Decode(&answer); err != nil {
		t.Fatalf("%s: explain: %v", what, err)
	}
	plan := answer.QueryPlanner.WinningPlan.String()
	indexed := strings.Contains(plan, `"IXSCAN"`) || strings.Contains(plan, `"IDHACK"`) || strings.Contains(plan, `"EXPRESS_`) || strings.Contains(plan, `"CLUSTERED_IXSCAN"`)
	if !indexed || strings.Contains(plan, `"COLLSCAN"`) || strings.Contains(plan, `"stage": "SORT"`) || strings.Contains(plan, `"stage":"SORT"`) {
		t.Errorf("%s: no index serves it: %s", what, plan)
	}
}
