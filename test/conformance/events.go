package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// changeEvents are the checks of what is stored with a change: events and mails.
var changeEvents = []check{
	{"AreStoredWithEachChange", eventsStored},
	{"AreStoredWhenNothingChanges", eventsUnchanged},
	{"AreNotStoredWithARefusedChange", eventsRefused},
	{"BadEventRefusesTheChange", eventsBad},
	{"AreThoseOfTheLastRun", eventsOfTheLastRun},
	{"OutliveTheirRecords", eventsOutlive},
	{"RepeatedChangeStoresThemOnce", eventsRepeated},
}

// withSession are the checks of Users.WithSession.
var withSession = []check{
	{"ReturnsBoth", withSessionBoth},
	{"MissingIsNil", withSessionMissing},
}

// occurred returns the Effects of a change: an event and a mail with an id.
func occurred(id audit.ID) outbound.Effects {
	return func() ([]audit.Event, []*mail.Mail) { return []audit.Event{event(id, epoch)}, []*mail.Mail{caused(id)} }
}

// caused returns a mail.
func caused(id audit.ID) *mail.Mail {
	m, err := mail.Restore(due(mail.ID(id), epoch))
	if err != nil {
		panic(err)
	}
	return m
}

// wantEffects fails unless the events and the mails with these ids are all, the newest first.
func wantEffects(t *testing.T, b storage.Backend, want string) {
	t.Helper()
	wantEvents(t, b, audit.Query{Limit: 1000}, want)
	wantQueue(t, b, want)
}

func eventsStored(t *testing.T, b storage.Backend) {
	u, x := person(t, "1"), visit(t, "a", "1")
	wantErr(t, "Users.Add", b.Users().Add(t.Context(), u, occurred("e1")), nil)
	wantErr(t, "Sessions.Add", b.Sessions().Add(t.Context(), x, occurred("e2")), nil)
	_, err := b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
		x.RenewEpoch(inEpoch(9))
		return nil
	}, occurred("e3"), occurred("e4"))
	wantErr(t, "Sessions.Update", err, nil)
	_, err = b.Users().Update(t.Context(), "1", func(u *user.User) error {
		u.EndSessions(epoch)
		return nil
	}, occurred("e5"))
	wantErr(t, "Users.Update", err, nil)
	wantErr(t, "Users.Delete", b.Users().Delete(t.Context(), "1", agree, occurred("e6")), nil)
	wantEffects(t, b, "e6 e5 e4 e3 e2 e1")
	got := mustListEvents(t, b, audit.Query{Limit: 1})
	if len(got) != 1 || got[0] != event("e6", epoch) {
		t.Errorf("stored %+v", got)
	}
	same(t, "queued", mustGetMail(t, b, "e6"), caused("e6").Snapshot())
}

func eventsUnchanged(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	mustAddSession(t, b, visit(t, "a", "1"))
	_, err := b.Users().Update(t.Context(), "1", func(*user.User) error { return nil }, occurred("e1"))
	wantErr(t, "Users.Update", err, nil)
	_, err = b.Sessions().Update(t.Context(), "a", func(*session.Session) error { return nil }, occurred("e2"))
	wantErr(t, "Sessions.Update", err, nil)
	wantEffects(t, b, "e2 e1")
}

func eventsRefused(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	mustAddSession(t, b, visit(t, "a", "1"))
	rival := person(t, "2").Snapshot()
	rival.Email, rival.EmailKey = person(t, "1").Snapshot().Email, person(t, "1").Snapshot().EmailKey
	wantErr(t, "Users.Add", b.Users().Add(t.Context(), restored(t, rival), occurred("e1")), user.ErrEmailTaken)
	wantErr(t, "Sessions.Add", b.Sessions().Add(t.Context(), visit(t, "a", "2"), occurred("e2")), session.ErrExists)
	refuse := func(*user.User) error { return errRefused }
	_, err := b.Users().Update(t.Context(), "1", refuse, occurred("e3"))
	wantErr(t, "Users.Update", err, errRefused)
	wantErr(t, "Users.Delete", b.Users().Delete(t.Context(), "1", refuse, occurred("e4")), errRefused)
	_, err = b.Sessions().Update(t.Context(), "a", func(*session.Session) error { return errRefused }, occurred("e5"))
	wantErr(t, "Sessions.Update", err, errRefused)
	wantErr(t, "Users.Delete", b.Users().Delete(t.Context(), "2", agree, occurred("e6")), user.ErrNotFound)
	wantEffects(t, b, "")
}

func eventsBad(t *testing.T, b storage.Backend) {
	u, x := person(t, "1"), visit(t, "a", "1")
	mustAdd(t, b, u)
	mustAddSession(t, b, x)
	bad := func() ([]audit.Event, []*mail.Mail) {
		return []audit.Event{{ID: "e1", At: epoch}}, []*mail.Mail{caused("e1")}
	}
	wantErr(t, "Users.Add", b.Users().Add(t.Context(), person(t, "2"), bad), audit.ErrBadEvent)
	_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { u.EndSessions(epoch); return nil }, bad)
	wantErr(t, "Users.Update", err, audit.ErrBadEvent)
	wantErr(t, "Users.Delete", b.Users().Delete(t.Context(), "1", agree, bad), audit.ErrBadEvent)
	wantErr(t, "Sessions.Add", b.Sessions().Add(t.Context(), visit(t, "b", "1"), bad), audit.ErrBadEvent)
	_, err = b.Sessions().Update(t.Context(), "a", func(x *session.Session) error { x.RenewEpoch(inEpoch(9)); return nil }, bad)
	wantErr(t, "Sessions.Update", err, audit.ErrBadEvent)
	_, err = b.Users().Get(t.Context(), "2")
	wantErr(t, "Users.Get", err, user.ErrNotFound)
	_, err = b.Sessions().Get(t.Context(), "b")
	wantErr(t, "Sessions.Get", err, session.ErrNotFound)
	sameUser(t, "Get", mustGet(t, b, "1"), u.Snapshot())
	sameSession(t, "Get", mustGetSession(t, b, "a"), x.Snapshot())
	wantEffects(t, b, "")
}

// numbered are events of a change that has an id of its own for each call.
type numbered struct {
	name string
	runs int
}

// next is an outbound.Effects.
func (n *numbered) next() ([]audit.Event, []*mail.Mail) {
	n.runs++
	return occurred(n.last())()
}

// last returns the id of the event of the last call.
func (n *numbered) last() audit.ID { return audit.ID(fmt.Sprintf("%s-%02d", n.name, n.runs)) }

// eventsOfTheLastRun has changes of one user overtake each other, and deletions. Each that is made has one event, and the
// others have none.
func eventsOfTheLastRun(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	change := func(e outbound.Effects) error {
		_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { u.EndSessions(epoch); return nil }, e)
		return err
	}
	remove := func(e outbound.Effects) error { return b.Users().Delete(t.Context(), "1", agree, e) }
	var want []string
	for _, c := range []struct {
		name string
		do   func(outbound.Effects) error
		lost error // of those that come too late
	}{{"change", change, nil}, {"deletion", remove, user.ErrNotFound}} {
		var wg sync.WaitGroup
		ids, errs := make([]audit.ID, 8), make([]error, 8)
		for i := range ids {
			wg.Go(func() {
				e := numbered{name: fmt.Sprintf("%s-%d", c.name, i)}
				errs[i] = c.do(e.next)
				ids[i] = e.last()
			})
		}
		wg.Wait()
		for i, err := range errs {
			if err == nil {
				want = append(want, string(ids[i]))
			} else if c.lost == nil || !errors.Is(err, c.lost) {
				t.Errorf("%s: %v", ids[i], err)
			}
		}
	}
	slices.Sort(want)
	slices.Reverse(want)
	wantEffects(t, b, strings.Join(want, " "))
}

// eventsOutlive deletes a user and sessions right after changes of these.
func eventsOutlive(t *testing.T, b storage.Backend) {
	wantErr(t, "Users.Add", b.Users().Add(t.Context(), person(t, "1"), occurred("e1")), nil)
	wantErr(t, "Sessions.Add", b.Sessions().Add(t.Context(), visit(t, "a", "1"), occurred("e2")), nil)
	wantErr(t, "Sessions.Add", b.Sessions().Add(t.Context(), visit(t, "b", "2"), occurred("e3")), nil)
	wantErr(t, "Users.Delete", b.Users().Delete(t.Context(), "1", agree), nil)
	wantErr(t, "Sessions.DeleteOf", b.Sessions().DeleteOf(t.Context(), "1"), nil)
	_, err := b.Sessions().Sweep(t.Context(), epoch.AddDate(10, 0, 0), 9)
	wantErr(t, "Sessions.Sweep", err, nil)
	wantEffects(t, b, "e3 e2 e1")
	_, err = b.Sessions().Get(t.Context(), "a")
	wantErr(t, "Sessions.Get", err, session.ErrNotFound)
}

// eventsRepeated repeats changes whose answer was lost. The mail of the first was sent by then.
func eventsRepeated(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	mustAddSession(t, b, visit(t, "a", "1"))
	for n := range 3 {
		_, err := b.Users().Update(t.Context(), "1", func(u *user.User) error { u.EndSessions(epoch); return nil }, occurred("e1"))
		wantErr(t, "Users.Update", err, nil)
		_, err = b.Users().Update(t.Context(), "1", func(*user.User) error { return nil }, occurred("e2"))
		wantErr(t, "Users.Update", err, nil)
		_, err = b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
			x.RenewEpoch(inEpoch(int64(9 + n)))
			return nil
		}, occurred("e3"))
		wantErr(t, "Sessions.Update", err, nil)
		for _, id := range []mail.ID{"e1", "e2", "e3"}[min(3*n, 3):] { // after the first round
			_, err := b.Mails().Update(t.Context(), id, func(m *mail.Mail) error { m.Complete(epoch); return nil })
			wantErr(t, "Mails.Update", err, nil)
		}
	}
	wantEffects(t, b, "e3 e2 e1")
	got, err := b.Mails().Due(t.Context(), epoch, 9)
	wantMails(t, "Due", got, err, "")
}

func withSessionBoth(t *testing.T, b storage.Backend) {
	for _, id := range []user.ID{"1", "2", uuidA} {
		mustAdd(t, b, person(t, id))
	}
	mustAddSession(t, b, visit(t, "a", "1"))
	mustAddSession(t, b, visit(t, "b", uuidA))
	for _, c := range []struct {
		id      user.ID
		key     session.ID
		ofOwner user.ID
	}{{"1", "a", "1"}, {uuidA, "b", uuidA}, {"2", "b", uuidA}} {
		u, x, err := b.Users().WithSession(t.Context(), c.id, c.key)
		wantErr(t, "WithSession", err, nil)
		sameUser(t, "WithSession", u, person(t, c.id).Snapshot())
		sameSession(t, "WithSession", x, visit(t, c.key, c.ofOwner).Snapshot())
	}
}

func withSessionMissing(t *testing.T, b storage.Backend) {
	mustAdd(t, b, person(t, "1"))
	mustAddSession(t, b, visit(t, "a", "1"))
	for _, key := range []session.ID{"", "b", "A", "a ", "a\x00"} {
		u, x, err := b.Users().WithSession(t.Context(), "1", key)
		wantErr(t, "WithSession", err, nil)
		sameUser(t, "WithSession", u, person(t, "1").Snapshot())
		if x != nil {
			t.Errorf("WithSession found a session under %q: %+v", key, x.Snapshot())
		}
	}
	for _, id := range []user.ID{"2", "01", "", uuidA} {
		_, _, err := b.Users().WithSession(t.Context(), id, "a")
		wantErr(t, "WithSession", err, user.ErrNotFound)
	}
}
