package mongodb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/adapters/storage/mongodb"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/support/testenv"
)

// former makes a database as the program of schema version 1 left it: a user and three sessions.
func former(t *testing.T, db *mongo.Database) {
	t.Helper()
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	insert(t, db, "counters", bson.D{{Key: "_id", Value: "user_id"}, {Key: "value", Value: int64(7)}})
	insert(t, db, "schema", bson.D{{Key: "_id", Value: "marker"}, {Key: "program", Value: "roster"}, {Key: "version", Value: int64(1)}})
	for name, keys := range map[string]bson.D{"user": {{Key: "user", Value: 1}}, "expires": {{Key: "expires", Value: 1}}} {
		if _, err := db.Collection("sessions").Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: keys, Options: options.Index().SetName(name)}); err != nil {
			t.Fatal(err)
		}
	}
	insert(t, db, "users", bson.D{
		{Key: "_id", Value: user.ID("7").SortKey()}, {Key: "email", Value: "A@example.com"}, {Key: "email_key", Value: "a@example.com"},
		{Key: "first_name", Value: "Ann"}, {Key: "last_name", Value: "Lee"}, {Key: "active", Value: true}, {Key: "staff", Value: false},
		{Key: "password", Value: "x"}, {Key: "joined", Value: at(1700000000123)},
		{Key: "last_login", Value: at(1700000000456)}, {Key: "version", Value: int64(4)}, {Key: "search", Value: "a"},
	})
	for i, id := range []string{"a", "b", "c"} {
		d := bson.D{
			{Key: "_id", Value: id}, {Key: "user", Value: user.ID("7").SortKey()}, {Key: "created", Value: at(1700000000001 + 10*int64(i))},
			{Key: "confirmed", Value: at(1700000000002)}, {Key: "expires", Value: at(1800000000003)}, {Key: "generation", Value: int64(3)},
			{Key: "rotated_at", Value: at(1700000000004)}, {Key: "reason", Value: ""}, {Key: "user_agent", Value: "Agent"},
			{Key: "address", Value: "192.0.2.1"}, {Key: "version", Value: int64(5)},
		}
		if id == "c" {
			d = append(d, bson.E{Key: "revoked_at", Value: at(1700000000024)})
		}
		insert(t, db, "sessions", d)
	}
}

// version returns that of the database's schema.
func version(t *testing.T, db *mongo.Database) (n int64) {
	t.Helper()
	var m struct {
		Version int64 `bson:"version"`
	}
	if err := db.Collection("schema").FindOne(t.Context(), bson.D{{Key: "_id", Value: "marker"}}).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m.Version
}

func indexNames(t *testing.T, db *mongo.Database, collection string) (names []string) {
	t.Helper()
	specs, err := db.Collection(collection).Indexes().ListSpecifications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range specs {
		names = append(names, i.Name)
	}
	slices.Sort(names)
	return names
}

// TestUpgradeFrom1 opens a database from before there were lists of sessions, lockouts and the trail.
func TestUpgradeFrom1(t *testing.T) {
	for name, of := range map[string]func(*testing.T, string) string{
		"plain": func(_ *testing.T, uri string) string { return uri }, "sharded": sharded,
	} {
		t.Run(name, func(t *testing.T) {
			uri := testenv.MongoDB(t)
			db := raw(t, uri)
			former(t, db)
			for range 2 { // and once more as it is then
				testUpgraded(t, start(t, of(t, uri)), db)
			}
		})
	}
}

func testUpgraded(t *testing.T, s *mongodb.Store, db *mongo.Database) {
	t.Helper()
	if v := version(t, db); v != 8 {
		t.Errorf("the schema's version is %d, want 8", v)
	}
	if got := indexNames(t, db, "sessions"); !slices.Equal(got, []string{"_id_", "events", "expiry", "mails", "user_created"}) {
		t.Errorf("sessions have indexes %v", got)
	}
	if got := indexNames(t, db, "audit_events"); len(got) != 7 {
		t.Errorf("events have indexes %v", got)
	}
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	person := user.Snapshot{
		ID: "7", Email: "A@example.com", EmailKey: "a@example.com", FirstName: "Ann", LastName: "Lee", Active: true,
		Password: credential.RestoreHash("x"), Joined: at(1700000000123), LastLogin: at(1700000000456), Version: 4,
	}
	if u, err := s.Users().ByEmail(t.Context(), "a@example.com"); err != nil || u.Snapshot() != person {
		t.Errorf("the user: %+v, %v; want %+v", u, err, person)
	}
	if got := indexNames(t, db, "users"); slices.Contains(got, "joined") || !slices.Contains(got, "joined_us") {
		t.Errorf("users have indexes %v", got)
	}
	want := session.Snapshot{
		ID: "a", User: "7", Created: at(1700000000001), Expires: at(1800000000003), Generation: 3,
		RotatedAt: at(1700000000004), UserAgent: "Agent", Address: "192.0.2.1", Version: 5,
	}
	if x, err := s.Sessions().Get(t.Context(), "a"); err != nil || x.Snapshot() != want {
		t.Errorf("the session: %+v, %v; want %+v", x, err, want)
	}
	xs, err := s.Sessions().List(t.Context(), session.Query{Owner: "7", LiveAt: at(1700000000000), Limit: 9})
	if err != nil || len(xs) != 2 || xs[0].ID() != "b" || xs[1].ID() != "a" {
		t.Errorf("the sessions: %v, %v; want b and a", xs, err)
	}
	used := at(1750000000000)
	x, err := s.Sessions().Update(t.Context(), "b", func(x *session.Session) error { x.RecordUse(used); return nil })
	if err != nil || !x.LastUsed().Equal(used) {
		t.Errorf("the last use: %+v, %v", x, err)
	}
	if _, err := s.Attempts().Update(t.Context(), lockout.ForAddress("a@example.com"), fails(used)); err != nil {
		t.Errorf("Attempts.Update: %v", err)
	}
	if err := s.AuditTrail().Append(t.Context(), audit.Event{ID: "e", At: used, Kind: audit.SignedIn, User: "7"}); err != nil {
		t.Errorf("AuditTrail.Append: %v", err)
	}
}

// TestUpgradeOfManyUsers upgrades more users than one command changes. An interrupted upgrade has changed some of them.
func TestUpgradeOfManyUsers(t *testing.T) {
	uri := testenv.MongoDB(t)
	db := raw(t, uri)
	former(t, db)
	const users = 120
	var docs []any
	for i := range users {
		id, address := user.IntegerID(int64(100+i)).SortKey(), fmt.Sprintf("user%d@example.com", i)
		d := bson.D{{Key: "_id", Value: id}, {Key: "email", Value: address}, {Key: "email_key", Value: address}, {Key: "version", Value: int64(1)}}
		if at := int64(1700000000000 + i); i%3 == 0 {
			d = append(d, bson.E{Key: "joined_us", Value: 1000 * at})
		} else {
			d = append(d, bson.E{Key: "joined", Value: time.UnixMilli(at)}, bson.E{Key: "sessions_valid_after", Value: time.UnixMilli(at + 1)})
		}
		docs = append(docs, d)
	}
	if _, err := db.Collection("users").InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	s := start(t, uri)
	page, err := s.Archive().Users().Page(t.Context(), "", users+1)
	if err != nil || len(page) != users+1 { // and the one of former
		t.Fatalf("%d users, %v", len(page), err)
	}
	for i, u := range page[1:] {
		want := user.Snapshot{ID: user.IntegerID(int64(100 + i)), Email: u.Email, EmailKey: u.Email, Joined: time.UnixMilli(int64(1700000000000 + i)).UTC(), Version: 1}
		if i%3 > 0 {
			want.SessionsValidAfter, want.SessionEpoch = want.Joined.Add(time.Millisecond), 1
		}
		if u != want {
			t.Fatalf("user %d: %+v, want %+v", i, u, want)
		}
	}
	if n, err := db.Collection("users").CountDocuments(t.Context(), bson.D{{Key: "joined", Value: bson.D{{Key: "$exists", Value: true}}}}); n != 0 || err != nil {
		t.Errorf("%d users have a date as before, %v", n, err)
	}
}

// TestUpgradeGoesOnAfterACrash begins where an upgrade ended between its last steps.
func TestUpgradeGoesOnAfterACrash(t *testing.T) {
	uri := testenv.MongoDB(t)
	db := raw(t, uri)
	shut(t, open(t, uri))
	if _, err := db.Collection("schema").UpdateOne(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: int64(1)}}}}); err != nil {
		t.Fatal(err)
	}
	shut(t, open(t, uri)) // there is no index to drop any more
	if v := version(t, db); v != 8 {
		t.Errorf("the schema's version is %d, want 8", v)
	}
}

func TestMarkerWithoutVersion(t *testing.T) {
	uri := testenv.MongoDB(t)
	insert(t, raw(t, uri), "schema", bson.D{{Key: "_id", Value: "marker"}, {Key: "program", Value: "roster"}})
	if err := create(t, uri, mongodb.Options{}).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "has no version") {
		t.Errorf("Start: %v", err)
	}
}

// TestUpgradeFrom3 opens a database in which times decided which sessions were ended.
func TestUpgradeFrom3(t *testing.T) {
	uri := testenv.MongoDB(t)
	db := raw(t, uri)
	insert(t, db, "counters", bson.D{{Key: "_id", Value: "user_id"}, {Key: "value", Value: int64(8)}})
	insert(t, db, "schema", bson.D{{Key: "_id", Value: "marker"}, {Key: "program", Value: "roster"}, {Key: "version", Value: int64(3)}})
	at := func(ms int64) time.Time { return time.UnixMilli(1700000000000 + ms) }
	for id, d := range map[user.ID]bson.D{"7": {{Key: "sessions_valid_after_us", Value: at(5000).UnixMicro()}}, "8": {}} {
		insert(t, db, "users", append(bson.D{
			{Key: "_id", Value: id.SortKey()}, {Key: "email", Value: string(id) + "@example.com"}, {Key: "email_key", Value: string(id) + "@example.com"},
			{Key: "active", Value: true}, {Key: "joined_us", Value: at(0).UnixMicro()}, {Key: "version", Value: int64(1)},
			{Key: "first_name", Value: "Οδυσσεύς"}, {Key: "last_name", Value: "Ilgın"}, {Key: "search", Value: string(id) + "@example.com\nοδυσσεύς\nilgın"},
		}, d...))
	}
	want := map[session.ID]bool{}
	for _, c := range []struct {
		id        session.ID
		owner     user.ID
		confirmed int64
		live      bool
	}{{"ended", "7", 4999, false}, {"same instant", "7", 5000, true}, {"later", "7", 6000, true}, {"of another", "8", 1, true}} {
		insert(t, db, "sessions", bson.D{
			{Key: "_id", Value: string(c.id)}, {Key: "user", Value: c.owner.SortKey()}, {Key: "created", Value: at(1)},
			{Key: "confirmed", Value: at(c.confirmed)}, {Key: "expires", Value: at(100_000_000_000)}, {Key: "version", Value: int64(1)},
		})
		want[c.id] = c.live
	}
	for range 2 { // and once more as it is then
		s := start(t, uri)
		for _, term := range []string{"οδυσσεύς", "ΟΔΥΣΣΕΎΣ", "ilgin", "ilgın"} {
			found, err := s.Users().List(t.Context(), user.Query{Filter: user.Filter{Terms: user.Terms(term)}, Order: user.Ordering("id"), Limit: 9})
			if err != nil || len(found) != 2 {
				t.Errorf("%s: %v, %v", term, found, err)
			}
		}
		for id, live := range want {
			x, err := s.Sessions().Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			u, err := s.Users().Get(t.Context(), x.User())
			if err != nil {
				t.Fatal(err)
			}
			if got := x.Live(u, at(10_000), session.Rules{}); got != live {
				t.Errorf("%s: live %t, want %t", id, got, live)
			}
			xs, err := s.Sessions().List(t.Context(), session.Query{Owner: u.ID(), Epoch: u.SessionEpoch(), LiveAt: at(10_000), Limit: 9})
			if err != nil || slices.ContainsFunc(xs, func(x *session.Session) bool { return x.ID() == id }) != live {
				t.Errorf("%s: listed %v, %v; want %t", id, xs, err, live)
			}
		}
	}
}

// TestUpgradeKeepsEvents upgrades documents in which a kill left events.
func TestUpgradeKeepsEvents(t *testing.T) {
	uri := testenv.MongoDB(t)
	db := raw(t, uri)
	shut(t, open(t, uri))
	if _, err := db.Collection("schema").UpdateOne(t.Context(), bson.D{}, is("$set", is("version", int64(5)))); err != nil {
		t.Fatal(err)
	}
	leave(t, db)
	wantTrail(t, "after the upgrade", start(t, uri), "user session")
	if v := version(t, db); v != 8 {
		t.Errorf("the schema's version is %d, want 8", v)
	}
}
