package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage/mongodb"
	"roster/domain/user"
	"roster/test/support/testenv"
)

const address = "same@example.com"

// at returns a person with an email.
func at(t *testing.T, id user.ID, email string) *user.User {
	t.Helper()
	s := person(t, id).Snapshot()
	s.Email, s.EmailKey = email, email
	u, err := user.Restore(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// move changes the email of a user.
func move(t *testing.T, s *mongodb.Store, id user.ID, email string) error {
	t.Helper()
	_, err := s.Users().Update(t.Context(), id, func(u *user.User) error {
		next := u.Snapshot()
		next.Email, next.EmailKey, next.FirstName = email, email, "Moved"
		moved, err := user.Restore(next)
		if err == nil {
			*u = *moved
		}
		return err
	})
	return err
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// wantHolder wants one user with an email, or none if id is "", whichever way one looks.
func wantHolder(t *testing.T, s *mongodb.Store, db *mongo.Database, email string, id user.ID) {
	t.Helper()
	n, err := db.Collection("users").CountDocuments(t.Context(), bson.D{{Key: "email_key", Value: email}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.Users().ByEmail(t.Context(), email)
	if id == "" {
		if n != 0 || !errors.Is(err, user.ErrNotFound) {
			t.Errorf("%s: %d users, %v; want none", email, n, err)
		}
		return
	}
	if n != 1 || err != nil || u.ID() != id {
		t.Errorf("%s: %d users, ByEmail says %v, %v; want user %s alone", email, n, u, err, id)
	}
}

func claimByHand(t *testing.T, db *mongo.Database, email string, id user.ID, age time.Duration) {
	t.Helper()
	insert(t, db, "email_claims", bson.D{{Key: "_id", Value: email}, {Key: "user", Value: id.SortKey()}, {Key: "at", Value: time.Now().Add(-age)}})
}

// ages makes all claims two minutes old.
func ages(t *testing.T, db *mongo.Database) {
	t.Helper()
	_, err := db.Collection("email_claims").UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "at", Value: time.Now().Add(-2 * time.Minute)}}}})
	if err != nil {
		t.Fatal(err)
	}
}

// pausing opens a store that, once armed, is held up before its next command of a kind until f is done.
func pausing(t *testing.T, uri, command, collection string, f func()) (s *mongodb.Store, arm func()) {
	t.Helper()
	var armed atomic.Bool
	s = create(t, uri, mongodb.Options{Monitor: &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName == command && e.Command.Lookup(command).StringValue() == collection && armed.CompareAndSwap(true, false) {
				f()
			}
		},
	}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if armed.Load() {
			t.Errorf("no %s of %s came to be held up", command, collection)
		}
		shut(t, s)
	})
	return s, func() { armed.Store(true) }
}

func TestClaimOfACrash(t *testing.T) {
	uri := testenv.MongoDB(t)
	s, db := start(t, sharded(t, uri)), raw(t, uri)
	claimByHand(t, db, address, "99", 2*time.Minute)
	wantHolder(t, s, db, address, "")
	wantErr(t, "Add over a stale claim", s.Users().Add(t.Context(), at(t, "1", address)), nil)
	wantHolder(t, s, db, address, "1")

	claimByHand(t, db, "young@example.com", "99", 2*time.Second)
	wantErr(t, "Add over a young claim", s.Users().Add(t.Context(), at(t, "2", "young@example.com")), user.ErrEmailTaken)
	wantErr(t, "Update over a young claim", move(t, s, "1", "young@example.com"), user.ErrEmailTaken)
	wantHolder(t, s, db, "young@example.com", "")
	wantHolder(t, s, db, address, "1")
	ages(t, db)
	wantErr(t, "Update over a stale claim", move(t, s, "1", "young@example.com"), nil)
	wantErr(t, "Add after the email changed", s.Users().Add(t.Context(), at(t, "2", address)), nil)
	ages(t, db)
	wantErr(t, "Add over a claim that is old and true", s.Users().Add(t.Context(), at(t, "3", address)), user.ErrEmailTaken)
}

func TestClaimsAreFreed(t *testing.T) {
	uri := testenv.MongoDB(t)
	s, db := start(t, sharded(t, uri)), raw(t, uri)
	add := func(id user.ID, email string) {
		t.Helper()
		wantErr(t, "Add", s.Users().Add(t.Context(), at(t, id, email)), nil)
	}
	add("1", address)
	wantErr(t, "Add of a taken id", s.Users().Add(t.Context(), at(t, "1", "free@example.com")), user.ErrIDTaken)
	add("2", "free@example.com")
	wantErr(t, "Delete", s.Users().Delete(t.Context(), "2", func(*user.User) error { return nil }), nil)
	add("3", "free@example.com")
	wantErr(t, "Update", move(t, s, "1", "new@example.com"), nil)
	wantHolder(t, s, db, "new@example.com", "1")
	wantErr(t, "Add of the new email", s.Users().Add(t.Context(), at(t, "4", "new@example.com")), user.ErrEmailTaken)
	add("4", address)
	wantErr(t, "Update to a taken email", move(t, s, "1", address), user.ErrEmailTaken)
	n, err := db.Collection("email_claims").CountDocuments(t.Context(), bson.D{})
	if err != nil || n != 3 {
		t.Errorf("there are %d claims, %v; want one for each of 3 users", n, err)
	}
}

func TestOneOfManyGetsTheEmail(t *testing.T) {
	uri := testenv.MongoDB(t)
	stores := []*mongodb.Store{start(t, sharded(t, uri)), start(t, sharded(t, uri))}
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 32 {
		u := at(t, user.IntegerID(int64(i+1)), address)
		wg.Go(func() {
			switch err := stores[i%2].Users().Add(t.Context(), u); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, user.ErrEmailTaken):
				t.Errorf("Add: %v", err)
			}
		})
	}
	wg.Wait()
	n, err := stores[0].Users().Count(t.Context(), user.Filter{})
	if won.Load() != 1 || n != 1 || err != nil {
		t.Errorf("%d won, and there are %d users, %v; want 1", won.Load(), n, err)
	}
}

// TestEmailChangedTwice changes the email of a user to another and back concurrently; no claim of the user is lost.
func TestEmailChangedTwice(t *testing.T) {
	uri := testenv.MongoDB(t)
	stores, db := []*mongodb.Store{start(t, sharded(t, uri)), start(t, sharded(t, uri))}, raw(t, uri)
	wantErr(t, "Add", stores[0].Users().Add(t.Context(), at(t, "1", "a@example.com")), nil)
	for range 5 {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				wantErr(t, "Update", move(t, stores[i%2], "1", []string{"a@example.com", "b@example.com"}[i/2%2]), nil)
			})
		}
		wg.Wait()
		u, err := stores[0].Users().Get(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Collection("email_claims").FindOne(t.Context(), bson.D{{Key: "_id", Value: u.Snapshot().EmailKey}}).Err(); err != nil {
			t.Errorf("the claim on the user's email: %v", err)
		}
	}
}

// TestPausedRegistrant has one held up with a claim for so long that another takes it.
func TestPausedRegistrant(t *testing.T) {
	t.Run("before the user is written", func(t *testing.T) {
		uri := testenv.MongoDB(t)
		b, db := start(t, sharded(t, uri)), raw(t, uri)
		a, arm := pausing(t, sharded(t, uri), "insert", "users", func() {
			ages(t, db)
			wantErr(t, "Add of the taker", b.Users().Add(t.Context(), at(t, "2", address)), nil)
		})
		arm()
		wantErr(t, "Add of the paused", a.Users().Add(t.Context(), at(t, "1", address)), user.ErrEmailTaken)
		wantHolder(t, b, db, address, "2")
	})
	t.Run("before the email is changed", func(t *testing.T) {
		uri := testenv.MongoDB(t)
		b, db := start(t, sharded(t, uri)), raw(t, uri)
		a, arm := pausing(t, sharded(t, uri), "update", "users", func() {
			ages(t, db)
			wantErr(t, "Add of the taker", b.Users().Add(t.Context(), at(t, "2", address)), nil)
		})
		mustAdd(t, b, "1")
		arm()
		wantErr(t, "Update of the paused", move(t, a, "1", address), user.ErrEmailTaken)
		wantHolder(t, b, db, address, "2")
		wantHolder(t, b, db, "1@example.com", "1")
		u, err := b.Users().Get(t.Context(), "1")
		if err != nil || u.Snapshot().FirstName != "" {
			t.Errorf("a part of the failed change stayed: %v, %v", u.Snapshot().FirstName, err)
		}
		wantErr(t, "Add of the email put back", b.Users().Add(t.Context(), at(t, "3", "1@example.com")), user.ErrEmailTaken)
	})
	// The taker has seen that there is no user, and then there is one.
	for what, write := range map[string]func(string){
		"the taker, and the other finishes": func(uri string) {
			// As Add does from its insert on: the user, and then a new token on the claim.
			insertUser(t, raw(t, uri), "1")
			_, err := raw(t, uri).Collection("email_claims").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: address}}, bson.D{{Key: "$set", Value: bson.D{{Key: "token", Value: "new"}}}})
			if err != nil {
				t.Error(err)
			}
		},
		"the taker, and the other crashes": func(uri string) { insertUser(t, raw(t, uri), "1") },
	} {
		t.Run(what, func(t *testing.T) {
			uri := testenv.MongoDB(t)
			s, db := start(t, sharded(t, uri)), raw(t, uri)
			claimByHand(t, db, address, "1", 2*time.Minute)
			b, arm := pausing(t, sharded(t, uri), "update", "email_claims", func() { write(uri) })
			arm()
			wantErr(t, "Add of the taker", b.Users().Add(t.Context(), at(t, "2", address)), user.ErrEmailTaken)
			wantHolder(t, s, db, address, "1")
		})
	}
	// A third user takes the claim from one whose add crashed before it checked the claim.
	t.Run("a taker that crashed", func(t *testing.T) {
		uri := testenv.MongoDB(t)
		s, db := start(t, sharded(t, uri)), raw(t, uri)
		claimByHand(t, db, address, "2", 2*time.Minute)
		insertUser(t, db, "1")
		wantHolder(t, s, db, address, "1")
		wantErr(t, "Add of the third", s.Users().Add(t.Context(), at(t, "3", address)), user.ErrEmailTaken)
		wantHolder(t, s, db, address, "1")
	})
}

// TestEmailChangeBetweenCommands has a user's email changed, and another user added with the new email before each command
// of that in turn: one of the two has it.
func TestEmailChangeBetweenCommands(t *testing.T) {
	uri := testenv.MongoDB(t)
	b, db := start(t, sharded(t, uri)), raw(t, uri)
	var left atomic.Int64 // commands until the other comes before one
	var between func()
	a := create(t, sharded(t, uri), mongodb.Options{Monitor: &event.CommandMonitor{
		Started: func(context.Context, *event.CommandStartedEvent) {
			if left.Add(-1) == 0 {
				between()
			}
		},
	}})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, a) })
	for nth := int64(1); ; nth++ {
		one, other, email := user.IntegerID(2*nth), user.IntegerID(2*nth+1), fmt.Sprintf("new%d@example.com", nth)
		mustAdd(t, b, one)
		came, added := false, error(nil)
		between = func() { came, added = true, b.Users().Add(t.Context(), at(t, other, email)) }
		left.Store(nth)
		moved := move(t, a, one, email)
		left.Store(0)
		if !came {
			if nth < 5 {
				t.Errorf("a change of an email is %d commands: nothing was tried", nth-1)
			}
			return
		}
		holder := one
		if added == nil {
			holder, added, moved = other, moved, added
		}
		wantErr(t, fmt.Sprintf("the winner, before command %d", nth), moved, nil)
		wantErr(t, fmt.Sprintf("the other, before command %d", nth), added, user.ErrEmailTaken)
		wantHolder(t, b, db, email, holder)
	}
}

// insertUser stores a user with the address, and nothing else.
func insertUser(t *testing.T, db *mongo.Database, id user.ID) {
	t.Helper()
	insert(t, db, "users", bson.D{{Key: "_id", Value: id.SortKey()}, {Key: "email", Value: address}, {Key: "email_key", Value: address}, {Key: "joined_us", Value: epoch.UnixMicro()}, {Key: "version", Value: 1}})
}

// TestBecomesSharded opens a database sharded that has users from before.
func TestBecomesSharded(t *testing.T) {
	uri := testenv.MongoDB(t)
	s, db := open(t, uri), raw(t, uri)
	wantErr(t, "Add", s.Users().Add(t.Context(), at(t, "1", address)), nil)
	shut(t, s)
	for range 2 {
		s = start(t, sharded(t, uri))
		specs, err := db.Collection("users").Indexes().ListSpecifications(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range specs {
			if i.Unique != nil && *i.Unique {
				t.Errorf("index %s is unique", i.Name)
			}
		}
		if len(specs) != 12 {
			t.Errorf("there are %d indexes of users, want 12", len(specs))
		}
		wantHolder(t, s, db, address, "1")
		wantErr(t, "Add of an email from before", s.Users().Add(t.Context(), at(t, "2", address)), user.ErrEmailTaken)
	}
}
