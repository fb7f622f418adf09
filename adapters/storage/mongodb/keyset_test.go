package mongodb

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/domain/user"
)

func TestListsHaveBoundsOfAnIndex(t *testing.T) {
	at := time.UnixMilli(1700000000123).UTC()
	beyond := func(field, operator string) bson.D {
		return bson.D{
			{Key: field, Value: bson.D{{Key: operator + "e", Value: at}}},
			{Key: "$or", Value: bson.A{
				bson.D{{Key: field, Value: bson.D{{Key: operator, Value: at}}}},
				bson.D{{Key: field, Value: at}, {Key: "_id", Value: bson.D{{Key: operator, Value: "x"}}}},
			}},
		}
	}
	newest, oldest := bson.D{{Key: "at", Value: -1}, {Key: "_id", Value: -1}}, bson.D{{Key: "at", Value: 1}, {Key: "_id", Value: 1}}
	place := &audit.Position{At: at, ID: "x"}
	for _, c := range []struct {
		q             audit.Query
		filter, order bson.D
	}{
		{audit.Query{}, bson.D{}, newest},
		{audit.Query{From: place}, all(bson.A{beyond("at", "$lt")}), newest},
		{audit.Query{From: place, Back: true}, all(bson.A{beyond("at", "$gt")}), oldest},
		{audit.Query{Filter: audit.Filter{Since: at, Until: at}}, all(bson.A{is("at", is("$gte", at)), is("at", is("$lt", at))}), newest},
		{audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{"b", "b"}, Actor: "7", User: "8"}}, all(bson.A{is("kind", "b"), is("actor", "7"), is("target", "8")}), newest},
		{audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{"b", "a", "b"}}}, all(bson.A{is("kind", is("$in", []audit.Kind{"a", "b"}))}), newest},
	} {
		filter, order := listEvents(c.q)
		if diff := cmp.Diff(c.filter, filter) + cmp.Diff(c.order, order); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", c.q, diff)
		}
	}

	owner := user.ID("7").SortKey()
	live := bson.A{is("user", owner), is("revoked_at", is("$exists", false)), is("expires", is("$gt", at))}
	filter, _ := listSessions(session.Query{Owner: "7", LiveAt: at, Epoch: 3, From: &session.Position{Created: at, ID: "x"}}, owner)
	if diff := cmp.Diff(all(append(live, is("epoch", is("$gte", int64(3))), beyond("created", "$lt"))), filter); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
