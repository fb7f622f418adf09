package conformance

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/lockout"
)

var attempts = []check{
	{"MissingIsNew", attemptsMissing},
	{"FirstChangeStores", attemptsFirstChange},
	{"UpdateRoundTripsEveryField", attemptsRoundTrip},
	{"KeepsTimes", attemptsKeepTimes},
	{"SubjectsAreApart", attemptsSubjects},
	{"FailedChangeStoresNothing", attemptsFailedChange},
	{"UnchangedStoresNothing", attemptsUnchanged},
	{"ConcurrentFirstUpdatesAllCount", attemptsConcurrentFirst},
	{"ConcurrentUpdatesAllCount", attemptsConcurrent},
	{"ConcurrentUpdatesOfManySubjects", attemptsConcurrentSubjects},
	{"WhatIsReturnedIsACopy", attemptsCopy},
	{"DeleteOfRemovesTheAccountsAll", attemptsDeleteOf},
	{"SweepTakesTheExpired", attemptsSweep},
	{"SweepHonoursItsLimit", attemptsSweepLimit},
	{"SweptBeginsAnew", attemptsSweptAnew},
	{"EndedContext", attemptsEndedContext},
	{"ContextThatEndsDuringChange", attemptsContextEndsWithin},
}

var (
	account = lockout.ForAccount("user.1@example.com").At("192.0.2.1")
	other   = lockout.ForAccount("user.2@example.com").At("192.0.2.1")
	counts  = lockout.Policy{Free: 1000, Leak: 10 * time.Minute}
)

// failed returns a record without zero fields.
func failed(t *testing.T, s lockout.Subject) *lockout.Record {
	t.Helper()
	return recorded(t, lockout.Snapshot{Subject: s, Failures: 5, Last: epoch, Expires: epoch.Add(time.Hour + time.Millisecond), Version: 1})
}

func recorded(t *testing.T, s lockout.Snapshot) *lockout.Record {
	t.Helper()
	r, err := lockout.Restore(s)
	if err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return r
}

func mustGetRecord(t *testing.T, b storage.Backend, s lockout.Subject) *lockout.Record {
	t.Helper()
	r, err := b.Attempts().Get(t.Context(), s)
	if err != nil || r == nil {
		t.Fatalf("Attempts.Get(%s): got %v, %v", s, r, err)
	}
	return r
}

// mustStore stores records of version 1 for subjects without a record.
func mustStore(t *testing.T, b storage.Backend, rs ...*lockout.Record) {
	t.Helper()
	for _, r := range rs {
		got, err := b.Attempts().Update(t.Context(), r.Snapshot().Subject, func(x *lockout.Record) error { *x = *r; return nil })
		if err != nil {
			t.Fatalf("Attempts.Update(%s): %v", r.Snapshot().Subject, err)
		}
		sameRecord(t, "Update", got, r.Snapshot())
	}
}

func sameRecord(t *testing.T, what string, got *lockout.Record, want lockout.Snapshot) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: got no record", what)
		return
	}
	same(t, what, got.Snapshot(), want)
}

// fail is a change that counts one more failure.
func fail(r *lockout.Record) error {
	r.Fail(epoch, counts)
	return nil
}

func attemptsMissing(t *testing.T, b storage.Backend) {
	mustStore(t, b, failed(t, account))
	for _, s := range []lockout.Subject{other, lockout.ForAddress("192.0.2.1"), account + " ", account[:len(account)-1],
		lockout.Subject(strings.ToUpper(string(account)))} {
		sameRecord(t, "Get", mustGetRecord(t, b, s), lockout.Snapshot{Subject: s})
		_, err := b.Attempts().Update(t.Context(), s, func(r *lockout.Record) error {
			sameRecord(t, "Update shows", r, lockout.Snapshot{Subject: s})
			return errRefused
		})
		wantErr(t, "Update", err, errRefused)
	}
}

func attemptsFirstChange(t *testing.T, b storage.Backend) {
	want := lockout.New(account)
	for version := range int64(3) {
		want.Fail(epoch, counts)
		got, err := b.Attempts().Update(t.Context(), account, fail)
		wantErr(t, "Update", err, nil)
		s := want.Snapshot()
		s.Version = version + 1
		sameRecord(t, "Update", got, s)
		sameRecord(t, "Get", mustGetRecord(t, b, account), s)
	}
}

func attemptsRoundTrip(t *testing.T, b storage.Backend) {
	want := failed(t, account).Snapshot()
	mustNotBeZero(t, want)
	mustStore(t, b, failed(t, account))
	sameRecord(t, "Get", mustGetRecord(t, b, account), want)

	want.Failures, want.Last, want.Expires = 0, epoch.Add(time.Millisecond), epoch.Add(999*time.Hour)
	got, err := b.Attempts().Update(t.Context(), account, func(r *lockout.Record) error { *r = *recorded(t, want); return nil })
	wantErr(t, "Update", err, nil)
	want.Version = 2
	sameRecord(t, "Update", got, want)
	sameRecord(t, "Get", mustGetRecord(t, b, account), want)

	want.Failures = math.MaxInt32
	_, err = b.Attempts().Update(t.Context(), account, func(r *lockout.Record) error { *r = *recorded(t, want); return nil })
	wantErr(t, "Update", err, nil)
	want.Version = 3
	sameRecord(t, "Get", mustGetRecord(t, b, account), want)
}

func attemptsKeepTimes(t *testing.T, b storage.Backend) {
	for i, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC),
		time.Unix(0, 0).UTC(),
		time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	} {
		s := lockout.Snapshot{Subject: lockout.ForAddress(fmt.Sprint(i)), Failures: 1, Last: at, Expires: at, Version: 1}
		mustStore(t, b, recorded(t, s))
		sameRecord(t, "Get", mustGetRecord(t, b, s.Subject), s)
	}
}

func attemptsSubjects(t *testing.T, b storage.Backend) {
	subjects := []lockout.Subject{account, other, lockout.ForAccount("user.1@example.com").FromNewNetworks(), lockout.ForAddress("192.0.2.1"),
		lockout.ForAddress("192.0.2.2")}
	for i, s := range subjects {
		for range i + 1 {
			_, err := b.Attempts().Update(t.Context(), s, fail)
			wantErr(t, "Update", err, nil)
		}
	}
	for i, s := range subjects {
		if n := mustGetRecord(t, b, s).Snapshot().Failures; n != i+1 {
			t.Errorf("%s: %d failures, want %d", s, n, i+1)
		}
	}
}

func attemptsFailedChange(t *testing.T, b storage.Backend) {
	mustStore(t, b, failed(t, account))
	for s, want := range map[lockout.Subject]lockout.Snapshot{account: failed(t, account).Snapshot(), other: {Subject: other}} {
		got, err := b.Attempts().Update(t.Context(), s, func(r *lockout.Record) error {
			r.Fail(epoch.Add(5*time.Hour), counts)
			return fmt.Errorf("wrapped: %w", errRefused)
		})
		wantErr(t, "Update", err, errRefused)
		if got != nil {
			t.Error("Update returned a record beside its error")
		}
		sameRecord(t, "Get", mustGetRecord(t, b, s), want)
	}
}

func attemptsUnchanged(t *testing.T, b storage.Backend) {
	mustStore(t, b, failed(t, account))
	for s, want := range map[lockout.Subject]lockout.Snapshot{account: failed(t, account).Snapshot(), other: {Subject: other}} {
		got, err := b.Attempts().Update(t.Context(), s, func(r *lockout.Record) error {
			if s == other {
				r.Forgive() // there is nothing to forgive
			}
			return nil
		})
		wantErr(t, "Update", err, nil)
		sameRecord(t, "Update", got, want)
		sameRecord(t, "Get", mustGetRecord(t, b, s), want)
	}
	if n, err := b.Attempts().Sweep(t.Context(), epoch.Add(1000*time.Hour), 9); err != nil || n != 1 {
		t.Errorf("Sweep: got %d, %v; want the one that was stored", n, err)
	}
}

// attemptsConcurrentFirst counts many failures of a subject without a record concurrently: one creates the record, and
// none is lost.
func attemptsConcurrentFirst(t *testing.T, b storage.Backend) {
	for i := range 4 {
		s := lockout.ForAddress(fmt.Sprint(i))
		for _, err := range atOnce(func(int) error { _, err := b.Attempts().Update(t.Context(), s, fail); return err }) {
			wantErr(t, "Update", err, nil)
		}
		want := lockout.New(s)
		for range crowd {
			want.Fail(epoch, counts)
		}
		v := want.Snapshot()
		v.Version = crowd
		sameRecord(t, "a failure was lost", mustGetRecord(t, b, s), v)
	}
}

func attemptsConcurrent(t *testing.T, b storage.Backend) {
	mustStore(t, b, failed(t, account))
	for _, err := range atOnce(func(int) error { _, err := b.Attempts().Update(t.Context(), account, fail); return err }) {
		wantErr(t, "Update", err, nil)
	}
	got := mustGetRecord(t, b, account).Snapshot()
	if want := failed(t, account).Snapshot(); got.Failures != want.Failures+crowd || got.Version != want.Version+crowd {
		t.Errorf("a failure was lost: %d of version %d, want %d of version %d", got.Failures, got.Version, want.Failures+crowd,
			want.Version+crowd)
	}
}

// attemptsConcurrentSubjects counts for an account and for an address, as a sign-in does.
func attemptsConcurrentSubjects(t *testing.T, b storage.Backend) {
	subjects := []lockout.Subject{account, other, lockout.ForAddress("192.0.2.1"), lockout.ForAddress("192.0.2.2")}
	for _, err := range atOnce(func(i int) error {
		for n := range subjects {
			if _, err := b.Attempts().Update(t.Context(), subjects[(i+n)%len(subjects)], fail); err != nil {
				return err
			}
		}
		return nil
	}) {
		wantErr(t, "Update", err, nil)
	}
	for _, s := range subjects {
		if n := mustGetRecord(t, b, s).Snapshot().Failures; n != crowd {
			t.Errorf("%s: %d failures, want %d", s, n, crowd)
		}
	}
}

func attemptsCopy(t *testing.T, b storage.Backend) {
	spoil := func(r *lockout.Record) { r.Fail(epoch.Add(99*time.Hour), counts) }
	var kept *lockout.Record
	got, err := b.Attempts().Update(t.Context(), account, func(r *lockout.Record) error {
		kept = r
		*r = *failed(t, account)
		return nil
	})
	wantErr(t, "Update", err, nil)
	spoil(got)
	spoil(kept)
	got = mustGetRecord(t, b, account)
	sameRecord(t, "after changing what Update gave", got, failed(t, account).Snapshot())
	spoil(got)
	got, err = b.Attempts().Update(t.Context(), account, func(*lockout.Record) error { return nil })
	wantErr(t, "Update", err, nil)
	sameRecord(t, "after changing what Get returned", got, failed(t, account).Snapshot())
	spoil(got)
	spoil(mustGetRecord(t, b, other))
	sameRecord(t, "after changing what Update returned", mustGetRecord(t, b, account), failed(t, account).Snapshot())
	sameRecord(t, "after changing a new one", mustGetRecord(t, b, other), lockout.Snapshot{Subject: other})
}

func attemptsDeleteOf(t *testing.T, b storage.Backend) {
	one, two := lockout.ForAccount("user.1@example.com"), lockout.ForAccount("user.2@example.com")
	gone := []lockout.Subject{one.At("192.0.2.1"), one.At("2001:db8::1"), one.At(""), one.FromNewNetworks()}
	first, end := one.Range()
	stay := []lockout.Subject{two.At("192.0.2.1"), two.FromNewNetworks(), lockout.ForAddress("192.0.2.1"), first[:len(first)-1], end, "0", "z"}
	for _, s := range slices.Concat(gone, stay) {
		mustStore(t, b, failed(t, s))
	}
	for _, want := range []int{len(gone), 0} {
		if n, err := b.Attempts().DeleteOf(t.Context(), one); err != nil || n != want {
			t.Errorf("DeleteOf: got %d, %v; want %d", n, err, want)
		}
	}
	for _, s := range gone {
		sameRecord(t, "of the account", mustGetRecord(t, b, s), lockout.Snapshot{Subject: s})
	}
	for _, s := range stay {
		sameRecord(t, "of another", mustGetRecord(t, b, s), failed(t, s).Snapshot())
	}
	mustStore(t, b, failed(t, one.FromNewNetworks()))
}

func forgotten(t *testing.T, name string, at time.Time) *lockout.Record {
	t.Helper()
	s := failed(t, lockout.ForAddress(name)).Snapshot()
	s.Expires = at
	return recorded(t, s)
}

func attemptsSweep(t *testing.T, b storage.Backend) {
	mustStore(t, b,
		forgotten(t, "before", epoch.Add(-time.Millisecond)), forgotten(t, "now", epoch), forgotten(t, "after", epoch.Add(time.Millisecond)))
	if n, err := b.Attempts().Sweep(t.Context(), epoch, 9); err != nil || n != 2 {
		t.Errorf("Sweep: got %d, %v; want 2", n, err)
	}
	for name, want := range map[string]int64{"before": 0, "now": 0, "after": 1} {
		if v := mustGetRecord(t, b, lockout.ForAddress(name)).Snapshot().Version; v != want {
			t.Errorf("%s: version %d, want %d", name, v, want)
		}
	}
	if n, err := b.Attempts().Sweep(t.Context(), epoch, 9); err != nil || n != 0 {
		t.Errorf("second Sweep: got %d, %v; want 0", n, err)
	}
}

func attemptsSweepLimit(t *testing.T, b storage.Backend) {
	for i := range 5 {
		mustStore(t, b, forgotten(t, fmt.Sprint(i), epoch.Add(time.Duration(-i)*time.Hour)))
	}
	mustStore(t, b, forgotten(t, "live", epoch.Add(time.Hour)))
	for _, c := range []struct{ limit, want int }{{0, 0}, {2, 2}, {2, 2}, {2, 1}, {2, 0}} {
		if n, err := b.Attempts().Sweep(t.Context(), epoch, c.limit); err != nil || n != c.want {
			t.Errorf("Sweep of %d: got %d, %v; want %d", c.limit, n, err, c.want)
		}
	}
	if v := mustGetRecord(t, b, lockout.ForAddress("live")).Snapshot().Version; v != 1 {
		t.Error("Sweep took a record that had not expired")
	}
}

func attemptsSweptAnew(t *testing.T, b storage.Backend) {
	mustStore(t, b, forgotten(t, "a", epoch))
	if n, err := b.Attempts().Sweep(t.Context(), epoch, 9); err != nil || n != 1 {
		t.Errorf("Sweep: got %d, %v; want 1", n, err)
	}
	mustStore(t, b, forgotten(t, "a", epoch.Add(time.Hour)))
}

func attemptsEndedContext(t *testing.T, b storage.Backend) {
	mustStore(t, b, failed(t, account))
	for want, ctx := range ended(t) {
		_, err := b.Attempts().Get(ctx, account)
		wantErr(t, "Get", err, want)
		for _, s := range []lockout.Subject{account, other} {
			_, err = b.Attempts().Update(ctx, s, func(*lockout.Record) error {
				t.Error("closure ran under an ended context")
				return nil
			})
			wantErr(t, "Update", err, want)
		}
		_, err = b.Attempts().DeleteOf(ctx, lockout.ForAccount("user.1@example.com"))
		wantErr(t, "DeleteOf", err, want)
		_, err = b.Attempts().Sweep(ctx, epoch.Add(1000*time.Hour), 9)
		wantErr(t, "Sweep", err, want)
	}
	sameRecord(t, "Get", mustGetRecord(t, b, account), failed(t, account).Snapshot())
}

// attemptsContextEndsWithin ends the context during a change. The change may succeed or fail, but the result must be
// the stored state.
func attemptsContextEndsWithin(t *testing.T, b storage.Backend) {
	mustStore(t, b, failed(t, account))
	for s, was := range map[lockout.Subject]lockout.Snapshot{account: failed(t, account).Snapshot(), other: {Subject: other}} {
		ctx, cancel := context.WithCancel(t.Context())
		got, err := b.Attempts().Update(ctx, s, func(r *lockout.Record) error {
			cancel()
			return fail(r)
		})
		if err == nil {
			was = got.Snapshot()
		} else {
			wantErr(t, "Update", err, context.Canceled)
		}
		sameRecord(t, "Get", mustGetRecord(t, b, s), was)
		_, err = b.Attempts().Update(t.Context(), s, fail)
		wantErr(t, "Update afterwards", err, nil)
	}
}
