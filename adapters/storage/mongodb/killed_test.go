package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage/mongodb"
	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
)

// occurred returns what a port stores with a change: events and mails with some ids.
func occurred(ids ...audit.ID) outbound.Effects {
	return func() (events []audit.Event, mails []*mail.Mail) {
		for _, id := range ids {
			events = append(events, audit.Event{ID: id, At: epoch, Kind: audit.Changed, User: "1", Detail: "first_name"})
			m, err := mail.Queue(mail.New{ID: mail.ID(id), Kind: mail.EmailChanged, User: "1", To: user.RestoreEmail("a", "a")}, epoch)
			if err != nil {
				panic(err)
			}
			mails = append(mails, m)
		}
		return events, mails
	}
}

// trail returns the ids of all events, the newest first.
func trail(t *testing.T, s *mongodb.Store) string {
	t.Helper()
	events, err := s.AuditTrail().List(t.Context(), audit.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, string(e.ID))
	}
	return strings.Join(ids, " ")
}

// queue returns the ids of all mails, in order.
func queue(t *testing.T, s *mongodb.Store) string {
	t.Helper()
	mails, err := s.Mails().List(t.Context(), mail.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range mails {
		ids = append(ids, string(m.ID()))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// deed is a change of the user, or the session, with the number n, whose events are "n".
type deed struct {
	name    string
	prepare func(ctx context.Context, s *mongodb.Store, u *user.User, x *session.Session) error
	do      func(ctx context.Context, s *mongodb.Store, u *user.User, x *session.Session, e outbound.Effects) error
	done    func(ctx context.Context, s *mongodb.Store, n string) bool
	first   bool // the event is stored before the change
}

func userIsThere(ctx context.Context, s *mongodb.Store, n string) bool {
	_, err := s.Users().Get(ctx, user.ID(n))
	return err == nil
}

func addUser(ctx context.Context, s *mongodb.Store, u *user.User, _ *session.Session) error {
	return s.Users().Add(ctx, u)
}

var deeds = []deed{
	{
		name: "user added",
		do: func(ctx context.Context, s *mongodb.Store, u *user.User, _ *session.Session, e outbound.Effects) error {
			return s.Users().Add(ctx, u, e)
		},
		done: userIsThere,
	}, {
		name: "user changed", prepare: addUser,
		do: func(ctx context.Context, s *mongodb.Store, u *user.User, _ *session.Session, e outbound.Effects) error {
			_, err := s.Users().Update(ctx, u.ID(), func(u *user.User) error { u.Rename("Ann", ""); return nil }, e)
			return err
		},
		done: func(ctx context.Context, s *mongodb.Store, n string) bool {
			u, err := s.Users().Get(ctx, user.ID(n))
			return err == nil && u.Snapshot().FirstName == "Ann"
		},
	}, {
		name: "user deleted", prepare: addUser, first: true,
		do: func(ctx context.Context, s *mongodb.Store, u *user.User, _ *session.Session, e outbound.Effects) error {
			return s.Users().Delete(ctx, u.ID(), func(*user.User) error { return nil }, e)
		},
		done: func(ctx context.Context, s *mongodb.Store, n string) bool { return !userIsThere(ctx, s, n) },
	}, {
		name: "session added",
		do: func(ctx context.Context, s *mongodb.Store, _ *user.User, x *session.Session, e outbound.Effects) error {
			return s.Sessions().Add(ctx, x, e)
		},
		done: func(ctx context.Context, s *mongodb.Store, n string) bool {
			_, err := s.Sessions().Get(ctx, session.ID(n))
			return err == nil
		},
	}, {
		name: "session changed",
		prepare: func(ctx context.Context, s *mongodb.Store, _ *user.User, x *session.Session) error {
			return s.Sessions().Add(ctx, x)
		},
		do: func(ctx context.Context, s *mongodb.Store, _ *user.User, x *session.Session, e outbound.Effects) error {
			_, err := s.Sessions().Update(ctx, x.ID(), func(x *session.Session) error { x.RecordUse(epoch.Add(time.Hour)); return nil }, e)
			return err
		},
		done: func(ctx context.Context, s *mongodb.Store, n string) bool {
			x, err := s.Sessions().Get(ctx, session.ID(n))
			return err == nil && x.LastUsed().After(epoch)
		},
	},
}

// visit returns a session of user 1.
func visit(n string) *session.Session {
	return session.Start(session.ID(n), "1", 0, epoch, session.Rules{RefreshLifetime: 24 * time.Hour}, session.Client{})
}

// The variables that make the test binary a process that is killed.
const (
	killedDoes = "ROSTER_TEST_KILLED_DOES" // the index of a deed
	killedAt   = "ROSTER_TEST_KILLED_AT"   // the number of the command before which it is killed, and of what it changes
	killedURI  = "ROSTER_TEST_KILLED_URI"
)

// TestNoKillSeparatesAnEventFromItsChange kills a process with SIGKILL before each command of each kind of change in turn.
// After a change that was made, the next start finds its event and its mail, once. Before a change that was not made there is
// neither, except for deletions.
func TestNoKillSeparatesAnEventFromItsChange(t *testing.T) {
	if os.Getenv(killedURI) != "" {
		toBeKilled(t)
		return
	}
	for mode, of := range map[string]func(*testing.T, string) string{"plain": plain, "sharded": sharded} {
		for i, d := range deeds {
			if mode == "sharded" && d.name != "user added" { // the others are as in plain mode
				continue
			}
			t.Run(mode+"/"+d.name, func(t *testing.T) {
				uri := of(t, testenv.MongoDB(t))
				s := start(t, uri)
				made := 0
				for n := 1; ; n++ {
					if d.prepare != nil {
						if err := d.prepare(t.Context(), s, person(t, user.ID(fmt.Sprint(n))), visit(fmt.Sprint(n))); err != nil {
							t.Fatal(err)
						}
					}
					killed := kill(t, uri, i, n)
					next := open(t, uri)
					done := d.done(t.Context(), next, fmt.Sprint(n))
					for what, ids := range map[string]string{"events": trail(t, next), "mails": queue(t, next)} {
						count := strings.Count(" "+ids+" ", fmt.Sprintf(" %d ", n))
						if done && count != 1 || !done && count > 0 && !d.first || count > 1 {
							t.Errorf("killed before command %d: made %t, %d %s", n, done, count, what)
						}
					}
					shut(t, next)
					if done && killed {
						made++
					}
					if !killed {
						if !done || made == 0 {
							t.Errorf("%d commands, %d kills after the change was made; want one at least", n-1, made)
						}
						break
					}
				}
			})
		}
	}
}

// kill has a process make a change, and reports whether it was killed.
func kill(t *testing.T, uri string, deed, n int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+strings.Split(t.Name(), "/")[0]+"$")
	cmd.Env = append(os.Environ(), killedURI+"="+uri, fmt.Sprintf("%s=%d", killedDoes, deed), fmt.Sprintf("%s=%d", killedAt, n))
	out, err := cmd.CombinedOutput()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil {
		t.Fatalf("the other process: %v\n%s", err, out)
	}
	return false
}

// toBeKilled is that process.
func toBeKilled(t *testing.T) {
	t.Helper()
	var i int
	var left atomic.Int64 // commands until it is killed
	var n int64
	if _, err := fmt.Sscan(os.Getenv(killedDoes)+" "+os.Getenv(killedAt), &i, &n); err != nil {
		t.Fatal(err)
	}
	s := create(t, os.Getenv(killedURI), mongodb.Options{Monitor: &event.CommandMonitor{
		Started: func(context.Context, *event.CommandStartedEvent) {
			if left.Add(-1) == 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	left.Store(n)
	key := fmt.Sprint(n)
	if err := deeds[i].do(t.Context(), s, person(t, user.ID(key)), visit(key), occurred(audit.ID(key))); err != nil {
		t.Error(err)
	}
	shut(t, s)
}
