package conformance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"roster/adapters/storage"
	"roster/domain/user"
	"roster/ports/outbound"
)

func archiveIDs(t *testing.T, b storage.Backend) {
	us := snapshots(person(t, "9"), person(t, uuidB), person(t, "10"), person(t, uuidA), person(t, user.IntegerID(math.MaxInt64)))
	put(t, b.Archive().Users(), us)
	want := []user.ID{"9", "10", uuidA, uuidB, user.IntegerID(math.MaxInt64)}
	for _, size := range []int{1, 2, 9} {
		var got []user.ID
		for _, u := range all(t, b.Archive().Users(), size) {
			got = append(got, u.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %v, want %v", size, got, want)
		}
	}
}

func archiveEmailTaken(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	other := as(t, person(t, "2"), "user.1@example.com").Snapshot()
	put(t, b.Archive().Users(), []user.Snapshot{other}, user.ErrEmailTaken)
	archivedUsers.holds(t, b, person(t, "1").Snapshot())
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "1", agree), nil)
	put(t, b.Archive().Users(), []user.Snapshot{other})
	archivedUsers.holds(t, b, other)
	got, err := b.Users().ByEmail(t.Context(), "user.1@example.com")
	wantErr(t, "ByEmail", err, nil)
	sameUser(t, "ByEmail", got, other)
	wantErr(t, "Add of a put email", b.Users().Add(t.Context(), as(t, person(t, "3"), "user.1@example.com")), user.ErrEmailTaken)
	wantErr(t, "Add of a put id", b.Users().Add(t.Context(), person(t, "2")), user.ErrIDTaken)
}

func archiveKeyBeforeEmail(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, 2)...)
	put(t, b.Archive().Users(), snapshots(as(t, person(t, "1"), "user.2@example.com"), person(t, "2")), outbound.ErrKeyTaken,
		outbound.ErrKeyTaken)
	archivedUsers.holds(t, b, snapshots(persons(t, 2)...)...)
}

// archiveMixedBatch puts users with every result in one call. Of two users with one email the first is stored.
func archiveMixedBatch(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "3"), person(t, "5"))
	put(t, b.Archive().Users(), snapshots(
		as(t, person(t, "1"), "user.3@example.com"),
		person(t, "2"),
		as(t, person(t, "3"), "free@example.com"),
		as(t, person(t, "4"), "free@example.com"),
		as(t, person(t, uuidA), "free@example.com"),
		as(t, person(t, "6"), "user.2@example.com"),
		person(t, "5"),
		person(t, "7"),
	), user.ErrEmailTaken, nil, outbound.ErrKeyTaken, nil, user.ErrEmailTaken, user.ErrEmailTaken, outbound.ErrKeyTaken, nil)
	archivedUsers.holds(t, b, snapshots(person(t, "2"), person(t, "3"), as(t, person(t, "4"), "free@example.com"), person(t, "5"),
		person(t, "7"))...)
	wantList(t, b, user.Query{Order: byID, Limit: 9}, "2 3 4 5 7")
}

// archiveEmailRace puts and adds many users with one email concurrently.
func archiveEmailRace(t *testing.T, b storage.Backend) {
	const email = "race@example.com"
	oneWins(t, atOnce(func(i int) error {
		u := as(t, person(t, user.IntegerID(int64(1001+i))), email)
		if i%2 == 0 {
			return b.Users().Add(t.Context(), u)
		}
		refused, err := b.Archive().Users().Put(t.Context(), snapshots(u, person(t, user.IntegerID(int64(1+i)))))
		if err == nil && refused[1] != nil {
			t.Errorf("the other of a call: %v", refused[1])
		}
		return errors.Join(append(refused[:min(1, len(refused))], err)...)
	}), user.ErrEmailTaken)
	us := all(t, b.Archive().Users(), 100)
	if n := len(us); n != crowd/2+1 {
		t.Errorf("there are %d users, want those with emails of their own and one", n)
	}
	if _, err := b.Users().ByEmail(t.Context(), email); err != nil {
		t.Errorf("ByEmail: %v", err)
	}
}

func archiveFound(t *testing.T, b storage.Backend) {
	var us []user.Snapshot
	for i := range 6 {
		s := named(t, user.IntegerID(int64(i+1)), fmt.Sprintf("Anna%d", i), "ŁUCZAK").Snapshot()
		s.Active, s.Staff = i%2 == 0, i%3 == 0
		us = append(us, s)
	}
	put(t, b.Archive().Users(), us[2:3])
	put(t, b.Archive().Users(), us[:4], nil, nil, outbound.ErrKeyTaken)
	for range 2 { // the second call builds nothing
		wantErr(t, "BuildIndexes", b.Archive().BuildIndexes(t.Context()), nil)
	}
	put(t, b.Archive().Users(), us[4:]) // found without another call
	for _, c := range []struct {
		f    user.Filter
		want string
	}{
		{user.Filter{}, "1 2 3 4 5 6"},
		{user.Filter{Active: new(true)}, "1 3 5"},
		{user.Filter{Active: new(false), Staff: new(true)}, "4"},
		{user.Filter{Terms: []string{"anna4"}}, "5"},
		{user.Filter{Terms: []string{"łucz", "user.2@"}}, "2"},
		{user.Filter{Terms: []string{"a5"}}, "6"},
	} {
		wantFound(t, b, c.f, c.want)
	}
	for _, order := range sorts {
		if n := len(mustList(t, b, user.Query{Order: []user.Order{{By: order}}, Limit: 9})); n != len(us) {
			t.Errorf("ordered by %s there are %d users, want %d", order, n, len(us))
		}
	}
}

func archiveChanged(t *testing.T, b storage.Backend) {
	us := snapshots(persons(t, 3)...)
	put(t, b.Archive().Users(), us)
	got, err := b.Users().Update(t.Context(), "2", func(u *user.User) error { u.Rename("Changed", "Name"); return nil })
	wantErr(t, "Update", err, nil)
	us[1].FirstName, us[1].LastName, us[1].Version = "Changed", "Name", us[1].Version+1
	sameUser(t, "Update", got, us[1])
	_, err = b.Users().Update(t.Context(), "1", func(u *user.User) error { *u = *as(t, u, "user.3@example.com"); return nil })
	wantErr(t, "Update to a put email", err, user.ErrEmailTaken)
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "3", agree), nil)
	archivedUsers.holds(t, b, us[:2]...)
	wantErr(t, "BuildIndexes", b.Archive().BuildIndexes(t.Context()), nil)
	wantFound(t, b, user.Filter{Terms: []string{"changed"}}, "2")
	wantFound(t, b, user.Filter{Terms: []string{"user.3@"}}, "")
	wantFound(t, b, user.Filter{Active: new(true)}, "1 2")
}

// wantLastID fails unless n is the highest counted id.
func wantLastID(t *testing.T, b storage.Backend, n int64) {
	t.Helper()
	if got, err := b.Archive().LastUserID(t.Context()); err != nil || got != n {
		t.Errorf("LastUserID: got %d, %v; want %d", got, err, n)
	}
}

func archiveCounting(t *testing.T, b storage.Backend) {
	c := b.Archive().Users()
	wantLastID(t, b, 0)
	put(t, c, snapshots(person(t, uuidA))) // a UUID does not count
	wantLastID(t, b, 0)
	put(t, c, snapshots(person(t, "12"), person(t, "41"), person(t, "9")))
	wantLastID(t, b, 41)
	wantID(t, b, "42")
	put(t, c, snapshots(person(t, "5")))
	wantLastID(t, b, 42)
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "41", agree), nil)
	put(t, c, snapshots(person(t, "41")))
	wantID(t, b, "43")
	mustAdd(t, b, person(t, "50"))
	wantLastID(t, b, 50)
}

func archiveRefusedID(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	put(t, b.Archive().Users(), snapshots(person(t, "2"), as(t, person(t, "50"), "user.1@example.com"),
		as(t, person(t, "60"), "user.2@example.com")),
		nil, user.ErrEmailTaken, user.ErrEmailTaken)
	wantLastID(t, b, 2)
	wantID(t, b, "3")
}

func archiveSkip(t *testing.T, b storage.Backend) {
	for _, c := range []struct{ skip, want int64 }{{41, 41}, {7, 41}, {0, 41}, {-1, 41}, {42, 42}} {
		wantErr(t, "SkipUserIDs", b.Archive().SkipUserIDs(t.Context(), c.skip), nil)
		wantLastID(t, b, c.want)
	}
	wantID(t, b, "43")
	put(t, b.Archive().Users(), snapshots(person(t, "50")))
	wantErr(t, "SkipUserIDs", b.Archive().SkipUserIDs(t.Context(), 49), nil)
	wantID(t, b, "51")
	wantErr(t, "SkipUserIDs", b.Archive().SkipUserIDs(t.Context(), math.MaxInt64), nil)
	wantLastID(t, b, math.MaxInt64)
	if id, err := b.UserIDs().NewUserID(t.Context()); err == nil {
		t.Errorf("NewUserID: got %q after all were skipped", id)
	}
}

func archiveIDsEndedContext(t *testing.T, b storage.Backend) {
	for want, ctx := range ended(t) {
		_, err := b.Archive().LastUserID(ctx)
		wantErr(t, "LastUserID", err, want)
		wantErr(t, "SkipUserIDs", b.Archive().SkipUserIDs(ctx, 9), want)
		wantErr(t, "BuildIndexes", b.Archive().BuildIndexes(ctx), want)
	}
	wantLastID(t, b, 0)
}
