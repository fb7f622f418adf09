package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/audit"
)

var audits = []check{
	{"AppendRoundTripsEveryField", auditRoundTrip},
	{"AppendRoundTripsEmptyFields", auditRoundTripEmpty},
	{"AppendOfNothing", auditAppendNothing},
	{"KeepsText", auditKeepsText},
	{"KeepsTimes", auditKeepsTimes},
	{"KeepsKindsOfAnotherVersion", auditOtherKinds},
	{"DuplicateIsKeptAsItWas", auditDuplicate},
	{"DuplicateWithinABatch", auditDuplicateWithin},
	{"ConcurrentAppendsOfOneEvent", auditAppendRace},
	{"ConcurrentAppendsAllCount", auditConcurrentAppends},
	{"BatchIsAppendedOrRefusedAsAWhole", auditBadBatch},
	{"LargeBatch", auditLargeBatch},
	{"CountsByKind", auditCounts},
	{"CountsFromSinceToBeforeUntil", auditCountsRange},
	{"SweepTakesTheOld", auditSweep},
	{"SweepTakesTheOldestFirst", auditSweepOldest},
	{"EndedContext", auditEndedContext},
}

// event returns an event without zero fields.
func event(id audit.ID, at time.Time) audit.Event {
	return audit.Event{
		ID: id, At: at, Kind: audit.SessionRevoked, Actor: uuidA, User: "7", Session: "0123456789abcdef01234567", Channel: audit.API,
		Address: "2001:db8::1", UserAgent: "Agent/1.0 (ünïcode)", RequestID: "01HX-é", Detail: "first_name, last_name",
	}
}

// events returns n events a second apart, the oldest first, with ids from e00 on.
func events(n int) []audit.Event {
	out := make([]audit.Event, n)
	for i := range out {
		out[i] = event(audit.ID(fmt.Sprintf("e%02d", i)), epoch.Add(time.Duration(i)*time.Second))
	}
	return out
}

func mustAppend(t *testing.T, b storage.Backend, es ...audit.Event) {
	t.Helper()
	if err := b.AuditTrail().Append(t.Context(), es...); err != nil {
		t.Fatalf("AuditTrail.Append: %v", err)
	}
}

func mustListEvents(t *testing.T, b storage.Backend, q audit.Query) []audit.Event {
	t.Helper()
	es, err := b.AuditTrail().List(t.Context(), q)
	if err != nil {
		t.Fatalf("AuditTrail.List(%+v): %v", q, err)
	}
	return es
}

func eventIDs(es []audit.Event) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = string(e.ID)
	}
	return strings.Join(out, " ")
}

// wantEvents fails unless a query finds the events with these ids, in this order.
func wantEvents(t *testing.T, b storage.Backend, q audit.Query, want string) {
	t.Helper()
	if got := eventIDs(mustListEvents(t, b, q)); got != want {
		t.Errorf("List(%+v): got %q, want %q", q, got, want)
	}
}

// wantTrail fails unless the trail has exactly these events, oldest first.
func wantTrail(t *testing.T, b storage.Backend, want ...audit.Event) {
	t.Helper()
	got := mustListEvents(t, b, audit.Query{Back: true, Limit: 1000})
	if eventIDs(got) != eventIDs(want) {
		t.Errorf("there are %q, want %q", eventIDs(got), eventIDs(want))
		return
	}
	for i := range want {
		same(t, "event "+string(want[i].ID), got[i], want[i])
	}
}

func auditRoundTrip(t *testing.T, b storage.Backend) {
	e := event("01900000-0000-7000-8000-000000000001", epoch)
	mustNotBeZero(t, e)
	mustAppend(t, b, e)
	wantTrail(t, b, e)
	if at := mustListEvents(t, b, audit.Query{Limit: 1})[0].At; at.Location() != time.UTC {
		t.Errorf("the time came back in zone %v", at.Location())
	}
}

func auditRoundTripEmpty(t *testing.T, b storage.Backend) {
	e := audit.Event{ID: "a", At: epoch, Kind: audit.SignInFailed}
	mustAppend(t, b, e)
	wantTrail(t, b, e)
}

func auditAppendNothing(t *testing.T, b storage.Backend) {
	mustAppend(t, b)
	wantTrail(t, b)
}

func auditKeepsText(t *testing.T, b storage.Backend) {
	var want []audit.Event
	for i, text := range []string{
		"é", "e\u0301", "日本語", "👩‍👩‍👧‍👦🏳️‍🌈", "\u202eright to left", "\ufeffmark", " leading and trailing ", `back\slash`, "%_'\"`;--",
		"$where {$ne: 1}", "{a,b}", `{"NULL"}`, "NULL", "0", "1e3", "\uffff", "a\x00b\r\nc\x1b[31m", "\xff\xfe", strings.Repeat("😀", 200),
	} {
		e := event(audit.ID(fmt.Sprintf("e%02d", i)), epoch)
		e.Address, e.UserAgent, e.Detail = text, text, text+text
		e = e.Clean()
		e.Session, e.RequestID = e.Detail, e.UserAgent
		want = append(want, e)
	}
	mustAppend(t, b, want...)
	wantTrail(t, b, want...)
}

func auditKeepsTimes(t *testing.T, b storage.Backend) {
	var want []audit.Event
	for i, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC), // one step after the zero time
		time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Unix(0, 0).UTC(), // zero in Unix time
		time.Date(2038, 1, 19, 3, 14, 8, 7e6, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	} {
		want = append(want, event(audit.ID(fmt.Sprint("e", i)), at))
	}
	mustAppend(t, b, want...)
	wantTrail(t, b, want...)
}

// auditOtherKinds stores kinds that this version of the program does not know.
func auditOtherKinds(t *testing.T, b storage.Backend) {
	e := event("a", epoch)
	e.Kind, e.Channel = "of_another_version", "of_another_version"
	mustAppend(t, b, e, event("b", epoch))
	wantEvents(t, b, audit.Query{Limit: 9}, "b a")
	wantEvents(t, b, audit.Query{Filter: audit.Filter{Actor: e.Actor}, Limit: 9}, "b a")
	wantEvents(t, b, audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{e.Kind}}, Limit: 9}, "a")
}

func auditDuplicate(t *testing.T, b storage.Backend) {
	es := events(3)
	mustAppend(t, b, es[0])
	again := es[0]
	again.At, again.Kind, again.Detail = epoch.Add(time.Hour), audit.SignedIn, "another"
	mustAppend(t, b, again)
	wantTrail(t, b, es[0])
	mustAppend(t, b, es[1], again, es[2]) // the others are appended
	wantTrail(t, b, es...)
	mustAppend(t, b, es...)
	wantTrail(t, b, es...)
}

func auditDuplicateWithin(t *testing.T, b storage.Backend) {
	es := events(3)
	again := es[0]
	again.Detail = "another"
	mustAppend(t, b, es[0], again, es[1], es[1], again, es[2])
	wantTrail(t, b, es...)
}

func auditAppendRace(t *testing.T, b storage.Backend) {
	es := events(3)
	for _, err := range atOnce(func(i int) error {
		return b.AuditTrail().Append(t.Context(), es[i%3], es[(i+1)%3], es[(i+2)%3])
	}) {
		wantErr(t, "Append", err, nil)
	}
	wantTrail(t, b, es...)
}

func auditConcurrentAppends(t *testing.T, b storage.Backend) {
	es := events(2 * crowd)
	for _, err := range atOnce(func(i int) error { return b.AuditTrail().Append(t.Context(), es[i], es[i+crowd]) }) {
		wantErr(t, "Append", err, nil)
	}
	wantTrail(t, b, es...)
}

func auditBadBatch(t *testing.T, b storage.Backend) {
	es := events(3)
	for name, spoil := range map[string]func(*audit.Event){
		"id": func(e *audit.Event) { e.ID = "" }, "time": func(e *audit.Event) { e.At = time.Time{} },
		"kind": func(e *audit.Event) { e.Kind = "" },
	} {
		bad := es[2]
		spoil(&bad)
		wantErr(t, "Append without "+name, b.AuditTrail().Append(t.Context(), es[0], es[1], bad), audit.ErrBadEvent)
		wantTrail(t, b)
	}
}

func auditLargeBatch(t *testing.T, b storage.Backend) {
	const n = 3000
	es := make([]audit.Event, n)
	for i := range es {
		es[i] = event(audit.ID(fmt.Sprintf("e%04d", i)), epoch)
		es[i].Detail = strings.Repeat("d", 256)
	}
	mustAppend(t, b, es...)
	if got := mustListEvents(t, b, audit.Query{Limit: 2 * n}); len(got) != n || got[0].ID != "e2999" || got[n-1].ID != "e0000" {
		t.Errorf("there are %d events, want %d", len(got), n)
	}
}

// wantCounts fails unless the numbers of events of some kinds from since to before until are those given.
func wantCounts(t *testing.T, b storage.Backend, kinds []audit.Kind, since, until time.Time, want map[audit.Kind]int) {
	t.Helper()
	got, err := b.AuditTrail().Counts(t.Context(), kinds, since, until)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("Counts of %v from %v to %v: got %v, %v; want %v", kinds, since, until, got, err, want)
	}
}

// counted returns the numbers of events of some kinds.
func counted(kinds ...audit.Kind) map[audit.Kind]int {
	n := make(map[audit.Kind]int)
	for _, kind := range kinds {
		n[kind]++
	}
	return n
}

func auditCounts(t *testing.T, b storage.Backend) {
	for i, kind := range []audit.Kind{audit.SignedIn, audit.SignInFailed, audit.SignedIn, audit.Locked, audit.SignedIn, "of_another_version"} {
		e := event(audit.ID(fmt.Sprint("e", i)), epoch.Add(time.Duration(i)*time.Second))
		e.Kind = kind
		mustAppend(t, b, e)
	}
	end := epoch.Add(time.Hour)
	wantCounts(t, b, nil, epoch, end, counted())
	wantCounts(t, b, []audit.Kind{audit.Deleted}, epoch, end, counted())
	wantCounts(t, b, []audit.Kind{audit.SignedIn}, epoch, end, counted(audit.SignedIn, audit.SignedIn, audit.SignedIn))
	wantCounts(t, b, []audit.Kind{audit.SignedIn, audit.Locked, audit.Deleted, audit.SignedIn}, epoch, end,
		counted(audit.SignedIn, audit.SignedIn, audit.SignedIn, audit.Locked))
	wantCounts(t, b, []audit.Kind{"of_another_version", audit.SignInFailed}, epoch, end,
		counted("of_another_version", audit.SignInFailed))
}

func auditCountsRange(t *testing.T, b storage.Backend) {
	mustAppend(t, b, event("before", epoch.Add(-time.Millisecond)), event("at", epoch), event("in", epoch.Add(time.Minute)),
		event("last", epoch.Add(time.Hour-time.Millisecond)), event("end", epoch.Add(time.Hour)))
	kinds := []audit.Kind{audit.SessionRevoked}
	of := func(n int) map[audit.Kind]int { return counted(slices.Repeat(kinds, n)...) }
	wantCounts(t, b, kinds, epoch, epoch.Add(time.Hour), of(3))
	wantCounts(t, b, kinds, epoch.Add(-time.Millisecond), epoch.Add(time.Millisecond), of(2))
	wantCounts(t, b, kinds, epoch.Add(time.Hour), epoch.AddDate(1, 0, 0), of(1))
	wantCounts(t, b, kinds, epoch, epoch, counted())
}

func auditSweep(t *testing.T, b storage.Backend) {
	es := []audit.Event{event("before", epoch.Add(-time.Millisecond)), event("at", epoch), event("after", epoch.Add(time.Millisecond))}
	mustAppend(t, b, es...)
	for _, want := range []int{1, 0} {
		if n, err := b.AuditTrail().Sweep(t.Context(), epoch, 9); err != nil || n != want {
			t.Errorf("Sweep: got %d, %v; want %d", n, err, want)
		}
		wantTrail(t, b, es[1:]...)
	}
	mustAppend(t, b, es[0]) // the id of a swept event is free
	wantTrail(t, b, es...)
}

func auditSweepOldest(t *testing.T, b storage.Backend) {
	es := events(8)
	for i := range 4 {
		es[i].At = epoch // ordered by id
	}
	for _, i := range []int{5, 2, 0, 7, 3, 1, 6, 4} {
		mustAppend(t, b, es[i])
	}
	for _, c := range []struct{ limit, want, left int }{{0, 0, 8}, {3, 3, 5}, {2, 2, 3}, {9, 2, 1}, {9, 0, 1}} {
		if n, err := b.AuditTrail().Sweep(t.Context(), es[7].At, c.limit); err != nil || n != c.want {
			t.Errorf("Sweep of %d: got %d, %v; want %d", c.limit, n, err, c.want)
		}
		wantTrail(t, b, es[8-c.left:]...)
	}
}

func auditEndedContext(t *testing.T, b storage.Backend) {
	es := events(2)
	mustAppend(t, b, es[0])
	for want, ctx := range ended(t) {
		wantErr(t, "Append", b.AuditTrail().Append(ctx, es[1]), want)
		wantErr(t, "Append of nothing", b.AuditTrail().Append(ctx), want)
		_, err := b.AuditTrail().List(ctx, audit.Query{Limit: 9})
		wantErr(t, "List", err, want)
		_, err = b.AuditTrail().Counts(ctx, audit.Kinds(), epoch, epoch.Add(time.Hour))
		wantErr(t, "Counts", err, want)
		_, err = b.AuditTrail().Sweep(ctx, epoch.Add(time.Hour), 9)
		wantErr(t, "Sweep", err, want)
	}
	wantTrail(t, b, es[0])
}
