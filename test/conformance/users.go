package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/credential"
	"roster/domain/user"
)

var users = []check{
	{"PingAnswers", pingAnswers},
	{"MissingIsNotFound", usersMissing},
	{"OtherSpellingsOfAnIDAreNotFound", usersOtherSpellings},
	{"AddRoundTripsEveryField", usersRoundTrip},
	{"AddRoundTripsEmptyFields", usersRoundTripEmpty},
	{"UpdateRoundTripsEveryField", usersUpdateRoundTrip},
	{"ByEmailGoesByTheKey", usersByEmail},
	{"KeepsText", usersKeepText},
	{"KeepsTimes", usersKeepTimes},
	{"IDIsUnique", usersIDUnique},
	{"EmailIsUniqueOnAdd", usersEmailUniqueOnAdd},
	{"EmailIsUniqueOnUpdate", usersEmailUniqueOnUpdate},
	{"OwnEmailMayBeRespelt", usersOwnEmail},
	{"OneOfManyAddsWinsAnEmail", usersEmailRaceOnAdd},
	{"OneOfManyAddsWinsAnID", usersIDRace},
	{"OneOfManyUpdatesWinsAnEmail", usersEmailRaceOnUpdate},
	{"FailedChangeStoresNothing", usersFailedChange},
	{"UnchangedKeepsVersion", usersUnchanged},
	{"EachChangeCountsVersion", usersVersion},
	{"ConcurrentUpdatesAllCount", usersConcurrentUpdates},
	{"WhatIsReturnedIsACopy", usersCopy},
	{"DeleteRemovesOne", usersDelete},
	{"RefusedDeleteRemovesNothing", usersRefusedDelete},
	{"DeletedEmailIsFree", usersDeletedEmail},
	{"OneOfManyDeletesWins", usersDeleteRace},
	{"LastStaffStays", usersLastStaff},
	{"LastStaffKeepsTheEmail", usersLastStaffMoves},
	{"StaffResign", usersResign},
	{"WithoutStaffAllIsAllowed", usersWithoutStaff},
	{"LastStaffMayChange", usersLastStaffChanges},
	{"LastStaffGoesIfAllowed", usersLastStaffAllowed},
	{"OneOfTwoStaffStays", usersStaffRace},
	{"OneOfManyStaffStays", usersStaffCrowd},
	{"EndedContext", usersEndedContext},
	{"ContextThatEndsDuringChange", usersContextEndsWithin},
	{"DeadlineThatPassesDuringIt", usersDeadlineWithin},
}

var errRefused = errors.New("refused by the caller")

func pingAnswers(t *testing.T, b storage.Backend) {
	wantErr(t, "Ping", b.Ping(t.Context()), nil)
}

func usersMissing(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	never := func(*user.User) error {
		t.Error("closure ran for a user that does not exist")
		return nil
	}
	for _, id := range []user.ID{"2", "9223372036854775807", uuidA} {
		_, err := b.Users().Get(t.Context(), id)
		wantErr(t, "Get", err, user.ErrNotFound)
		_, err = b.Users().Update(t.Context(), id, never)
		wantErr(t, "Update", err, user.ErrNotFound)
		wantErr(t, "Delete", b.Users().Delete(t.Context(), id, never), user.ErrNotFound)
	}
	for _, key := range []string{"nobody@example.com", ""} {
		_, err := b.Users().ByEmail(t.Context(), key)
		wantErr(t, "ByEmail", err, user.ErrNotFound)
	}
}

// usersOtherSpellings checks the stored form of ids: one user must not be found by several ids.
func usersOtherSpellings(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "7"), person(t, uuidA))
	for _, id := range []user.ID{"07", "+7", "0000000000000000007", user.ID(strings.ToUpper(string(uuidA)))} {
		_, err := b.Users().Get(t.Context(), id)
		wantErr(t, "Get "+string(id), err, user.ErrNotFound)
	}
}

func usersRoundTrip(t *testing.T, b storage.Backend) {
	for _, id := range []user.ID{"1", "9223372036854775807", uuidA} {
		u := person(t, id)
		mustNotBeZero(t, u.Snapshot())
		mustAdd(t, b, u)
		sameUser(t, "Get", mustGet(t, b, id), u.Snapshot())
		got, err := b.Users().ByEmail(t.Context(), u.Snapshot().EmailKey)
		wantErr(t, "ByEmail", err, nil)
		sameUser(t, "ByEmail", got, u.Snapshot())
		list, err := b.Users().List(t.Context(), user.Query{Filter: user.Filter{Only: id}, Order: byID, Limit: 2})
		wantErr(t, "List", err, nil)
		if len(list) != 1 {
			t.Fatalf("List: got %d users, want 1", len(list))
		}
		sameUser(t, "List", list[0], u.Snapshot())
	}
}

func usersRoundTripEmpty(t *testing.T, b storage.Backend) {
	u := restored(t, user.Snapshot{ID: "1", Email: "a@example.com", EmailKey: "a@example.com", Joined: epoch, Version: 1})
	mustAdd(t, b, u)
	sameUser(t, "Get", mustGet(t, b, "1"), u.Snapshot())
}

func usersUpdateRoundTrip(t *testing.T, b storage.Backend) {
	first := restored(t, user.Snapshot{ID: "1", Email: "a@example.com", EmailKey: "a@example.com", Joined: epoch.Add(-time.Hour), Version: 1})
	mustAdd(t, b, first)
	want := person(t, "1").Snapshot()
	got, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
		*u = *person(t, "1")
		return nil
	})
	want.Version = 2
	wantErr(t, "Update", err, nil)
	sameUser(t, "Update", got, want)
	sameUser(t, "Get", mustGet(t, b, "1"), want)

	_, err = b.Users().Update(t.Context(), "1", func(u *user.User) error {
		*u = *first
		return agree(u)
	})
	wantErr(t, "Update back", err, nil)
	want = first.Snapshot()
	want.Version = 3
	sameUser(t, "Get after emptying", mustGet(t, b, "1"), want)
	_, err = b.Users().ByEmail(t.Context(), person(t, "1").Snapshot().EmailKey)
	wantErr(t, "ByEmail of the former address", err, user.ErrNotFound)
}

func usersByEmail(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"), person(t, "2"))
	got, err := b.Users().ByEmail(t.Context(), "user.2@example.com")
	wantErr(t, "ByEmail", err, nil)
	sameUser(t, "ByEmail", got, person(t, "2").Snapshot())
	for _, other := range []string{"User.2@example.com", "USER.2@EXAMPLE.COM", "user.2@example.com ", "user._@example.com", "user.%"} {
		_, err := b.Users().ByEmail(t.Context(), other)
		wantErr(t, "ByEmail "+other, err, user.ErrNotFound)
	}
}

func usersKeepText(t *testing.T, b storage.Backend) {
	for i, text := range []string{
		"é", "e\u0301", "ÉCOLE", "İı", "ß", "日本語", "👩‍👩‍👧‍👦🏳️‍🌈", "\u202eright to left", "\ufeffmark",
		" leading and trailing ", "tab\tline\nfeed\r", `back\slash`, "%_'\"`;--", "$where {$ne: 1}", strings.Repeat("😀", user.MaxName),
		"\u0001control\u007f", "NULL", "0", "1e3", "\uffff",
	} {
		s := person(t, user.IntegerID(int64(i+1))).Snapshot()
		s.FirstName, s.LastName = text, text+text
		s.Password = credential.RestoreHash(text + strings.Repeat("$", 1000))
		mustAdd(t, b, restored(t, s))
		sameUser(t, "Get", mustGet(t, b, s.ID), s)
	}
}

func usersKeepTimes(t *testing.T, b storage.Backend) {
	for i, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 1e3, time.UTC), // one step after the zero time
		time.Date(1969, 12, 31, 23, 59, 59, 999_999e3, time.UTC),
		time.Unix(0, 0).UTC(), // zero in Unix time, and not the zero Time
		time.Date(2000, 1, 1, 0, 0, 0, 7e3, time.UTC),
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999e3, time.UTC),
	} {
		s := person(t, user.IntegerID(int64(i+1))).Snapshot()
		s.Joined, s.LastLogin, s.SessionsValidAfter = at, at, at
		mustAdd(t, b, restored(t, s))
		got := mustGet(t, b, s.ID)
		sameUser(t, "Get", got, s)
		if zone := got.Snapshot().Joined.Location(); zone != time.UTC {
			t.Errorf("%v came back in zone %v", at, zone)
		}
	}
}

func usersIDUnique(t *testing.T, b storage.Backend) {
	for _, id := range []user.ID{"1", uuidA} {
		first := person(t, id)
		mustAdd(t, b, first)
		s := first.Snapshot()
		s.Email, s.EmailKey = "other"+s.Email, "other"+s.EmailKey
		wantErr(t, "Add", b.Users().Add(t.Context(), restored(t, s)), user.ErrIDTaken)
		sameUser(t, "Get", mustGet(t, b, id), first.Snapshot())
		_, err := b.Users().ByEmail(t.Context(), s.EmailKey)
		wantErr(t, "ByEmail", err, user.ErrNotFound)
	}
}

// as returns u with the email key of another, in another spelling.
func as(t *testing.T, u *user.User, key string) *user.User {
	t.Helper()
	s := u.Snapshot()
	s.Email, s.EmailKey = strings.ToUpper(key[:1])+key[1:], key
	return restored(t, s)
}

func usersEmailUniqueOnAdd(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	err := b.Users().Add(t.Context(), as(t, person(t, "2"), "user.1@example.com"))
	wantErr(t, "Add", err, user.ErrEmailTaken)
	_, err = b.Users().Get(t.Context(), "2")
	wantErr(t, "Get", err, user.ErrNotFound)
	mustAdd(t, b, person(t, "2"))
}

func usersEmailUniqueOnUpdate(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"), person(t, "2"))
	got, err := b.Users().Update(t.Context(), "2", func(u *user.User) error {
		u.Rename("Somebody", "Else")
		*u = *as(t, u, "user.1@example.com")
		return nil
	})
	wantErr(t, "Update", err, user.ErrEmailTaken)
	if got != nil {
		t.Error("Update returned a user beside its error")
	}
	sameUser(t, "Get 1", mustGet(t, b, "1"), person(t, "1").Snapshot())
	sameUser(t, "Get 2", mustGet(t, b, "2"), person(t, "2").Snapshot())
}

func usersOwnEmail(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	want := person(t, "1").Snapshot()
	want.Email, want.Version = "uSER.1@example.com", want.Version+1
	got, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
		*u = *restored(t, want)
		return nil
	})
	wantErr(t, "Update", err, nil)
	sameUser(t, "Update", got, want)
}

func usersEmailRaceOnAdd(t *testing.T, b storage.Backend) {
	ps := persons(t, crowd)
	for i := range ps {
		ps[i] = as(t, ps[i], "same@example.com")
	}
	oneWins(t, atOnce(func(i int) error { return b.Users().Add(t.Context(), ps[i]) }), user.ErrEmailTaken)
	n, err := b.Users().Count(t.Context(), user.Filter{})
	if wantErr(t, "Count", err, nil); n != 1 {
		t.Errorf("%d users were stored, want 1", n)
	}
}

func usersIDRace(t *testing.T, b storage.Backend) {
	ps := persons(t, crowd)
	for i := range ps {
		s := ps[i].Snapshot()
		s.ID = uuidA
		ps[i] = restored(t, s)
	}
	oneWins(t, atOnce(func(i int) error { return b.Users().Add(t.Context(), ps[i]) }), user.ErrIDTaken)
}

func usersEmailRaceOnUpdate(t *testing.T, b storage.Backend) {
	ps := persons(t, crowd)
	mustAdd(t, b, ps...)
	oneWins(t, atOnce(func(i int) error {
		_, err := b.Users().Update(t.Context(), ps[i].ID(), func(u *user.User) error {
			*u = *as(t, u, "same@example.com")
			return nil
		})
		return err
	}), user.ErrEmailTaken)
}

func usersFailedChange(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	got, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
		u.Rename("Somebody", "Else")
		return fmt.Errorf("wrapped: %w", errRefused)
	})
	wantErr(t, "Update", err, errRefused)
	if got != nil {
		t.Error("Update returned a user beside its error")
	}
	sameUser(t, "Get", mustGet(t, b, "1"), person(t, "1").Snapshot())
}

func usersUnchanged(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	for what, change := range map[string]func(*user.User){
		"untouched": func(*user.User) {},
		"set to the same": func(u *user.User) {
			s := u.Snapshot()
			u.Rename(s.FirstName, s.LastName)
			u.RecordSignIn(s.LastLogin)
		},
	} {
		got, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { change(u); return nil })
		wantErr(t, what, err, nil)
		sameUser(t, what+": Update", got, person(t, "1").Snapshot())
		sameUser(t, what+": Get", mustGet(t, b, "1"), person(t, "1").Snapshot())
	}
}

func usersVersion(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	for i := range int64(3) {
		want := person(t, "1").Version() + 1 + i
		got, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
			u.Rename(fmt.Sprint("Name ", i), "")
			return nil
		})
		if wantErr(t, "Update", err, nil); got.Version() != want {
			t.Errorf("Update returned version %d, want %d", got.Version(), want)
		}
		if v := mustGet(t, b, "1").Version(); v != want {
			t.Errorf("stored version is %d, want %d", v, want)
		}
	}
}

func usersConcurrentUpdates(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	for _, err := range atOnce(func(int) error {
		_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error {
			u.RecordSignIn(u.Snapshot().LastLogin.Add(time.Second)) // counts the updates in the last sign-in
			return nil
		})
		return err
	}) {
		wantErr(t, "Update", err, nil)
	}
	want := person(t, "1").Snapshot()
	want.LastLogin, want.Version = want.LastLogin.Add(crowd*time.Second), want.Version+crowd
	sameUser(t, "an update was lost", mustGet(t, b, "1"), want)
}

func usersCopy(t *testing.T, b storage.Backend) {
	added := person(t, "1")
	mustAdd(t, b, added)
	spoil := func(u *user.User) { u.Rename("Spoilt", "Spoilt") }
	spoil(added)
	got := mustGet(t, b, "1")
	sameUser(t, "after changing what was added", got, person(t, "1").Snapshot())
	spoil(got)
	sameUser(t, "after changing what Get returned", mustGet(t, b, "1"), person(t, "1").Snapshot())

	if got, err := b.Users().ByEmail(t.Context(), "user.1@example.com"); err == nil {
		spoil(got)
	}
	if list, err := b.Users().List(t.Context(), user.Query{Order: byID, Limit: 1}); err == nil && len(list) == 1 {
		spoil(list[0])
	}
	var kept *user.User
	if got, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { kept = u; return nil }); err == nil {
		spoil(got)
		spoil(kept)
	}
	sameUser(t, "after changing what ByEmail, List and Update returned", mustGet(t, b, "1"), person(t, "1").Snapshot())
}

func usersDelete(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, 3)...)
	err := b.Users().Delete(t.Context(), "2", func(u *user.User) error {
		sameUser(t, "Delete shows", u, person(t, "2").Snapshot())
		return nil
	})
	wantErr(t, "Delete", err, nil)
	_, err = b.Users().Get(t.Context(), "2")
	wantErr(t, "Get", err, user.ErrNotFound)
	_, err = b.Users().ByEmail(t.Context(), "user.2@example.com")
	wantErr(t, "ByEmail", err, user.ErrNotFound)
	left, err := b.Users().List(t.Context(), user.Query{Order: byID, Limit: 9})
	if wantErr(t, "List", err, nil); idsOf(left) != "1 3" {
		t.Errorf("left are %s, want 1 3", idsOf(left))
	}
	err = b.Users().Delete(t.Context(), "2", agree)
	wantErr(t, "second Delete", err, user.ErrNotFound)
}

func usersRefusedDelete(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	err := b.Users().Delete(t.Context(), "1", func(u *user.User) error {
		u.Rename("Somebody", "Else")
		return fmt.Errorf("wrapped: %w", errRefused)
	})
	wantErr(t, "Delete", err, errRefused)
	sameUser(t, "Get", mustGet(t, b, "1"), person(t, "1").Snapshot())
}

func usersDeletedEmail(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "1", agree), nil)
	again := as(t, person(t, "2"), "user.1@example.com")
	mustAdd(t, b, again)
	got, err := b.Users().ByEmail(t.Context(), "user.1@example.com")
	wantErr(t, "ByEmail", err, nil)
	sameUser(t, "ByEmail", got, again.Snapshot())
}

func usersDeleteRace(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	oneWins(t, atOnce(func(int) error {
		return b.Users().Delete(t.Context(), "1", agree)
	}), user.ErrNotFound)
}
