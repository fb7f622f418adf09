package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// kind has the fixtures of one kind of record for the checks of all collections.
type kind[T comparable] struct {
	name   string
	unset  []string // fields that records leave zero, since another field excludes them
	of     func(outbound.Archive) outbound.Collection[T]
	nth    func(n int) T                          // a record without zero fields; keys grow with n, from 0 to 9,999
	empty  func(T) T                              // the same without the optional fields
	other  func(T) T                              // another state under the same key
	broken []func(T) T                            // each breaks a rule and keeps the key
	get    func(*testing.T, storage.Backend, T) T // reads the record by the port of the kind; zero for none
	swept  func(*testing.T, storage.Backend, int) (int, error)
}

// anyKind is a kind with records of any type.
type anyKind interface {
	roundTrip(t *testing.T, b storage.Backend)
	pages(t *testing.T, b storage.Backend)
	keyTaken(t *testing.T, b storage.Backend)
	largeBatch(t *testing.T, b storage.Backend, n int)
	nothing(t *testing.T, b storage.Backend)
	badRecord(t *testing.T, b storage.Backend)
	keyRace(t *testing.T, b storage.Backend)
	sweep(t *testing.T, b storage.Backend)
	endedContext(t *testing.T, b storage.Backend)
}

// found returns the state of an aggregate that a port returned, or the zero value if it does not exist.
func found[A, T any](t *testing.T, what string, v *A, err, missing error, snapshot func(*A) T) (none T) {
	t.Helper()
	if err == nil {
		return snapshot(v)
	}
	if !errors.Is(err, missing) {
		t.Errorf("%s: %v", what, err)
	}
	return none
}

var archivedUsers = kind[user.Snapshot]{
	name: "user",
	of:   outbound.Archive.Users,
	nth: func(n int) user.Snapshot {
		id := user.IntegerID(int64(3 + 3*n)) // 3, 6, 9, 12: the order of texts is another
		return user.Snapshot{
			ID: id, Email: "User." + string(id) + "@example.com", EmailKey: "user." + string(id) + "@example.com",
			FirstName: "Zoë", LastName: "Łuczak", Active: true, Staff: true, Password: credential.RestoreHash("scheme$1$salt$" + string(id)),
			Joined: joined, LastLogin: joined.Add(time.Hour), SessionEpoch: 3, SessionsValidAfter: joined.Add(time.Minute), Networks: networks,
			EmailState: user.EmailVerified, Contact: contact, Version: 7,
		}
	},
	empty: func(s user.Snapshot) user.Snapshot {
		return user.Snapshot{ID: s.ID, Email: s.Email, EmailKey: s.EmailKey, Joined: s.Joined, Version: 1}
	},
	other: func(s user.Snapshot) user.Snapshot {
		s.Email, s.EmailKey, s.FirstName, s.Staff, s.Version = "other."+s.Email, "other."+s.EmailKey, "Bo", false, 1
		return s
	},
	broken: []func(user.Snapshot) user.Snapshot{
		func(s user.Snapshot) user.Snapshot { s.Email = ""; return s },
		func(s user.Snapshot) user.Snapshot { s.EmailKey = ""; return s },
		func(s user.Snapshot) user.Snapshot { s.Joined = time.Time{}; return s },
		func(s user.Snapshot) user.Snapshot { s.SessionEpoch = -1; return s },
		func(s user.Snapshot) user.Snapshot { s.Version = 0; return s },
	},
	get: func(t *testing.T, b storage.Backend, s user.Snapshot) user.Snapshot {
		t.Helper()
		u, err := b.Users().Get(t.Context(), s.ID)
		return found(t, "Users.Get", u, err, user.ErrNotFound, (*user.User).Snapshot)
	},
}

var archivedSessions = kind[session.Snapshot]{
	name: "session",
	of:   outbound.Archive.Sessions,
	nth: func(n int) session.Snapshot {
		return session.Snapshot{
			ID: session.ID(fmt.Sprintf("%024d", n)), User: uuidA, Epoch: 2, Created: epoch, Expires: epoch.Add(24 * time.Hour),
			Generation: 3, RotatedAt: epoch.Add(time.Minute), UsedAt: epoch.Add(2 * time.Minute), RevokedAt: epoch.Add(time.Hour),
			Reason:    session.SignedOut,
			UserAgent: "Agent/1.0 (ünïcode)", Address: "2001:db8::1", Browser: strings.Repeat("0f", 32), Version: 5,
		}
	},
	empty: func(s session.Snapshot) session.Snapshot {
		return session.Snapshot{ID: s.ID, User: "7", Created: s.Created, Expires: s.Expires, Version: 1}
	},
	other: func(s session.Snapshot) session.Snapshot {
		s.User, s.Generation, s.UserAgent, s.Version = "7", 9, "", 1
		return s
	},
	broken: []func(session.Snapshot) session.Snapshot{
		func(s session.Snapshot) session.Snapshot { s.User = ""; return s },
		func(s session.Snapshot) session.Snapshot { s.Created = time.Time{}; return s },
		func(s session.Snapshot) session.Snapshot { s.Epoch = -1; return s },
		func(s session.Snapshot) session.Snapshot { s.Generation = -1; return s },
		func(s session.Snapshot) session.Snapshot { s.Version = 0; return s },
	},
	get: func(t *testing.T, b storage.Backend, s session.Snapshot) session.Snapshot {
		t.Helper()
		x, err := b.Sessions().Get(t.Context(), s.ID)
		return found(t, "Sessions.Get", x, err, session.ErrNotFound, (*session.Session).Snapshot)
	},
	swept: func(t *testing.T, b storage.Backend, limit int) (int, error) {
		t.Helper()
		return b.Sessions().Sweep(t.Context(), epoch.Add(24*time.Hour), limit)
	},
}

var archivedAttempts = kind[lockout.Snapshot]{
	name: "record of failures",
	of:   outbound.Archive.Attempts,
	nth: func(n int) lockout.Snapshot {
		return lockout.Snapshot{
			Subject: lockout.Subject(fmt.Sprintf("account:%032d", n)), Failures: 5, Last: epoch, Expires: epoch.Add(24 * time.Hour), Version: 4,
		}
	},
	empty: func(s lockout.Snapshot) lockout.Snapshot { s.Failures, s.Version = 0, 1; return s },
	other: func(s lockout.Snapshot) lockout.Snapshot { s.Failures, s.Version = 9, 1; return s },
	broken: []func(lockout.Snapshot) lockout.Snapshot{
		func(s lockout.Snapshot) lockout.Snapshot { s.Failures = -1; return s },
		func(s lockout.Snapshot) lockout.Snapshot { s.Last = time.Time{}; return s },
		func(s lockout.Snapshot) lockout.Snapshot { s.Version = 0; return s },
	},
	get: func(t *testing.T, b storage.Backend, s lockout.Snapshot) lockout.Snapshot {
		t.Helper()
		r := mustGetRecord(t, b, s.Subject).Snapshot()
		if r.Version == 0 {
			return lockout.Snapshot{}
		}
		return r
	},
	swept: func(t *testing.T, b storage.Backend, limit int) (int, error) {
		t.Helper()
		return b.Attempts().Sweep(t.Context(), epoch.Add(24*time.Hour), limit)
	},
}

var archivedEvents = kind[audit.Event]{
	name:  "event",
	of:    outbound.Archive.Events,
	nth:   func(n int) audit.Event { return event(audit.ID(fmt.Sprintf("e%04d", n)), epoch) },
	empty: func(e audit.Event) audit.Event { return audit.Event{ID: e.ID, At: e.At, Kind: e.Kind} },
	other: func(e audit.Event) audit.Event { e.Kind, e.Detail = "another", ""; return e },
	broken: []func(audit.Event) audit.Event{
		func(e audit.Event) audit.Event { e.At = time.Time{}; return e },
		func(e audit.Event) audit.Event { e.Kind = ""; return e },
	},
	get: func(t *testing.T, b storage.Backend, e audit.Event) audit.Event {
		t.Helper()
		for _, x := range mustListEvents(t, b, audit.Query{Limit: 10_000}) {
			if x.ID == e.ID {
				return x
			}
		}
		return audit.Event{}
	},
	swept: func(t *testing.T, b storage.Backend, limit int) (int, error) {
		t.Helper()
		return b.AuditTrail().Sweep(t.Context(), epoch.Add(time.Millisecond), limit)
	},
}
