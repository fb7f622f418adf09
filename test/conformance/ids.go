package conformance

import (
	"math"
	"sync"
	"testing"

	"roster/adapters/storage"
	"roster/domain/user"
)

var ids = []check{
	{"CountUpFromOne", idsCount},
	{"ConcurrentIDsAreUnique", idsConcurrent},
	{"GoOnAboveAnAddedID", idsAboveAdded},
	{"DoNotGoBack", idsDoNotGoBack},
	{"AreNotReusedAfterDelete", idsNotReused},
	{"FailedAddDoesNotCount", idsFailedAdd},
	{"RunOutRatherThanOverflow", idsRunOut},
}

func wantID(t *testing.T, b storage.Backend, want user.ID) {
	t.Helper()
	if got, err := b.UserIDs().NewUserID(t.Context()); err != nil || got != want {
		t.Errorf("NewUserID: got %q, %v; want %q", got, err, want)
	}
}

func idsCount(t *testing.T, b storage.Backend) {
	wantID(t, b, "1")
	wantID(t, b, "2")
	mustAdd(t, b, person(t, uuidA)) // a UUID does not count
	wantID(t, b, "3")
}

func idsConcurrent(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "100"))
	var mu sync.Mutex
	seen := map[user.ID]bool{}
	for _, err := range atOnce(func(int) error {
		for range 4 {
			id, err := b.UserIDs().NewUserID(t.Context())
			if err != nil {
				return err
			}
			n, counted := id.Integer()
			mu.Lock()
			if !counted || n <= 100 || seen[id] {
				t.Errorf("NewUserID: %q is no new counted id above 100", id)
			}
			seen[id] = true
			mu.Unlock()
		}
		return nil
	}) {
		wantErr(t, "NewUserID", err, nil)
	}
}

func idsAboveAdded(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "41"))
	wantID(t, b, "42")
	mustAdd(t, b, person(t, "42"))
	wantID(t, b, "43")
}

func idsDoNotGoBack(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "41"), person(t, "5"))
	wantID(t, b, "42")
	mustAdd(t, b, person(t, "6"))
	wantID(t, b, "43")
}

func idsNotReused(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, 3)...)
	for _, id := range []user.ID{"2", "3", "1"} {
		wantErr(t, "Delete", b.Users().Delete(t.Context(), id, agree), nil)
	}
	wantID(t, b, "4")
}

func idsFailedAdd(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	wantErr(t, "Add", b.Users().Add(t.Context(), as(t, person(t, "50"), "user.1@example.com")), user.ErrEmailTaken)
	wantID(t, b, "2")
}

func idsRunOut(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, user.IntegerID(math.MaxInt64-1)))
	wantID(t, b, user.IntegerID(math.MaxInt64))
	if id, err := b.UserIDs().NewUserID(t.Context()); err == nil {
		t.Errorf("NewUserID: got %q after the last one", id)
	}
	mustAdd(t, b, person(t, uuidA)) // UUIDs can still be added
}
