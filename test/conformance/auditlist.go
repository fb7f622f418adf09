package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/user"
)

var auditLists = []check{
	{"EmptyIsNoFailure", auditListEmpty},
	{"NewestFirstAndBack", auditListOrder},
	{"PagesAreCompleteUnderEqualTimes", auditListPages},
	{"PagesStandAppends", auditListPagesUnderAppend},
	{"PagesStandAppendsAtTheSameTime", auditListPagesUnderConcurrentAppend},
	{"PlaceOfAnEventThatIsGoneHolds", auditListGonePlace},
	{"Filters", auditListFilters},
	{"SinceAndUntil", auditListTimes},
	{"ManyKinds", auditListManyKinds},
	{"AgreesWithTheModel", auditListModel},
}

// walkEvents reads all pages of a query, each from the last event of the one before.
func walkEvents(t *testing.T, b storage.Backend, q audit.Query, between func(page []audit.Event)) (all []audit.Event) {
	t.Helper()
	for {
		page := mustListEvents(t, b, q)
		if len(page) > q.Limit {
			t.Fatalf("List returned %d events, more than the limit of %d", len(page), q.Limit)
		}
		if len(page) == 0 || len(all) > 1000 {
			return all
		}
		all = append(all, page...)
		q.From = new(page[len(page)-1].Position())
		between(page)
	}
}

func noEvents([]audit.Event) {}

func auditListEmpty(t *testing.T, b storage.Backend) {
	place := audit.Position{At: epoch, ID: "a"}
	for _, q := range []audit.Query{
		{Limit: 9}, {Back: true, Limit: 9}, {From: &place, Limit: 9},
		{Filter: audit.Filter{Kinds: audit.Kinds(), Actor: "1", User: "2", Since: epoch, Until: epoch}, Limit: 9},
	} {
		wantEvents(t, b, q, "")
	}
}

func auditListOrder(t *testing.T, b storage.Backend) {
	for i, id := range []audit.ID{"m", "c", "x", "a", "z"} {
		mustAppend(t, b, event(id, epoch.Add(time.Duration(i)*time.Millisecond)))
	}
	mustAppend(t, b, event("old", epoch.Add(-time.Minute)))
	q := audit.Query{Limit: 9}
	wantEvents(t, b, q, "z a x c m old")
	q.Limit = 2
	wantEvents(t, b, q, "z a")
	q.Back = true
	wantEvents(t, b, q, "old m")
	q.From = &audit.Position{At: epoch.Add(time.Millisecond), ID: "c"}
	wantEvents(t, b, q, "x a")
	q.Back = false
	wantEvents(t, b, q, "m old")
	q.Limit = 1 << 40
	wantEvents(t, b, q, "m old")
}

func auditListPages(t *testing.T, b storage.Backend) {
	ids := []string{"", "0", "A", "Z", "_", "a", "aa", "z", "é", "😀"} // as bytes compare
	var es []audit.Event
	for i := range ids {
		ids[i] = "e" + ids[i]
		e := event(audit.ID(ids[i]), epoch)
		e.Kind = audit.Kinds()[i%3]
		es = append(es, e)
	}
	mustAppend(t, b, es[5:]...)
	mustAppend(t, b, es[:5]...)
	up := strings.Join(ids, " ")
	slices.Reverse(ids)
	down := strings.Join(ids, " ")
	for _, f := range []audit.Filter{{}, {Kinds: audit.Kinds()}, {Actor: uuidA}, {User: "7"}} {
		for _, size := range []int{1, 2, 3, 10} {
			for back, want := range map[bool]string{false: down, true: up} {
				if got := eventIDs(walkEvents(t, b, audit.Query{Filter: f, Back: back, Limit: size}, noEvents)); got != want {
					t.Errorf("pages of %d, back %t, of %+v: got %q, want %q", size, back, f, got, want)
				}
			}
		}
	}
}

// auditListPagesUnderAppend reads pages while events are added at both ends and the oldest are swept. Every event that
// is stored all the time is listed once, in order.
func auditListPagesUnderAppend(t *testing.T, b storage.Backend) {
	es := events(12)
	mustAppend(t, b, es...)
	n := 0
	all := walkEvents(t, b, audit.Query{Limit: 3}, func([]audit.Event) {
		n++
		mustAppend(t, b, event(audit.ID(fmt.Sprint("new", n)), epoch.Add(time.Hour)))
		if _, err := b.AuditTrail().Sweep(t.Context(), epoch.Add(time.Minute), 1); err != nil { // the oldest
			t.Fatal(err)
		}
	})
	if got := eventIDs(all); got != "e11 e10 e09 e08 e07 e06 e05 e04 e03" { // e00 to e02 were swept before
		t.Errorf("newest first: got %q", got)
	}
	n = 0
	all = walkEvents(t, b, audit.Query{Back: true, Limit: 4}, func([]audit.Event) {
		if n++; n < 3 {
			mustAppend(t, b, event(audit.ID(fmt.Sprint("newer", n)), epoch.Add(2*time.Hour)))
		}
	})
	if got := eventIDs(all); got != "e03 e04 e05 e06 e07 e08 e09 e10 e11 new1 new2 new3 newer1 newer2" {
		t.Errorf("oldest first: got %q", got)
	}
}

// auditListPagesUnderConcurrentAppend reads pages during concurrent appends.
func auditListPagesUnderConcurrentAppend(t *testing.T, b storage.Backend) {
	es := events(20)
	mustAppend(t, b, es...)
	slices.Reverse(es)
	for _, err := range atOnce(func(i int) error {
		if i%4 > 0 {
			return b.AuditTrail().Append(t.Context(), event(audit.ID(fmt.Sprint("new", i)), epoch.Add(time.Hour)))
		}
		var seen []audit.Event
		for q := (audit.Query{Limit: 3}); ; {
			page, err := b.AuditTrail().List(t.Context(), q)
			if err != nil {
				return err
			}
			if len(page) == 0 || len(seen) > 1000 {
				break
			}
			seen = append(seen, page...)
			q.From = new(page[len(page)-1].Position())
		}
		if got := slices.DeleteFunc(seen, func(e audit.Event) bool { return !e.At.Before(epoch.Add(time.Hour)) }); eventIDs(got) != eventIDs(es) {
			t.Errorf("got %q, want %q", eventIDs(got), eventIDs(es))
		}
		return nil
	}) {
		wantErr(t, "Append or List", err, nil)
	}
}

func auditListGonePlace(t *testing.T, b storage.Backend) {
	mustAppend(t, b, event("a", epoch), event("b", epoch), event("d", epoch.Add(time.Second)), event("e", epoch.Add(time.Second)))
	for _, place := range []audit.Position{{At: epoch, ID: "c"}, {At: epoch.Add(time.Second), ID: "c"},
		{At: epoch.Add(time.Millisecond), ID: "x"}} {
		wantEvents(t, b, audit.Query{From: &place, Limit: 9}, "b a")
		wantEvents(t, b, audit.Query{From: &place, Back: true, Limit: 9}, "d e")
	}
}

func auditListFilters(t *testing.T, b storage.Backend) {
	for i, of := range []struct {
		kind        audit.Kind
		actor, user user.ID
	}{
		{audit.SignedIn, "1", "1"}, {audit.SignedIn, "11", "11"}, {audit.Changed, "1", "2"}, {audit.Changed, uuidA, "1"},
		{audit.SignInFailed, "", "1"},
		{audit.SignInFailed, "", ""}, {audit.Deleted, "1", "2"}, {audit.SignedIn, "2", "2"}, {audit.Changed, "1", "1"},
	} {
		e := event(audit.ID(fmt.Sprint(i)), epoch.Add(time.Duration(i)*time.Millisecond))
		e.Kind, e.Actor, e.User = of.kind, of.actor, of.user
		mustAppend(t, b, e)
	}
	kinds := func(ks ...audit.Kind) []audit.Kind { return ks }
	for _, c := range []struct {
		f    audit.Filter
		want string
	}{
		{audit.Filter{}, "8 7 6 5 4 3 2 1 0"},
		{audit.Filter{Kinds: kinds(audit.SignedIn)}, "7 1 0"},
		{audit.Filter{Kinds: kinds(audit.SignInFailed, audit.Deleted)}, "6 5 4"},
		{audit.Filter{Kinds: kinds(audit.Deleted, audit.SignInFailed)}, "6 5 4"},
		{audit.Filter{Kinds: audit.Kinds()}, "8 7 6 5 4 3 2 1 0"},
		{audit.Filter{Kinds: kinds(audit.Reused)}, ""},
		{audit.Filter{Kinds: kinds("signed")}, ""},
		{audit.Filter{Kinds: kinds("SIGNED_IN")}, ""},
		{audit.Filter{Actor: "1"}, "8 6 2 0"},
		{audit.Filter{Actor: "01"}, ""},
		{audit.Filter{Actor: uuidA}, "3"},
		{audit.Filter{Actor: uuidB}, ""},
		{audit.Filter{User: "1"}, "8 4 3 0"},
		{audit.Filter{User: "2"}, "7 6 2"},
		{audit.Filter{User: "111"}, ""},
		{audit.Filter{Actor: "1", User: "1"}, "8 0"},
		{audit.Filter{Actor: "1", User: "2"}, "6 2"},
		{audit.Filter{Actor: uuidA, User: "2"}, ""},
		{audit.Filter{Actor: "1", Kinds: kinds(audit.Changed)}, "8 2"},
		{audit.Filter{Actor: "1", Kinds: kinds(audit.Changed, audit.SignedIn)}, "8 2 0"},
		{audit.Filter{User: "1", Kinds: kinds(audit.SignInFailed)}, "4"},
		{audit.Filter{User: "1", Kinds: kinds(audit.SignInFailed, audit.Changed)}, "8 4 3"},
		{audit.Filter{Actor: "1", User: "2", Kinds: kinds(audit.Deleted)}, "6"},
		{audit.Filter{Actor: "1", User: "2", Kinds: kinds(audit.Deleted, audit.Changed)}, "6 2"},
	} {
		wantEvents(t, b, audit.Query{Filter: c.f, Limit: 99}, c.want)
		up := strings.Fields(c.want)
		slices.Reverse(up)
		wantEvents(t, b, audit.Query{Filter: c.f, Back: true, Limit: 99}, strings.Join(up, " "))
		wantEvents(t, b, audit.Query{Filter: c.f, Limit: 1}, c.want[:min(1, len(c.want))])
	}
}

func auditListTimes(t *testing.T, b storage.Backend) {
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	var es []audit.Event
	for i := range 5 {
		e := event(audit.ID(fmt.Sprint(i)), at(i))
		e.Kind = audit.Kinds()[i%2]
		es = append(es, e)
	}
	mustAppend(t, b, es...)
	kinds, place := audit.Kinds()[:2], es[2].Position()
	const step = time.Microsecond
	for _, c := range []struct {
		since, until time.Time
		from         *audit.Position
		back         bool
		want         string
	}{
		{since: at(2), want: "4 3 2"},
		{until: at(2), want: "1 0"},
		{since: at(1), until: at(3), want: "2 1"},
		{since: at(1), until: at(3), back: true, want: "1 2"},
		{since: at(2), until: at(2), want: ""},
		{since: at(3), until: at(1), want: ""},
		{since: at(9), want: ""},
		{until: at(0), want: ""},
		{since: at(0), until: at(5), want: "4 3 2 1 0"},
		{since: at(2).Add(-step), until: at(3).Add(-step), want: "2"},
		{since: at(2).Add(step), until: at(3).Add(step), want: "3"},
		{since: at(1), from: &place, want: "1"},
		{since: at(2), from: &place, want: ""},
		{since: at(4), from: &place, back: true, want: "4"},
		{since: at(1), from: &place, back: true, want: "3 4"},
		{until: at(4), from: &place, back: true, want: "3"},
		{until: at(4), from: &place, want: "1 0"},
		{until: at(1), from: &place, want: "0"},
		{since: at(1), until: at(4), from: &place, want: "1"},
		{since: at(1).In(time.FixedZone("east", 3600)), until: at(3).In(time.FixedZone("west", -3600)), want: "2 1"},
	} {
		for _, f := range []audit.Filter{{}, {Kinds: kinds}, {Actor: uuidA}, {User: "7", Kinds: kinds}} {
			f.Since, f.Until = c.since, c.until
			wantEvents(t, b, audit.Query{Filter: f, From: c.from, Back: c.back, Limit: 9}, c.want)
		}
	}
}

func auditListManyKinds(t *testing.T, b storage.Backend) {
	mustAppend(t, b, events(3)...)
	kinds := slices.Repeat(audit.Kinds(), 1000)
	wantEvents(t, b, audit.Query{Filter: audit.Filter{Kinds: kinds}, Limit: 9}, "e02 e01 e00")
}

// auditListModel runs many random queries, the same in every run.
func auditListModel(t *testing.T, b storage.Backend) {
	rnd := rand.New(rand.NewPCG(13, 2024))
	instant := func() time.Time { return epoch.Add(time.Duration(rnd.IntN(6)) * time.Millisecond) }
	users := []user.ID{"", "1", "2", uuidA}
	var es []audit.Event
	for range 80 {
		e := event(audit.ID(fmt.Sprintf("01900000-0000-7000-8000-%012x", rnd.Uint32())), instant())
		e.Kind, e.Actor, e.User = audit.Kinds()[rnd.IntN(4)], users[rnd.IntN(4)], users[rnd.IntN(4)]
		es = append(es, e)
	}
	mustAppend(t, b, es...)
	found := 0
	for range 400 {
		q := audit.Query{Back: rnd.IntN(2) == 0, Limit: 1 + rnd.IntN(20)}
		for range rnd.IntN(4) {
			q.Kinds = append(q.Kinds, audit.Kinds()[rnd.IntN(5)])
		}
		if rnd.IntN(2) == 0 {
			q.Actor = users[rnd.IntN(4)]
		}
		if rnd.IntN(2) == 0 {
			q.User = users[rnd.IntN(4)]
		}
		if rnd.IntN(3) == 0 {
			q.Since = instant()
		}
		if rnd.IntN(3) == 0 {
			q.Until = instant()
		}
		if rnd.IntN(2) == 0 {
			q.From = new(es[rnd.IntN(len(es))].Position())
		}
		want := auditModel(es, q)
		found += len(want)
		wantEvents(t, b, q, eventIDs(want))
	}
	if found < 1000 {
		t.Errorf("the case does not show enough: %d events were wanted", found)
	}
}

// auditModel is List as the domain defines it.
func auditModel(es []audit.Event, q audit.Query) []audit.Event {
	direction := -1 // of time
	if q.Back {
		direction = 1
	}
	var out []audit.Event
	for _, e := range es {
		if q.Matches(e) && (q.From == nil || direction*e.Position().Compare(*q.From) > 0) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b audit.Event) int { return direction * a.Position().Compare(b.Position()) })
	return out[:min(q.Limit, len(out))]
}
