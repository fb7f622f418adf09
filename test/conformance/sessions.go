package conformance

import (
	"fmt"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/session"
	"roster/domain/user"
)

var sessions = []check{
	{"MissingIsNotFound", sessionsMissing},
	{"AddRoundTripsEveryField", sessionsRoundTrip},
	{"AddRoundTripsEmptyFields", sessionsRoundTripEmpty},
	{"UpdateRoundTripsEveryField", sessionsUpdateRoundTrip},
	{"KeepsTimes", sessionsKeepTimes},
	{"IDIsUnique", sessionsIDUnique},
	{"OneOfManyAddsWins", sessionsAddRace},
	{"FailedChangeStoresNothing", sessionsFailedChange},
	{"UnchangedKeepsVersion", sessionsUnchanged},
	{"OneOfManyRotationsWins", sessionsRotationRace},
	{"ConcurrentUpdatesAllCount", sessionsConcurrentUpdates},
	{"WhatIsReturnedIsACopy", sessionsCopy},
	{"DeleteOfRemovesTheOwnersAll", sessionsDeleteOf},
	{"OutliveTheirUser", sessionsOutliveUser},
	{"SweepTakesTheExpired", sessionsSweep},
	{"SweepHonoursItsLimit", sessionsSweepLimit},
	{"EndedContext", sessionsEndedContext},
}

func sessionsMissing(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"))
	for _, id := range []session.ID{"b", "A", "", "a "} {
		_, err := b.Sessions().Get(t.Context(), id)
		wantErr(t, "Get", err, session.ErrNotFound)
		_, err = b.Sessions().Update(t.Context(), id, func(*session.Session) error {
			t.Error("closure ran for a session that is not there")
			return nil
		})
		wantErr(t, "Update", err, session.ErrNotFound)
	}
}

func sessionsRoundTrip(t *testing.T, b storage.Backend) {
	for _, owner := range []user.ID{"1", "9223372036854775807", uuidA} {
		x := visit(t, session.ID("of"+owner), owner)
		mustNotBeZero(t, x.Snapshot())
		mustAddSession(t, b, x)
		sameSession(t, "Get", mustGetSession(t, b, x.ID()), x.Snapshot())
	}
}

func sessionsRoundTripEmpty(t *testing.T, b storage.Backend) {
	x := resumed(t, session.Snapshot{ID: "a", User: "1", Created: epoch, Expires: epoch, Version: 1})
	mustAddSession(t, b, x)
	sameSession(t, "Get", mustGetSession(t, b, "a"), x.Snapshot())
}

func sessionsUpdateRoundTrip(t *testing.T, b storage.Backend) {
	first := resumed(t, session.Snapshot{
		ID: "a", User: "2", Created: epoch.Add(-time.Hour), Expires: epoch.Add(time.Hour), Version: 1,
	})
	mustAddSession(t, b, first)
	want := visit(t, "a", "1").Snapshot()
	got, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
		*x = *visit(t, "a", "1")
		return nil
	})
	want.Version = 2
	wantErr(t, "Update", err, nil)
	sameSession(t, "Update", got, want)
	sameSession(t, "Get", mustGetSession(t, b, "a"), want)

	_, err = b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
		*x = *first
		return nil
	})
	wantErr(t, "Update back", err, nil)
	want = first.Snapshot()
	want.Version = 3
	sameSession(t, "Get after emptying", mustGetSession(t, b, "a"), want)
}

func sessionsKeepTimes(t *testing.T, b storage.Backend) {
	for i, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC),
		time.Unix(0, 0).UTC(),
		time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	} {
		s := visit(t, session.ID(fmt.Sprint("s", i)), "1").Snapshot()
		s.Created, s.Expires, s.RotatedAt, s.UsedAt, s.RevokedAt = at, at, at, at, at
		mustAddSession(t, b, resumed(t, s))
		sameSession(t, "Get", mustGetSession(t, b, s.ID), s)
	}
}

func sessionsIDUnique(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"))
	wantErr(t, "Add", b.Sessions().Add(t.Context(), visit(t, "a", "2")), session.ErrExists)
	sameSession(t, "Get", mustGetSession(t, b, "a"), visit(t, "a", "1").Snapshot())
}

func sessionsAddRace(t *testing.T, b storage.Backend) {
	x := visit(t, "a", "1")
	oneWins(t, atOnce(func(int) error { return b.Sessions().Add(t.Context(), x) }), session.ErrExists)
}

func sessionsFailedChange(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"))
	got, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
		x.RenewEpoch(inEpoch(9))
		return fmt.Errorf("wrapped: %w", errRefused)
	})
	wantErr(t, "Update", err, errRefused)
	if got != nil {
		t.Error("Update returned a session beside its error")
	}
	sameSession(t, "Get", mustGetSession(t, b, "a"), visit(t, "a", "1").Snapshot())
}

func sessionsUnchanged(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"))
	got, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
		x.RenewEpoch(inEpoch(x.Snapshot().Epoch))
		return nil
	})
	wantErr(t, "Update", err, nil)
	sameSession(t, "Update", got, visit(t, "a", "1").Snapshot())
	sameSession(t, "Get", mustGetSession(t, b, "a"), visit(t, "a", "1").Snapshot())
}

// rotating are rules that refuse a used refresh token without revoking the session.
var rotating = session.Rules{RefreshLifetime: time.Hour, Rotate: true}

func sessionsRotationRace(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, session.Start("a", "1", 0, epoch, rotating, session.Client{}))
	oneWins(t, atOnce(func(int) error {
		_, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
			return x.Rotate(0, epoch.Add(time.Minute), rotating)
		})
		return err
	}), session.ErrBlacklisted)
	if s := mustGetSession(t, b, "a").Snapshot(); s.Generation != 1 || s.Version != 2 {
		t.Errorf("generation is %d and version %d, want 1 and 2", s.Generation, s.Version)
	}
}

func sessionsConcurrentUpdates(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"))
	for _, err := range atOnce(func(int) error {
		_, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
			x.RenewEpoch(inEpoch(x.Snapshot().Epoch + 1))
			return nil
		})
		return err
	}) {
		wantErr(t, "Update", err, nil)
	}
	want := visit(t, "a", "1").Snapshot()
	want.Epoch, want.Version = want.Epoch+crowd, want.Version+crowd
	sameSession(t, "an update was lost", mustGetSession(t, b, "a"), want)
}

func sessionsCopy(t *testing.T, b storage.Backend) {
	spoil := func(x *session.Session) { x.RenewEpoch(inEpoch(99)) }
	added := visit(t, "a", "1")
	mustAddSession(t, b, added)
	spoil(added)
	got := mustGetSession(t, b, "a")
	sameSession(t, "after changing what was added", got, visit(t, "a", "1").Snapshot())
	spoil(got)
	var kept *session.Session
	if got, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error { kept = x; return nil }); err == nil {
		spoil(got)
		spoil(kept)
	}
	sameSession(t, "after changing what Get and Update returned", mustGetSession(t, b, "a"), visit(t, "a", "1").Snapshot())
}

func sessionsDeleteOf(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"), visit(t, "b", "11"), visit(t, "c", "1"), visit(t, "d", uuidA), visit(t, "e", uuidB))
	for _, owner := range []user.ID{"1", uuidA, "2"} { // the last has none
		wantErr(t, "DeleteOf", b.Sessions().DeleteOf(t.Context(), owner), nil)
	}
	for id, want := range map[session.ID]error{"a": session.ErrNotFound, "b": nil, "c": session.ErrNotFound, "d": session.ErrNotFound,
		"e": nil} {
		_, err := b.Sessions().Get(t.Context(), id)
		wantErr(t, "Get "+string(id), err, want)
	}
}

// sessionsOutliveUser checks that deleting a user keeps the sessions: the application deletes the user first, and the
// sessions afterwards.
func sessionsOutliveUser(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "without a user", "2"))
	mustAdd(t, b, person(t, "1"))
	mustAddSession(t, b, visit(t, "a", "1"))
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "1", agree), nil)
	mustGetSession(t, b, "a")
	wantErr(t, "DeleteOf", b.Sessions().DeleteOf(t.Context(), "1"), nil)
	_, err := b.Sessions().Get(t.Context(), "a")
	wantErr(t, "Get", err, session.ErrNotFound)
}

func expiring(t *testing.T, id session.ID, at time.Time) *session.Session {
	t.Helper()
	s := visit(t, id, "1").Snapshot()
	s.Expires = at
	return resumed(t, s)
}

func sessionsSweep(t *testing.T, b storage.Backend) {
	mustAddSession(t, b,
		expiring(t, "before", epoch.Add(-time.Millisecond)), expiring(t, "now", epoch), expiring(t, "after", epoch.Add(time.Millisecond)))
	if n, err := b.Sessions().Sweep(t.Context(), epoch, 9); err != nil || n != 2 {
		t.Errorf("Sweep: got %d, %v; want 2", n, err)
	}
	for id, want := range map[session.ID]error{"before": session.ErrNotFound, "now": session.ErrNotFound, "after": nil} {
		_, err := b.Sessions().Get(t.Context(), id)
		wantErr(t, "Get "+string(id), err, want)
	}
	if n, err := b.Sessions().Sweep(t.Context(), epoch, 9); err != nil || n != 0 {
		t.Errorf("second Sweep: got %d, %v; want 0", n, err)
	}
}

func sessionsSweepLimit(t *testing.T, b storage.Backend) {
	for i := range 5 {
		mustAddSession(t, b, expiring(t, session.ID(fmt.Sprint("old", i)), epoch.Add(time.Duration(-i)*time.Hour)))
	}
	mustAddSession(t, b, expiring(t, "live", epoch.Add(time.Hour)))
	for _, want := range []int{2, 2, 1, 0} {
		if n, err := b.Sessions().Sweep(t.Context(), epoch, 2); err != nil || n != want {
			t.Errorf("Sweep: got %d, %v; want %d", n, err, want)
		}
	}
	mustGetSession(t, b, "live")
}
