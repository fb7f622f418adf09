package mongodb

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage"
	"roster/test/support/testenv"
)

// builds opens a new database, with what is announced and what createIndexes commands are sent.
func builds(t *testing.T, ctx context.Context) (s *Store, announced *[]string, sent *[]bson.Raw) {
	t.Helper()
	u, err := url.Parse(testenv.MongoDB(t))
	if err != nil {
		t.Fatal(err)
	}
	announced, sent = new([]string), new([]bson.Raw)
	s, err = New(u, Options{
		Options: storage.Options{Notice: func(text string) {
			if what, ok := strings.CutPrefix(text, "building "); ok {
				what, _, _ = strings.Cut(what, ", which")
				*announced = append(*announced, what)
			}
		}},
		Monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName == "createIndexes" {
				*sent = append(*sent, slices.Clone(e.Command))
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s, announced, sent
}

// TestIndexesAreBuiltInTheCallersTime shows what a start sends: one command for each collection, which has
// the time of the start and not that of a query, and none for what is there.
func TestIndexesAreBuiltInTheCallersTime(t *testing.T) {
	day, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	for _, c := range []struct {
		name       string
		ctx        context.Context
		least, top int64 // ms; 0 is no limit
	}{
		{"of a day", day, 23 * 3600e3, 24 * 3600e3},
		{"without end", context.WithoutCancel(day), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, announced, sent := builds(t, c.ctx)
			want := []string{
				"indexes email_key, joined_us, email, first_name, last_name, staff, active, suffixes, events, mails, invited of users",
				"indexes user_created, expiry, events, mails of sessions", "indexes expiry of attempts",
				"indexes at, kind, actor, actor_kind, target, target_kind of audit_events",
				"indexes due, begun, state_finished of mails",
			}
			if !slices.Equal(*announced, want) {
				t.Errorf("announced:\n%s\nwant:\n%s", strings.Join(*announced, "\n"), strings.Join(want, "\n"))
			}
			if len(*sent) != len(want) {
				t.Errorf("%d commands were sent for %d collections", len(*sent), len(want))
			}
			for _, command := range *sent {
				ms, _ := command.Lookup("maxTimeMS").AsInt64OK()
				if ms < c.least || ms > c.top {
					t.Errorf("%s has %d ms, want %d to %d", command.Lookup("createIndexes"), ms, c.least, c.top)
				}
				if quorum, err := command.LookupErr("commitQuorum"); err == nil {
					t.Errorf("a standalone server is asked for a quorum: %s", quorum)
				}
			}
			*announced, *sent = nil, nil
			if err := s.index(c.ctx); err != nil || *announced != nil || *sent != nil {
				t.Errorf("with all there: %v, announced %q, sent %v", err, *announced, *sent)
			}
		})
	}
}

// TestMissingIndexOfASet makes one index that is missing, where there are members to wait for.
func TestMissingIndexOfASet(t *testing.T) {
	s, announced, sent := builds(t, t.Context())
	s.replicated = true
	if err := s.drop(t.Context(), userTable.name, "staff"); err != nil {
		t.Fatal(err)
	}
	*announced, *sent = nil, nil
	if err := s.index(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"indexes staff of users"}; !slices.Equal(*announced, want) || len(*sent) != 1 {
		t.Fatalf("announced %q, %d commands; want %q and one", *announced, len(*sent), want)
	}
	if quorum := (*sent)[0].Lookup("commitQuorum"); quorum.String() != `"majority"` {
		t.Errorf("the commit quorum is %s, want that one member may be away", quorum)
	}
}

func TestGreetings(t *testing.T) {
	for _, c := range []struct {
		name                string
		hello               bson.D
		sharded, replicated bool
	}{
		{"standalone", bson.D{{Key: "isWritablePrimary", Value: true}}, false, false},
		{"member of a set", bson.D{{Key: "isWritablePrimary", Value: true}, {Key: "setName", Value: "rs0"}}, false, true},
		{"mongos", bson.D{{Key: "isWritablePrimary", Value: true}, {Key: "msg", Value: "isdbgrid"}}, true, true},
	} {
		raw, err := bson.Marshal(c.hello)
		if err != nil {
			t.Fatal(err)
		}
		var g greeting
		if err := bson.Unmarshal(raw, &g); err != nil {
			t.Fatal(err)
		}
		if g.mongos() != c.sharded || g.replicated() != c.replicated {
			t.Errorf("%s: sharded %t, replicated %t", c.name, g.mongos(), g.replicated())
		}
	}
}

func TestCollationsAreRefused(t *testing.T) {
	collation, err := bson.Marshal(is("collation", bson.D{{Key: "locale", Value: "en"}}))
	if err != nil {
		t.Fatal(err)
	}
	none := mongo.CollectionSpecification{Name: "sessions"}
	if err := byBytes([]mongo.CollectionSpecification{none}); err != nil {
		t.Errorf("without one: %v", err)
	}
	err = byBytes([]mongo.CollectionSpecification{none, {Name: "users", Options: collation}})
	if err == nil || !strings.Contains(err.Error(), `"users"`) || !strings.Contains(err.Error(), `"en"`) {
		t.Errorf("with one: %v, want the collection and its collation", err)
	}
}
