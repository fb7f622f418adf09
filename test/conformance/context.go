package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
)

// ended returns contexts that have ended, with the error that a method must then return.
func ended(t *testing.T) map[error]context.Context {
	t.Helper()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), epoch)
	t.Cleanup(cancel)
	return map[error]context.Context{context.Canceled: canceled, context.DeadlineExceeded: late}
}

func usersEndedContext(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, 2)...)
	never := func(*user.User) error {
		t.Error("closure ran under an ended context")
		return nil
	}
	for want, ctx := range ended(t) {
		_, err := b.Users().Get(ctx, "1")
		wantErr(t, "Get", err, want)
		_, err = b.Users().ByEmail(ctx, "user.1@example.com")
		wantErr(t, "ByEmail", err, want)
		_, err = b.Users().List(ctx, user.Query{Order: byID, Limit: 9})
		wantErr(t, "List", err, want)
		_, err = b.Users().Count(ctx, user.Filter{})
		wantErr(t, "Count", err, want)
		_, err = b.Users().Update(ctx, "1", never)
		wantErr(t, "Update", err, want)
		_, err = b.UserIDs().NewUserID(ctx)
		wantErr(t, "NewUserID", err, want)
		wantErr(t, "Add", b.Users().Add(ctx, person(t, "3")), want)
		wantErr(t, "Delete", b.Users().Delete(ctx, "1", never), want)
		wantErr(t, "Ping", b.Ping(ctx), want)
	}
	sameUser(t, "Get", mustGet(t, b, "1"), person(t, "1").Snapshot())
	n, err := b.Users().Count(t.Context(), user.Filter{})
	if wantErr(t, "Count", err, nil); n != 2 {
		t.Errorf("there are %d users, want the 2 from before", n)
	}
	if id, err := b.UserIDs().NewUserID(t.Context()); err != nil || id != "3" {
		t.Errorf("NewUserID: got %q, %v; want 3: an ended context must not count", id, err)
	}
}

// usersContextEndsWithin ends the context during a change. The change may succeed or fail, but the result must be the
// stored state.
func usersContextEndsWithin(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.Users().Update(ctx, "1", func(u *user.User) error {
		u.Rename("Somebody", "Else")
		cancel()
		return nil
	})
	want := person(t, "1").Snapshot()
	if err == nil {
		want.FirstName, want.LastName, want.Version = "Somebody", "Else", want.Version+1
	} else {
		wantErr(t, "Update", err, context.Canceled)
	}
	sameUser(t, "Get", mustGet(t, b, "1"), want)

	ctx, cancel = context.WithCancel(t.Context())
	err = b.Users().Delete(ctx, "1", func(u *user.User) error { cancel(); return agree(u) })
	_, gone := b.Users().Get(t.Context(), "1")
	if told, done := err == nil, errors.Is(gone, user.ErrNotFound); told != done {
		t.Errorf("Delete returned %v, and Get then %v", err, gone)
	}
	if err != nil {
		wantErr(t, "Delete", err, context.Canceled)
	}
}

// usersDeadlineWithin lets the caller's deadline pass at many points of an operation. The errors that a driver then
// gets from its connection or its server must not be reported as an outage.
func usersDeadlineWithin(t *testing.T, b storage.Backend) {
	mustAdd(t, b, persons(t, 20)...)
	rename := func(u *user.User) error {
		u.Rename(u.Snapshot().FirstName+"x", "")
		return nil
	}
	for what, do := range map[string]func(context.Context) error{
		"Ping": b.Ping,
		"List": func(ctx context.Context) error {
			_, err := b.Users().List(ctx, user.Query{Order: byID, Limit: 20})
			return err
		},
		"Count":  func(ctx context.Context) error { _, err := b.Users().Count(ctx, user.Filter{}); return err },
		"Update": func(ctx context.Context) error { _, err := b.Users().Update(ctx, "1", rename); return err },
	} {
		for i := range 60 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
			err := do(ctx)
			cancel()
			if err != nil && (!errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable) {
				t.Errorf("%s: got error %v, want the context's error alone", what, err)
				break
			}
		}
	}
}

func sessionsEndedContext(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, visit(t, "a", "1"))
	never := func(*session.Session) error {
		t.Error("closure ran under an ended context")
		return nil
	}
	for want, ctx := range ended(t) {
		_, err := b.Sessions().Get(ctx, "a")
		wantErr(t, "Get", err, want)
		_, err = b.Sessions().Update(ctx, "a", never)
		wantErr(t, "Update", err, want)
		_, err = b.Sessions().Sweep(ctx, epoch.Add(1000*time.Hour), 9)
		wantErr(t, "Sweep", err, want)
		wantErr(t, "Add", b.Sessions().Add(ctx, visit(t, "b", "1")), want)
		wantErr(t, "DeleteOf", b.Sessions().DeleteOf(ctx, "1"), want)
	}
	sameSession(t, "Get", mustGetSession(t, b, "a"), visit(t, "a", "1").Snapshot())
	_, err := b.Sessions().Get(t.Context(), "b")
	wantErr(t, "Get of what was not added", err, session.ErrNotFound)
}
