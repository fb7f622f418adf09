package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
)

// TestPlans asks a real server how it answers, with filled collections: by an index, which gives the order
// too, and without reading much else than what it returns. The exceptions are a search for a part of a text
// and an ordering by several fields, which no index serves.
func TestPlans(t *testing.T) {
	if os.Getenv("MONGODB_TEST_URI") == "" {
		t.Skip("NOT TESTED: query plans, since MONGODB_TEST_URI names no real MongoDB and test/mongoserver uses no indexes")
	}
	u, err := url.Parse(testenv.MongoDB(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(u, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	now := time.UnixMilli(1_700_000_000_000)
	crowd(t, s, now)
	p := plans{t, s}
	p.ofUsers()
	p.ofSessions(now)
	p.ofEvents(now)
	p.ofMails(now)

	for _, name := range []string{"users", "sessions", "attempts", eventTable.name, mailTable.name} {
		p.want("a page of all "+name, lookup{Find: name, Filter: is("_id", compared("$gt", "0")), Sort: is("_id", 1)})
	}
	for _, name := range []string{userTable.name, sessionTable.name} {
		p.want(name+" with effects", lookup{Find: name, Filter: withEffects})
	}
	p.want("failures", lookup{Find: "attempts", Filter: append(unchanged("s100", 1), is("expires", now)...)})
	p.want("failures of an account", lookup{Find: "attempts", Filter: attemptsOf(lockout.ForAccount("a@example.com"))})
	p.want("expired failures", lookup{Find: "attempts", Filter: is("expires", compared("$lte", now)), Sort: is("expires", 1)})
}

// population is how many documents of each kind there are. What is read by way of another index than the
// right one, or none, shows.
const population = 5000

// crowd fills all collections. Every hundredth user is staff, and every hundredth other one inactive; every
// user has fifty sessions, all live, and a hundredth of all events.
func crowd(t *testing.T, s *Store, now time.Time) {
	t.Helper()
	var us []user.Snapshot
	var xs []session.Snapshot
	var rs []lockout.Snapshot
	var es []audit.Event
	var ms []mail.Snapshot
	kinds := audit.Kinds()
	for i := range population {
		id, name := user.IntegerID(int64(i+1)), fmt.Sprintf("%05d@example.com", i*7%population)
		at := now.Add(time.Duration(i) * time.Second)
		us = append(us, user.Snapshot{
			ID: id, Email: name, EmailKey: name, FirstName: fmt.Sprint(i % 7), LastName: fmt.Sprint(i % 11),
			Staff: i%100 == 0, Active: i%100 != 1, Joined: at, Version: 1,
		})
		owner := user.IntegerID(int64(i%100 + 1))
		xs = append(xs, session.Snapshot{
			ID: session.ID(fmt.Sprintf("x%d", i)), User: owner, Epoch: 3, Created: at, Expires: at.Add(24 * time.Hour), Version: 1,
		})
		rs = append(rs, lockout.Snapshot{Subject: lockout.Subject(fmt.Sprintf("s%d", i)), Failures: 1, Last: now, Expires: at, Version: 1})
		es = append(es, audit.Event{
			ID: audit.ID(fmt.Sprintf("e%d", i)), At: at, Kind: kinds[i/100%len(kinds)], Actor: owner, User: user.IntegerID(int64(i/2%100 + 1)),
		})
		m := mail.Snapshot{
			ID: mail.ID(fmt.Sprintf("m%04d", i)), Kind: mail.PasswordReset, To: name, Key: fmt.Sprint(i % 500), Queued: at, State: mail.Sent, Finished: at, Version: 1,
		}
		if i%100 == 0 {
			m.State, m.Due, m.Finished = mail.Waiting, at, time.Time{}
		}
		ms = append(ms, m)
	}
	filled(t, s.Archive().Mails(), ms)
	filled(t, s.Archive().Users(), us)
	filled(t, s.Archive().Sessions(), xs)
	filled(t, s.Archive().Attempts(), rs)
	filled(t, s.Archive().Events(), es)
}

func filled[T any](t *testing.T, c outbound.Collection[T], records []T) {
	t.Helper()
	if refused, err := c.Put(t.Context(), records); errors.Join(append(refused, err)...) != nil {
		t.Fatal(errors.Join(append(refused, err)...))
	}
}

// plans asks a store's server.
type plans struct {
	t *testing.T
	s *Store
}

func (p plans) ofUsers() {
	place := user.Position{ID: "2500", Email: "02500@example.com", FirstName: "3", LastName: "3", Joined: time.UnixMilli(1_700_002_500_000)}
	for _, by := range []user.Sort{user.SortID, user.SortEmail, user.SortFirstName, user.SortLastName, user.SortJoined} {
		for _, sign := range []string{"", "-"} {
			for _, from := range []*user.Position{nil, &place} {
				p.want(fmt.Sprintf("list by %s%s from %v", sign, by, from), page(user.Query{Order: user.Ordering(sign + string(by)), From: from}))
			}
		}
	}
	yes, no := true, false
	for what, f := range map[string]user.Filter{"staff": {Staff: &yes}, "inactive": {Active: &no}, "active staff": {Staff: &yes, Active: &yes}} {
		p.want(what+" by id", page(user.Query{Filter: f, Order: user.Ordering("id")}))
		p.wantSorted(what+" by email", page(user.Query{Filter: f, Order: user.Ordering("email")}))
	}
	for what, f := range map[string]user.Filter{
		"staff": {Staff: &yes}, "others than staff": {Staff: &no}, "active": {Active: &yes}, "inactive": {Active: &no}, "active staff": {Staff: &yes, Active: &yes},
	} {
		p.wantCounted("count of "+what, f)
	}
	p.want("which are there", withIDsOrEmails([]string{user.ID("7").SortKey(), "x"}, []string{"00070@example.com", "x"}))
	p.want("by email", lookup{Find: "users", Filter: is("email_key", "00070@example.com")})
	p.want("compare and set", lookup{Find: "users", Filter: unchanged(user.ID("7").SortKey(), 1)})
	p.want("rival", lookup{Find: "users", Filter: userTable.rival(userDocument{ID: "x", EmailKey: "00070@example.com"})})
}

func (p plans) ofSessions(now time.Time) {
	owner := user.ID("7").SortKey()
	p.want("all sessions of a user", lookup{Find: "sessions", Filter: is("user", owner)})
	p.want("expired sessions", lookup{Find: "sessions", Filter: is("expires", compared("$lte", now.Add(30*time.Hour))), Sort: is("expires", 1)})
	for _, back := range []bool{false, true} {
		for _, from := range []*session.Position{nil, {Created: now.Add(2500 * time.Second), ID: "x"}} {
			filter, sort := listSessions(session.Query{Owner: "7", LiveAt: now, Epoch: 3, From: from, Back: back}, owner)
			p.want(fmt.Sprintf("sessions of a user from %v, back %t", from, back), lookup{Find: "sessions", Filter: filter, Sort: sort})
		}
	}
}

func (p plans) ofEvents(now time.Time) {
	middle := now.Add(2500 * time.Second)
	p.want("old events", lookup{Find: eventTable.name, Filter: is("at", compared("$lt", middle)), Sort: byTime("at", true)})
	kinds := audit.Kinds()
	counted := countEvents(kinds[:2], now, middle)
	counted.Cursor = bson.D{}
	if e := p.explain("counts of events", counted, false); e.examined > 0 {
		p.t.Errorf("counts of events: %d documents are read: %v", e.examined, e.stages)
	}
	for _, back := range []bool{false, true} {
		for _, f := range []audit.Filter{
			{}, {Since: now, Until: middle}, {Kinds: kinds[:1]}, {Kinds: kinds}, {Actor: "7"}, {User: "7"}, {Actor: "7", User: "7"},
			{Actor: "7", Kinds: kinds}, {User: "7", Kinds: kinds[:2], Since: now},
		} {
			for _, from := range []*audit.Position{nil, {At: middle, ID: "x"}} {
				filter, sort := listEvents(audit.Query{Filter: f, From: from, Back: back})
				p.want(fmt.Sprintf("events of %+v from %v, back %t", f, from, back), lookup{Find: eventTable.name, Filter: filter, Sort: sort})
			}
		}
	}
}

func (p plans) ofMails(now time.Time) {
	middle := now.Add(2500 * time.Second)
	p.want("due mails", dueMails(middle))
	p.wantSorted("mails to an address", begunMails("7", middle))
	p.want("finished mails", finishedMails(mail.Sent, middle))
	p.want("newest mails", listMails(mail.Query{Before: "m2500"}))
	p.want("invited users", invited("7"))
}

// besides is how many documents a page of twenty may read that it does not return: one for each kind of
// events whose walks are merged, and as many again where two conditions are.
const besides = 60

func (p plans) want(what string, q lookup) {
	p.t.Helper()
	p.judge(what, q, false)
}

// wantSorted is want where the server may sort the few that an index finds.
func (p plans) wantSorted(what string, q lookup) {
	p.t.Helper()
	p.judge(what, q, true)
}

func (p plans) judge(what string, q lookup, sorts bool) {
	p.t.Helper()
	q.Limit, q.BatchSize = 20, 21
	p.explain(what, q, sorts)
}

// wantCounted wants a count to read no user, or no more than are staff.
func (p plans) wantCounted(what string, f user.Filter) {
	p.t.Helper()
	p.explain(what, bson.D{
		{Key: "aggregate", Value: "users"}, {Key: "cursor", Value: bson.D{}},
		{Key: "pipeline", Value: bson.A{is("$match", all(matching(f))), is("$group", bson.D{{Key: "_id", Value: 1}, {Key: "n", Value: is("$sum", 1)}})}},
	}, false)
}

func (p plans) explain(what string, command any, sorts bool) explained {
	p.t.Helper()
	answer, err := p.s.db.RunCommand(p.t.Context(), bson.D{{Key: "explain", Value: command}, {Key: "verbosity", Value: "executionStats"}}).Raw()
	if err != nil {
		p.t.Fatalf("%s: explain: %v", what, err)
	}
	e, err := explanation(answer)
	if errors.Is(err, errNotExplained) {
		p.t.Skipf("NOT TESTED: query plans: %v", err)
	}
	if err := e.fault(besides, sorts); err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
	return e
}
