// Package conformance tests that a storage backend keeps the contract of the ports in ports/outbound, case by case. A
// backend runs it from a test of its own.
package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/credential"
	"roster/domain/session"
	"roster/domain/user"
)

// check is one case. Its backend is started, empty and not shared.
type check struct {
	name string
	run  func(t *testing.T, b storage.Backend)
}

// port has the checks of one port.
type port struct {
	name   string
	checks []check
}

// Backend runs the whole contract. open returns a started, empty backend for one check, and registers its cleanup
// with t.
func Backend(t *testing.T, open func(t *testing.T) storage.Backend) {
	users := usersOf(severalSends, archivedUsers, archivedSessions, archivedAttempts, archivedEvents, archivedMails)
	run(t, open, append(users, port{"Sessions", sessions}, port{"SessionList", sessionLists}, port{"Attempts", attempts},
		port{"Audit", audits}, port{"AuditList", auditLists}, port{"Mails", mails})...)
}

// UsersOf runs the part of the contract that stores or reads users, for a backend that has a second way to store users
// only. ChangeEvents and WithSession store and read users too. Of the archive it runs the checks of users.
func UsersOf(t *testing.T, open func(t *testing.T) storage.Backend) {
	run(t, open, usersOf(oneSend, archivedUsers)...)
}

// The numbers of records in a large batch: more than the 500 that a backend sends at once, and fewer for the second way
// of storing users.
const (
	severalSends = 510
	oneSend      = 60
)

// usersOf returns that part, with the checks of an archive for these kinds of records; see forKinds.
func usersOf(large int, kinds ...anyKind) []port {
	archives := append(forKinds(large, kinds...), archives...)
	return []port{
		{"Users", users}, {"Links", links}, {"List", lists}, {"IDs", ids},
		{"ChangeEvents", changeEvents}, {"WithSession", withSession}, {"Archive", archives},
	}
}

func run(t *testing.T, open func(t *testing.T) storage.Backend, ports ...port) {
	for _, port := range ports {
		t.Run(port.name, func(t *testing.T) {
			for _, c := range port.checks {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
			}
		})
	}
}

// Shared runs the checks of two instances of the service on one storage. open returns two started backends on one
// empty storage, and registers their cleanup with t.
func Shared(t *testing.T, open func(t *testing.T) (one, other storage.Backend)) {
	t.Run("OneOfTwoStaffStays", func(t *testing.T) {
		one, other := open(t)
		staffRace(t, one, other, 8)
	})
}

// crowd is the number of concurrent calls in a check for races.
const crowd = 8

// epoch is the time of the fixtures. Backends must keep its milliseconds, and the microseconds of users' times.
var (
	epoch  = time.Date(2024, 2, 29, 23, 59, 59, 123e6, time.UTC)
	joined = epoch.Add(456 * time.Microsecond)
)

// agree permits every deletion, even of the last active staff user: most users of the fixtures are staff.
func agree(u *user.User) error {
	u.AllowLastStaff()
	return nil
}

// ids has ids of both kinds.
const (
	uuidA user.ID = "01900000-0000-7000-8000-00000000000a"
	uuidB user.ID = "01900000-0000-7000-8000-00000000000b"
)

// person returns a user without zero fields.
func person(t *testing.T, id user.ID) *user.User {
	t.Helper()
	return restored(t, user.Snapshot{
		ID: id, Email: "User." + string(id) + "@example.com", EmailKey: "user." + string(id) + "@example.com",
		FirstName: "Zoë", LastName: "Łuczak", Active: true, Staff: true,
		Password: credential.RestoreHash("scheme$1$salt$" + string(id)),
		Joined:   joined, LastLogin: joined.Add(time.Hour), SessionEpoch: 3,
		SessionsValidAfter: joined.Add(time.Minute), Networks: networks, EmailState: user.EmailVerified, Contact: contact, Version: 7,
	})
}

// networks has known networks of a user.
var networks = user.RestoreNetworks("0123456789abcdef0123456789abcdef:20000 fedcba9876543210fedcba9876543210:19999")

// contact has every field.
var contact = user.Contact{
	NewEmail: "Ünder.way@example.com", NewEmailKey: "ünder.way@example.com", UndoEmail: "Former@example.com", UndoKey: "former@example.com",
	UndoSince: epoch, Locale: "de-CH",
}

// inEpoch returns a user of session epoch n.
func inEpoch(n int64) *user.User {
	u, err := user.Restore(user.Snapshot{ID: "1", Email: "a", EmailKey: "a", Joined: joined, SessionEpoch: n, Version: 1})
	if err != nil {
		panic(err)
	}
	return u
}

// persons returns users with the counted ids 1 to n that differ only in unique fields.
func persons(t *testing.T, n int) []*user.User {
	t.Helper()
	out := make([]*user.User, n)
	for i := range out {
		out[i] = person(t, user.IntegerID(int64(i+1)))
	}
	return out
}

// visit returns a session without zero fields.
func visit(t *testing.T, id session.ID, owner user.ID) *session.Session {
	t.Helper()
	return resumed(t, session.Snapshot{
		ID: id, User: owner, Epoch: 2, Created: epoch, Expires: epoch.Add(24 * time.Hour),
		Generation: 3, RotatedAt: epoch.Add(time.Minute), UsedAt: epoch.Add(2 * time.Minute), RevokedAt: epoch.Add(time.Hour),
		Reason:    session.SignedOut,
		UserAgent: "Agent/1.0 (ünïcode)", Address: "2001:db8::1", Browser: strings.Repeat("0f", 32), Version: 5,
	})
}

func restored(t *testing.T, s user.Snapshot) *user.User {
	t.Helper()
	u, err := user.Restore(s)
	if err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return u
}

func resumed(t *testing.T, s session.Snapshot) *session.Session {
	t.Helper()
	x, err := session.Restore(s)
	if err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return x
}

// mustNotBeZero fails when a field of a fixture is zero: the loss of such a field would not be found.
func mustNotBeZero(t *testing.T, snapshot any, except ...string) {
	t.Helper()
	v := reflect.ValueOf(snapshot)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() && !slices.Contains(except, name) {
			t.Fatalf("fixture leaves %s zero", name)
		}
		if c, ok := v.Field(i).Interface().(user.Contact); ok {
			mustNotBeZero(t, c)
		}
	}
}

// sameUser compares states; a time of another zone or precision is another state.
func sameUser(t *testing.T, what string, got *user.User, want user.Snapshot) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: got no user", what)
		return
	}
	same(t, what, got.Snapshot(), want)
}

func sameSession(t *testing.T, what string, got *session.Session, want session.Snapshot) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: got no session", what)
		return
	}
	same(t, what, got.Snapshot(), want)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if a, b := g.Field(i).Interface(), w.Field(i).Interface(); a != b {
			t.Errorf("%s: %s is %s, want %s", what, g.Type().Field(i).Name, shown(a), shown(b))
		}
	}
}

func shown(v any) string {
	if h, ok := v.(credential.Hash); ok {
		return fmt.Sprintf("%q", h.Encoded()) // a hash of a fixture, not a secret
	}
	return fmt.Sprintf("%+v", v)
}

func mustAdd(t *testing.T, b storage.Backend, us ...*user.User) {
	t.Helper()
	for _, u := range us {
		if err := b.Users().Add(t.Context(), u); err != nil {
			t.Fatalf("Users.Add(%s): %v", u.ID(), err)
		}
	}
}

func mustGet(t *testing.T, b storage.Backend, id user.ID) *user.User {
	t.Helper()
	u, err := b.Users().Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Users.Get(%s): %v", id, err)
	}
	return u
}

func mustAddSession(t *testing.T, b storage.Backend, xs ...*session.Session) {
	t.Helper()
	for _, x := range xs {
		if err := b.Sessions().Add(t.Context(), x); err != nil {
			t.Fatalf("Sessions.Add(%s): %v", x.ID(), err)
		}
	}
}

func mustGetSession(t *testing.T, b storage.Backend, id session.ID) *session.Session {
	t.Helper()
	x, err := b.Sessions().Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Sessions.Get(%s): %v", id, err)
	}
	return x
}

// wantErr fails unless errors.Is(err, want).
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// atOnce calls f for 0 to crowd-1 concurrently and returns the errors.
func atOnce(f func(i int) error) []error {
	fs := make([]func() error, crowd)
	for i := range fs {
		fs[i] = func() error { return f(i) }
	}
	return together(fs...)
}

// together calls functions concurrently and returns their errors.
func together(fs ...func() error) []error {
	errs := make([]error, len(fs))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() {
			<-start
			errs[i] = f()
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWins fails unless one of errs is nil and the others are refusal.
func oneWins(t *testing.T, errs []error, refusal error) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else {
			wantErr(t, "a loser", err, refusal)
		}
	}
	if winners != 1 {
		t.Errorf("%d of %d won, want 1", winners, len(errs))
	}
}

func idsOf(us []*user.User) string {
	out := make([]string, len(us))
	for i, u := range us {
		out[i] = string(u.ID())
	}
	return strings.Join(out, " ")
}
