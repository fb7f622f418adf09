package mongodb_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage/mongodb"
	"roster/domain/user"
	"roster/test/support/testenv"
)

func administrator(t *testing.T, id user.ID) *user.User {
	t.Helper()
	u := person(t, id)
	u.SetActive(true)
	u.SetStaff(true)
	return u
}

// deletes and demotes are two ways to stop being an active staff user.
func deletes(t *testing.T, s *mongodb.Store, id user.ID) error {
	return s.Users().Delete(t.Context(), id, func(*user.User) error { return nil })
}

func demotes(t *testing.T, s *mongodb.Store, id user.ID) error {
	_, err := s.Users().Update(t.Context(), id, func(u *user.User) error {
		u.SetStaff(false)
		return nil
	})
	return err
}

// TestResignationsBetweenCommands resigns two staff users, the last ones. One stops before each of its commands in turn,
// while the other resigns completely: one of them stays.
func TestResignationsBetweenCommands(t *testing.T) {
	for name, uri := range map[string]string{"plain": testenv.MongoDB(t), "sharded": sharded(t, testenv.MongoDB(t))} {
		t.Run(name, func(t *testing.T) {
			var commands, hold atomic.Int64
			var other func()
			one := create(t, uri, mongodb.Options{Monitor: &event.CommandMonitor{
				Started: func(_ context.Context, e *event.CommandStartedEvent) {
					if at, is := e.Command.Lookup(e.CommandName).StringValueOK(); is && at == "users" && commands.Add(1) == hold.Load() {
						other()
					}
				},
			}})
			if err := one.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { shut(t, one) })
			two := start(t, uri)
			n := int64(0)
			for way, resign := range map[string]func(*testing.T, *mongodb.Store, user.ID) error{"delete": deletes, "demote": demotes} {
				for at := int64(1); ; at++ {
					a, b := user.IntegerID(n+1), user.IntegerID(n+2)
					n += 2
					for _, id := range []user.ID{a, b} {
						if err := two.Users().Add(t.Context(), administrator(t, id)); err != nil {
							t.Fatal(err)
						}
					}
					var second error
					held := false
					other = func() { held, second = true, resign(t, two, b) }
					commands.Store(0)
					hold.Store(at)
					first := resign(t, one, a)
					hold.Store(0)
					for _, id := range []user.ID{a, b} {
						_ = two.Users().Delete(t.Context(), id, func(u *user.User) error { // one may be gone
							u.AllowLastStaff()
							return nil
						})
					}
					if !held {
						if at < 5 {
							t.Errorf("%s took %d commands", way, at-1)
						}
						break
					}
					what := fmt.Sprintf("%s, held up before command %d", way, at)
					if (first == nil) == (second == nil) {
						t.Errorf("%s: %v and %v", what, first, second)
					}
					for _, err := range []error{first, second} {
						if err != nil {
							wantErr(t, what, err, user.ErrLastStaff)
						}
					}
				}
			}
		})
	}
}

// A token that a crash left behind is in no one's way, and no change of the user.
func TestStaffTokenOfACrash(t *testing.T) {
	uri := testenv.MongoDB(t)
	s, db := start(t, uri), raw(t, uri)
	for _, id := range []user.ID{"1", "2"} {
		if err := s.Users().Add(t.Context(), administrator(t, id)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.Collection("users").UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "write_token", Value: "left behind"}}}})
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "demote 1", demotes(t, s, "1"), nil)
	wantErr(t, "delete 2", deletes(t, s, "2"), user.ErrLastStaff)
	u, err := s.Users().Get(t.Context(), "2")
	if err != nil || u.Version() != person(t, "2").Version() {
		t.Errorf("the user that stays: %v, %v", u, err)
	}
	if _, err := s.Users().Update(t.Context(), "2", func(u *user.User) error { u.Rename("Still", "Staff"); return nil }); err != nil {
		t.Fatal(err)
	}
	n, err := db.Collection("users").CountDocuments(t.Context(), bson.D{{Key: "write_token", Value: bson.D{{Key: "$exists", Value: true}}}})
	if err != nil || n != 0 {
		t.Errorf("%d users have tokens after a change of each, %v", n, err)
	}
}
