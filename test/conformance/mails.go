package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/mail"
	"roster/ports/outbound"
)

var mails = []check{
	{"AddRoundTripsEveryField", mailsRoundTrip},
	{"AddOfNothing", mailsAddNothing},
	{"DuplicateIsKeptAsItWas", mailsDuplicate},
	{"DuplicateWithinABatch", mailsDuplicateWithin},
	{"ConcurrentAddsOfOneMail", mailsAddRace},
	{"MissingIsNotFound", mailsMissing},
	{"EachChangeCountsVersion", mailsVersion},
	{"FailedChangeStoresNothing", mailsFailedChange},
	{"OneOfManyAttemptsBegins", mailsAttemptRace},
	{"ConcurrentUpdatesAllCount", mailsConcurrent},
	{"WhatIsReturnedIsACopy", mailsCopy},
	{"DueAreThoseThatWait", mailsDue},
	{"DueInTheirOrder", mailsDueOrder},
	{"BegunAreThoseToTheAddress", mailsBegun},
	{"ListNewestFirst", mailsList},
	{"SweepTakesTheFinished", mailsSweep},
	{"SweepTakesTheOldestFirst", mailsSweepOldest},
	{"EndedContext", mailsEndedContext},
}

const mailbox = "ann@bücher.example"

// queued returns a mail that waits. Its only zero field is Finished.
func queued(id mail.ID) mail.Snapshot {
	return mail.Snapshot{
		ID: id, Kind: mail.PasswordReset, User: uuidA, To: "Ann@Bücher.example", Key: mailbox, Locale: "de-CH, de;q=0.8", Epoch: 3,
		Detail: "Agent/1.0 (ünïcode)", Queued: epoch, State: mail.Waiting, Due: epoch.Add(time.Minute), Attempts: 2,
		Reason: "451 try again läter", Version: 4,
	}
}

// finished returns a mail in a state from a time on. Its only zero field is Due.
func finished(id mail.ID, as mail.State, at time.Time) mail.Snapshot {
	s := queued(id)
	s.State, s.Due, s.Finished = as, time.Time{}, at
	return s
}

// due returns a mail that has not been tried.
func due(id mail.ID, at time.Time) mail.Snapshot {
	s := queued(id)
	s.Due, s.Attempts = at, 0
	return s
}

func restoredMail(t *testing.T, s mail.Snapshot) *mail.Mail {
	t.Helper()
	m, err := mail.Restore(s)
	if err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return m
}

func mustQueue(t *testing.T, b storage.Backend, states ...mail.Snapshot) {
	t.Helper()
	ms := make([]*mail.Mail, len(states))
	for i, s := range states {
		ms[i] = restoredMail(t, s)
	}
	if err := b.Mails().Add(t.Context(), ms...); err != nil {
		t.Fatalf("Mails.Add: %v", err)
	}
}

// listedMail returns a mail, or the zero Snapshot if there is none.
func listedMail(t *testing.T, b storage.Backend, id mail.ID) (none mail.Snapshot) {
	t.Helper()
	all, err := b.Mails().List(t.Context(), mail.Query{Limit: 10_000})
	wantErr(t, "Mails.List", err, nil)
	for _, m := range all {
		if m.ID() == id {
			return m.Snapshot()
		}
	}
	return none
}

func mustGetMail(t *testing.T, b storage.Backend, id mail.ID) mail.Snapshot {
	t.Helper()
	s := listedMail(t, b, id)
	if s.ID == "" {
		t.Fatalf("there is no mail %s", id)
	}
	return s
}

// wantMails fails unless a call returned the mails with these ids, in this order.
func wantMails(t *testing.T, what string, got []*mail.Mail, err error, want string) {
	t.Helper()
	ids := make([]string, len(got))
	for i, m := range got {
		ids[i] = string(m.ID())
	}
	if err != nil || strings.Join(ids, " ") != want {
		t.Errorf("%s: got %q, %v; want %q", what, strings.Join(ids, " "), err, want)
	}
}

// wantQueue fails unless these mails are all, the newest first.
func wantQueue(t *testing.T, b storage.Backend, want string) {
	t.Helper()
	got, err := b.Mails().List(t.Context(), mail.Query{Limit: 1000})
	wantMails(t, "all mails", got, err, want)
}

func mailsRoundTrip(t *testing.T, b storage.Backend) {
	waits, sent := queued("01900000-0000-7000-8000-000000000001"), finished("01900000-0000-7000-8000-000000000002", mail.Sent, epoch)
	mustNotBeZero(t, waits, "Finished")
	mustNotBeZero(t, sent, "Due")
	least := mail.Snapshot{
		ID: "01900000-0000-7000-8000-000000000003", Kind: "of another version", To: "a", Key: "a", Queued: epoch, State: mail.Waiting, Due: epoch,
		Version: 1,
	}
	all := []mail.Snapshot{waits, sent, least}
	mustQueue(t, b, all...)
	listed, err := b.Mails().List(t.Context(), mail.Query{Limit: 9})
	if wantErr(t, "List", err, nil); len(listed) != len(all) {
		t.Fatalf("there are %d mails, want %d", len(listed), len(all))
	}
	for i, want := range all {
		same(t, "List", listed[len(all)-1-i].Snapshot(), want)
	}
}

func mailsAddNothing(t *testing.T, b storage.Backend) {
	mustQueue(t, b)
	wantQueue(t, b, "")
}

func mailsDuplicate(t *testing.T, b storage.Backend) {
	was := finished("a", mail.Sent, epoch)
	mustQueue(t, b, was)
	mustQueue(t, b, due("b", epoch), due("a", epoch), due("c", epoch))
	same(t, "List", mustGetMail(t, b, "a"), was)
	wantQueue(t, b, "c b a")
}

func mailsDuplicateWithin(t *testing.T, b storage.Backend) {
	mustQueue(t, b, queued("a"), queued("b"), queued("a"))
	wantQueue(t, b, "b a")
}

func mailsAddRace(t *testing.T, b storage.Backend) {
	for _, err := range atOnce(func(i int) error {
		return b.Mails().Add(t.Context(), restoredMail(t, queued("a")), restoredMail(t, queued(mail.ID(fmt.Sprintf("b%02d", i/2)))))
	}) {
		wantErr(t, "Add", err, nil)
	}
	got, err := b.Mails().List(t.Context(), mail.Query{Limit: 1000})
	if err != nil || len(got) != 1+crowd/2 {
		t.Errorf("there are %d mails, %v; want %d", len(got), err, 1+crowd/2)
	}
}

func mailsMissing(t *testing.T, b storage.Backend) {
	mustQueue(t, b, queued("a"))
	for _, id := range []mail.ID{"", "b", "A", "a ", "a\x00"} {
		_, err := b.Mails().Update(t.Context(), id, func(*mail.Mail) error { t.Errorf("a change of %q ran", id); return nil })
		wantErr(t, fmt.Sprintf("Update(%q)", id), err, mail.ErrNotFound)
	}
}

// begin is an attempt at a time.
func begin(at time.Time) func(*mail.Mail) error {
	return func(m *mail.Mail) error { return m.Begin(at) }
}

func mailsVersion(t *testing.T, b storage.Backend) {
	want := due("a", epoch)
	mustQueue(t, b, want)
	m, err := b.Mails().Update(t.Context(), "a", func(*mail.Mail) error { return nil })
	wantErr(t, "Update", err, nil)
	same(t, "Update that changes nothing", m.Snapshot(), want)
	m, err = b.Mails().Update(t.Context(), "a", begin(epoch))
	wantErr(t, "Update", err, nil)
	want.Attempts, want.Due, want.Reason, want.Version = 1, epoch.Add(mail.Lease), "", want.Version+1
	same(t, "Update", m.Snapshot(), want)
	same(t, "List", mustGetMail(t, b, "a"), want)
	_, err = b.Mails().Update(t.Context(), "a", func(m *mail.Mail) error { m.Complete(epoch.Add(time.Second)); return nil })
	wantErr(t, "Update", err, nil)
	want.State, want.Due, want.Finished, want.Reason, want.Version = mail.Sent, time.Time{}, epoch.Add(time.Second), "", want.Version+1
	same(t, "List", mustGetMail(t, b, "a"), want)
}

func mailsFailedChange(t *testing.T, b storage.Backend) {
	mustQueue(t, b, due("a", epoch))
	_, err := b.Mails().Update(t.Context(), "a", func(m *mail.Mail) error { return errors.Join(m.Begin(epoch), errRefused) })
	wantErr(t, "Update", err, errRefused)
	same(t, "List", mustGetMail(t, b, "a"), due("a", epoch))
}

func mailsAttemptRace(t *testing.T, b storage.Backend) {
	mustQueue(t, b, due("a", epoch))
	oneWins(t, atOnce(func(int) error {
		_, err := b.Mails().Update(t.Context(), "a", begin(epoch))
		return err
	}), mail.ErrNotDue)
	if s := mustGetMail(t, b, "a"); s.Attempts != 1 {
		t.Errorf("there are %d attempts, want 1", s.Attempts)
	}
}

func mailsConcurrent(t *testing.T, b storage.Backend) {
	mustQueue(t, b, due("a", epoch))
	for _, err := range atOnce(func(i int) error {
		_, err := b.Mails().Update(t.Context(), "a", func(m *mail.Mail) error {
			s := m.Snapshot()
			return m.Begin(s.Due) // each begins when the lease of the former ends
		})
		return err
	}) {
		wantErr(t, "Update", err, nil)
	}
	s := mustGetMail(t, b, "a")
	if want := due("a", epoch).Version + crowd; s.Attempts != crowd || s.Version != want {
		t.Errorf("there are %d attempts and version %d, want %d and %d", s.Attempts, s.Version, crowd, want)
	}
}

func mailsCopy(t *testing.T, b storage.Backend) {
	want := due("a", epoch)
	m := restoredMail(t, want)
	wantErr(t, "Add", b.Mails().Add(t.Context(), m), nil)
	spoil := func(ms ...*mail.Mail) {
		for _, m := range ms {
			m.Drop(epoch, "spoilt")
		}
		same(t, "after a change of a copy", mustGetMail(t, b, "a"), want)
	}
	spoil(m)
	for what, list := range map[string]func() ([]*mail.Mail, error){
		"Due":  func() ([]*mail.Mail, error) { return b.Mails().Due(t.Context(), epoch, 9) },
		"List": func() ([]*mail.Mail, error) { return b.Mails().List(t.Context(), mail.Query{Limit: 9}) },
	} {
		ms, err := list()
		wantMails(t, what, ms, err, "a")
		spoil(ms...)
	}
	var kept *mail.Mail
	got, err := b.Mails().Update(t.Context(), "a", func(m *mail.Mail) error { kept = m; return m.Begin(epoch) })
	wantErr(t, "Update", err, nil)
	want = got.Snapshot()
	spoil(kept, got)
}

func mailsDue(t *testing.T, b storage.Backend) {
	mustQueue(t, b,
		due("before", epoch.Add(-time.Millisecond)), due("now", epoch), due("later", epoch.Add(time.Millisecond)),
		finished("sent", mail.Sent, epoch), finished("failed", mail.Failed, epoch), finished("dropped", mail.Dropped, epoch))
	got, err := b.Mails().Due(t.Context(), epoch, 9)
	wantMails(t, "Due", got, err, "before now")
	same(t, "Due", got[0].Snapshot(), due("before", epoch.Add(-time.Millisecond)))
	_, err = b.Mails().Update(t.Context(), "now", begin(epoch))
	wantErr(t, "Update", err, nil)
	got, err = b.Mails().Due(t.Context(), epoch.Add(mail.Lease-time.Millisecond), 9)
	wantMails(t, "Due during an attempt", got, err, "before later")
	got, err = b.Mails().Due(t.Context(), epoch.Add(mail.Lease), 9)
	wantMails(t, "Due after the lease", got, err, "before later now")
}

func mailsDueOrder(t *testing.T, b storage.Backend) {
	for i, id := range []mail.ID{"d", "a", "c", "e", "b"} {
		mustQueue(t, b, due(id, epoch.Add(time.Duration(i)*time.Second)))
	}
	later := epoch.Add(time.Hour)
	for limit, want := range map[int]string{-1: "", 0: "", 1: "d", 3: "d a c", 9: "d a c e b"} {
		got, err := b.Mails().Due(t.Context(), later, limit)
		wantMails(t, fmt.Sprintf("Due, limit %d", limit), got, err, want)
	}
}

func mailsBegun(t *testing.T, b storage.Backend) {
	other := finished("x", mail.Sent, epoch)
	other.Key = mailbox + ".example"
	mustQueue(t, b,
		finished("g", mail.Sent, epoch), finished("b", mail.Sent, epoch.Add(time.Hour)), finished("f", mail.Sent, epoch.Add(-time.Millisecond)),
		finished("d", mail.Dropped, epoch), finished("e", mail.Failed, epoch), queued("c"), due("a", epoch), other)
	for limit, want := range map[int]string{0: "", 1: "g", 2: "g c", 9: "g c b"} {
		got, err := b.Mails().Begun(t.Context(), mailbox, epoch, limit)
		wantMails(t, fmt.Sprintf("Begun, limit %d", limit), got, err, want)
	}
	_, err := b.Mails().Update(t.Context(), "a", begin(epoch))
	wantErr(t, "Update", err, nil)
	got, err := b.Mails().Begun(t.Context(), mailbox, epoch, 9)
	wantMails(t, "Begun after an attempt", got, err, "g c b a")
	same(t, "Begun", got[0].Snapshot(), finished("g", mail.Sent, epoch))
	_, err = b.Mails().Update(t.Context(), "c", func(m *mail.Mail) error { m.Drop(epoch, "too many"); return nil })
	wantErr(t, "Update", err, nil)
	got, err = b.Mails().Begun(t.Context(), mailbox, epoch.Add(time.Millisecond), 9)
	wantMails(t, "Begun after a mail was dropped", got, err, "b a")
	got, err = b.Mails().Begun(t.Context(), "other@example.com", epoch, 9)
	wantMails(t, "Begun of an address without mails", got, err, "")
}

func mailsList(t *testing.T, b storage.Backend) {
	mustQueue(t, b,
		queued("b"), finished("e", mail.Sent, epoch), finished("a", mail.Failed, epoch), queued("d"),
		finished("c", mail.Dropped, epoch), queued("f"))
	for _, c := range []struct {
		q    mail.Query
		want string
	}{
		{mail.Query{Limit: 9}, "f e d c b a"}, {mail.Query{Limit: 2}, "f e"}, {mail.Query{Limit: 2, Before: "e"}, "d c"},
		{mail.Query{Limit: 9, Before: "cc"}, "c b a"}, {mail.Query{Limit: 9, Before: "a"}, ""},
		{mail.Query{Limit: 9, State: mail.Waiting}, "f d b"}, {mail.Query{Limit: 9, State: mail.Waiting, Before: "d"}, "b"},
		{mail.Query{Limit: 1, State: mail.Waiting, Before: "f"}, "d"},
		{mail.Query{Limit: 9, State: mail.Failed}, "a"}, {mail.Query{Limit: 9, State: mail.Sent}, "e"},
		{mail.Query{Limit: 9, State: mail.Dropped}, "c"},
	} {
		got, err := b.Mails().List(t.Context(), c.q)
		wantMails(t, fmt.Sprintf("List(%+v)", c.q), got, err, c.want)
	}
}

func mailsSweep(t *testing.T, b storage.Backend) {
	old := due("waits", epoch.Add(-time.Hour))
	mustQueue(t, b,
		finished("a", mail.Sent, epoch.Add(-time.Millisecond)), finished("b", mail.Failed, epoch.Add(-time.Millisecond)),
		finished("c", mail.Dropped, epoch.Add(-time.Millisecond)), finished("now", mail.Sent, epoch), old)
	for _, c := range []struct {
		state mail.State
		n     int
		left  string
	}{{mail.Dropped, 1, "waits now b a"}, {mail.Dropped, 0, "waits now b a"}, {mail.Sent, 1, "waits now b"}, {mail.Failed, 1, "waits now"}} {
		if n, err := b.Mails().Sweep(t.Context(), c.state, epoch, 9); err != nil || n != c.n {
			t.Errorf("Sweep of %s: got %d, %v; want %d", c.state, n, err, c.n)
		}
		wantQueue(t, b, c.left)
	}
	mustQueue(t, b, due("a", epoch)) // the id of a swept mail is free
	same(t, "List", mustGetMail(t, b, "a"), due("a", epoch))
}

func mailsSweepOldest(t *testing.T, b storage.Backend) {
	for i, id := range []mail.ID{"c", "a", "d", "b"} {
		mustQueue(t, b, finished(id, mail.Sent, epoch.Add(time.Duration(i)*time.Second)))
	}
	for _, c := range []struct {
		limit, n int
		left     string
	}{{0, 0, "d c b a"}, {1, 1, "d b a"}, {2, 2, "b"}, {2, 1, ""}} {
		if n, err := b.Mails().Sweep(t.Context(), mail.Sent, epoch.Add(time.Hour), c.limit); err != nil || n != c.n {
			t.Errorf("Sweep, limit %d: got %d, %v; want %d", c.limit, n, err, c.n)
		}
		wantQueue(t, b, c.left)
	}
}

func mailsEndedContext(t *testing.T, b storage.Backend) {
	mustQueue(t, b, finished("a", mail.Sent, epoch))
	never := func(*mail.Mail) error { t.Error("closure ran under an ended context"); return nil }
	for want, ctx := range ended(t) {
		_, err := b.Mails().Update(ctx, "a", never)
		wantErr(t, "Update", err, want)
		_, err = b.Mails().Due(ctx, epoch, 9)
		wantErr(t, "Due", err, want)
		_, err = b.Mails().Begun(ctx, mailbox, epoch, 9)
		wantErr(t, "Begun", err, want)
		_, err = b.Mails().List(ctx, mail.Query{Limit: 9})
		wantErr(t, "List", err, want)
		_, err = b.Mails().Sweep(ctx, mail.Sent, epoch.Add(time.Hour), 9)
		wantErr(t, "Sweep", err, want)
		wantErr(t, "Add", b.Mails().Add(ctx, restoredMail(t, queued("b"))), want)
		wantErr(t, "Add of nothing", b.Mails().Add(ctx), want)
	}
	wantQueue(t, b, "a")
}

// archivedMails are finished, so that a sweep takes them.
var archivedMails = kind[mail.Snapshot]{
	name:  "mail",
	of:    outbound.Archive.Mails,
	unset: []string{"Due"},
	nth:   func(n int) mail.Snapshot { return finished(mail.ID(fmt.Sprintf("m%04d", n)), mail.Sent, epoch) },
	empty: func(s mail.Snapshot) mail.Snapshot {
		return mail.Snapshot{ID: s.ID, Kind: s.Kind, To: s.To, Key: s.Key, Queued: s.Queued, State: mail.Waiting, Due: epoch, Version: 1}
	},
	other: func(s mail.Snapshot) mail.Snapshot { return due(s.ID, epoch) },
	broken: []func(mail.Snapshot) mail.Snapshot{
		func(s mail.Snapshot) mail.Snapshot { s.Kind = ""; return s },
		func(s mail.Snapshot) mail.Snapshot { s.To = ""; return s },
		func(s mail.Snapshot) mail.Snapshot { s.Key = ""; return s },
		func(s mail.Snapshot) mail.Snapshot { s.Queued = time.Time{}; return s },
		func(s mail.Snapshot) mail.Snapshot { s.Due = epoch; return s },
		func(s mail.Snapshot) mail.Snapshot { s.Finished = time.Time{}; return s },
		func(s mail.Snapshot) mail.Snapshot { s.Attempts = -1; return s },
		func(s mail.Snapshot) mail.Snapshot { s.Version = 0; return s },
	},
	get: func(t *testing.T, b storage.Backend, s mail.Snapshot) mail.Snapshot {
		t.Helper()
		return listedMail(t, b, s.ID)
	},
	swept: func(t *testing.T, b storage.Backend, limit int) (int, error) {
		t.Helper()
		return b.Mails().Sweep(t.Context(), mail.Sent, epoch.Add(time.Millisecond), limit)
	},
}
