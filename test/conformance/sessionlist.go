package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/session"
	"roster/domain/user"
)

var sessionLists = []check{
	{"EmptyIsNoFailure", sessionListEmpty},
	{"RoundTripsEveryField", sessionListRoundTrip},
	{"NewestFirstAndBack", sessionListOrder},
	{"SkipsTheFirst", sessionListSkip},
	{"OnlyTheOwners", sessionListOwners},
	{"OnlyLive", sessionListLive},
	{"OnlyOfEpoch", sessionListEpoch},
	{"FollowsUpdates", sessionListUpdates},
	{"PagesAreCompleteUnderEqualTimes", sessionListPages},
	{"PlaceOfASessionThatIsGoneHolds", sessionListGonePlace},
	{"WhatIsReturnedIsACopy", sessionListCopy},
	{"AgreesWithTheModel", sessionListModel},
	{"EndedContext", sessionListEndedContext},
}

// living is the query for live sessions at epoch.
func living(t *testing.T, id session.ID, owner user.ID, created time.Time) *session.Session {
	t.Helper()
	return session.Start(id, owner, 0, created, rotating, session.Client{UserAgent: "Agent/1.0 (ünïcode)", Address: "2001:db8::1"})
}

func mustListSessions(t *testing.T, b storage.Backend, q session.Query) []*session.Session {
	t.Helper()
	xs, err := b.Sessions().List(t.Context(), q)
	if err != nil {
		t.Fatalf("Sessions.List(%+v): %v", q, err)
	}
	return xs
}

func sessionIDs(xs []*session.Session) string {
	out := make([]string, len(xs))
	for i, x := range xs {
		out[i] = string(x.ID())
	}
	return strings.Join(out, " ")
}

func wantSessions(t *testing.T, b storage.Backend, q session.Query, want string) {
	t.Helper()
	if got := sessionIDs(mustListSessions(t, b, q)); got != want {
		t.Errorf("List(%+v): got %q, want %q", q, got, want)
	}
}

// walkSessions reads all pages of a query, each from the last session of the one before.
func walkSessions(t *testing.T, b storage.Backend, q session.Query) (all []*session.Session) {
	t.Helper()
	for {
		page := mustListSessions(t, b, q)
		if len(page) > q.Limit {
			t.Fatalf("List returned %d sessions, more than the limit of %d", len(page), q.Limit)
		}
		if len(page) == 0 || len(all) > 1000 {
			return all
		}
		all = append(all, page...)
		q.From = new(page[len(page)-1].Position())
	}
}

func sessionListEmpty(t *testing.T, b storage.Backend) {
	wantSessions(t, b, session.Query{Owner: "1", LiveAt: epoch, Limit: 9}, "")
	mustAddSession(t, b, living(t, "a", "1", epoch))
	for _, owner := range []user.ID{"2", "01", "+1", "", uuidA} {
		wantSessions(t, b, session.Query{Owner: owner, LiveAt: epoch, Limit: 9}, "")
	}
}

func sessionListRoundTrip(t *testing.T, b storage.Backend) {
	for _, owner := range []user.ID{"1", "9223372036854775807", uuidA} {
		s := visit(t, session.ID("of"+owner), owner).Snapshot()
		s.RevokedAt, s.Reason = time.Time{}, ""
		mustAddSession(t, b, resumed(t, s))
		xs := mustListSessions(t, b, session.Query{Owner: owner, LiveAt: epoch, Epoch: 2, Limit: 9})
		if len(xs) != 1 {
			t.Fatalf("List: got %d sessions, want 1", len(xs))
		}
		sameSession(t, "List", xs[0], s)
	}
}

func sessionListOrder(t *testing.T, b storage.Backend) {
	for i, id := range []session.ID{"m", "c", "x", "a", "z"} {
		mustAddSession(t, b, living(t, id, "1", epoch.Add(time.Duration(i)*time.Millisecond)))
	}
	mustAddSession(t, b, living(t, "long ago", "1", epoch.Add(-time.Minute)))
	q := session.Query{Owner: "1", LiveAt: epoch, Limit: 9}
	wantSessions(t, b, q, "z a x c m long ago")
	q.Limit = 2
	wantSessions(t, b, q, "z a")
	q.Back = true
	wantSessions(t, b, q, "long ago m")
	q.From = &session.Position{Created: epoch.Add(time.Millisecond), ID: "c"}
	wantSessions(t, b, q, "x a")
	q.Back = false
	wantSessions(t, b, q, "m long ago")
	q.Limit = 1 << 40
	wantSessions(t, b, q, "m long ago")
}

func sessionListSkip(t *testing.T, b storage.Backend) {
	for i, id := range []session.ID{"a", "revoked", "b", "c", "d"} {
		x := living(t, id, "1", epoch.Add(time.Duration(i)*time.Second))
		if id == "revoked" {
			x.Revoke(epoch, session.Ended)
		}
		mustAddSession(t, b, x, living(t, "of another "+id, "2", epoch))
	}
	for skip, want := range []string{"d c", "c b", "b a", "a", "", ""} {
		wantSessions(t, b, session.Query{Owner: "1", LiveAt: epoch, Skip: skip, Limit: 2}, want)
	}
	place := session.Position{Created: epoch, ID: "a"}
	wantSessions(t, b, session.Query{Owner: "1", LiveAt: epoch, From: &place, Back: true, Skip: 1, Limit: 9}, "c d")
}

func sessionListOwners(t *testing.T, b storage.Backend) {
	for i, owner := range []user.ID{"1", "11", "1", uuidA, uuidB, "111"} {
		mustAddSession(t, b, living(t, session.ID(fmt.Sprint("s", i)), owner, epoch.Add(time.Duration(i)*time.Second)))
	}
	for owner, want := range map[user.ID]string{"1": "s2 s0", "11": "s1", "111": "s5", uuidA: "s3", uuidB: "s4", "2": ""} {
		for _, back := range []bool{false, true} {
			if back && owner == "1" {
				want = "s0 s2"
			}
			wantSessions(t, b, session.Query{Owner: owner, LiveAt: epoch, Back: back, Limit: 9}, want)
		}
	}
}

func sessionListLive(t *testing.T, b storage.Backend) {
	for name, after := range map[session.ID]time.Duration{"before": -time.Millisecond, "at": 0, "after": time.Millisecond} {
		s := living(t, name, "1", epoch.Add(-time.Hour)).Snapshot()
		s.Expires = epoch.Add(after)
		mustAddSession(t, b, resumed(t, s))
	}
	revoked := living(t, "revoked", "1", epoch)
	revoked.Revoke(epoch.Add(time.Hour), session.SignedOut) // revoked in the future, by a clock that is ahead: not listed
	mustAddSession(t, b, revoked)
	wantSessions(t, b, session.Query{Owner: "1", LiveAt: epoch, Limit: 9}, "after")
	wantSessions(t, b, session.Query{Owner: "1", LiveAt: epoch.Add(-time.Millisecond), Limit: 9}, "at after")
	wantSessions(t, b, session.Query{Owner: "1", LiveAt: epoch.Add(time.Millisecond), Limit: 9}, "")
}

func sessionListEpoch(t *testing.T, b storage.Backend) {
	for i, name := range []session.ID{"none", "older", "same", "newer"} {
		x := living(t, name, "1", epoch.Add(time.Duration(i)*time.Second))
		x.RenewEpoch(inEpoch(int64(i)))
		mustAddSession(t, b, x)
	}
	q := session.Query{Owner: "1", LiveAt: epoch, Limit: 9}
	wantSessions(t, b, q, "newer same older none")
	q.Epoch = 2
	wantSessions(t, b, q, "newer same")
	q.Epoch = 4
	wantSessions(t, b, q, "")
}

func sessionListUpdates(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, living(t, "a", "1", epoch), living(t, "b", "1", epoch.Add(time.Second)))
	_, err := b.Sessions().Update(t.Context(), "b", func(x *session.Session) error {
		x.Revoke(epoch.Add(time.Minute), session.Ended)
		return nil
	})
	wantErr(t, "Update", err, nil)
	_, err = b.Sessions().Update(t.Context(), "a", func(x *session.Session) error {
		x.RecordUse(epoch.Add(time.Minute))
		return nil
	})
	wantErr(t, "Update", err, nil)
	q := session.Query{Owner: "1", LiveAt: epoch, Limit: 9}
	wantSessions(t, b, q, "a")
	if used := mustListSessions(t, b, q)[0].LastUsed(); !used.Equal(epoch.Add(time.Minute)) {
		t.Errorf("the last use is %v, want a minute after %v", used, epoch)
	}
	wantErr(t, "DeleteOf", b.Sessions().DeleteOf(t.Context(), "1"), nil)
	wantSessions(t, b, q, "")
}

func sessionListPages(t *testing.T, b storage.Backend) {
	var ids []string
	for i := range 12 {
		ids = append(ids, fmt.Sprintf("%024x", i*7919%12)) // 0 to 11, in no order
		mustAddSession(t, b, living(t, session.ID(ids[i]), "1", epoch), living(t, session.ID("of another "+ids[i]), "2", epoch))
	}
	slices.Sort(ids)
	up := strings.Join(ids, " ")
	slices.Reverse(ids)
	down := strings.Join(ids, " ")
	for _, size := range []int{1, 2, 5, 12} {
		for back, want := range map[bool]string{false: down, true: up} {
			if got := sessionIDs(walkSessions(t, b, session.Query{Owner: "1", LiveAt: epoch, Back: back, Limit: size})); got != want {
				t.Errorf("pages of %d, back %t: got %q, want %q", size, back, got, want)
			}
		}
	}
}

func sessionListGonePlace(t *testing.T, b storage.Backend) {
	for i, id := range []session.ID{"a", "b", "d", "e"} {
		mustAddSession(t, b, living(t, id, "1", epoch.Add(time.Duration(i/2)*time.Second)))
	}
	q := session.Query{Owner: "1", LiveAt: epoch, Limit: 9}
	for _, place := range []session.Position{{Created: epoch, ID: "c"}, {Created: epoch.Add(time.Second), ID: "c"},
		{Created: epoch.Add(time.Millisecond), ID: "x"}} {
		q.From, q.Back = &place, false
		wantSessions(t, b, q, "b a")
		q.Back = true
		wantSessions(t, b, q, "d e")
	}
}

func sessionListCopy(t *testing.T, b storage.Backend) {
	mustAddSession(t, b, living(t, "a", "1", epoch))
	q := session.Query{Owner: "1", LiveAt: epoch, Limit: 9}
	mustListSessions(t, b, q)[0].Revoke(epoch, session.Ended)
	sameSession(t, "after changing what List returned", mustGetSession(t, b, "a"), living(t, "a", "1", epoch).Snapshot())
	wantSessions(t, b, q, "a")
}

// sessionListModel runs many random queries, the same in every run.
func sessionListModel(t *testing.T, b storage.Backend) {
	rnd := rand.New(rand.NewPCG(11, 2024))
	instant := func() time.Time { return epoch.Add(time.Duration(rnd.IntN(5)) * time.Millisecond) }
	owners := []user.ID{"1", "2", uuidA}
	var xs []*session.Session
	for i := range 60 {
		s := visit(t, session.ID(fmt.Sprintf("%024x", rnd.Uint32())), owners[rnd.IntN(len(owners))]).Snapshot()
		s.Epoch, s.Created, s.Expires = rnd.Int64N(4), instant(), instant()
		if i%4 > 0 {
			s.RevokedAt, s.Reason = time.Time{}, ""
		}
		xs = append(xs, resumed(t, s))
	}
	mustAddSession(t, b, xs...)
	found := 0
	for range 300 {
		q := session.Query{Owner: owners[rnd.IntN(len(owners))], LiveAt: instant().Add(-2 * time.Millisecond), Back: rnd.IntN(2) == 0,
			Limit: 1 + rnd.IntN(10)}
		if rnd.IntN(2) == 0 {
			q.Epoch = rnd.Int64N(4)
		}
		if rnd.IntN(2) == 0 {
			q.From = new(xs[rnd.IntN(len(xs))].Position())
		}
		if rnd.IntN(2) == 0 {
			q.Skip = rnd.IntN(4)
		}
		want := sessionModel(xs, q)
		found += len(want)
		wantSessions(t, b, q, sessionIDs(want))
	}
	if found < 300 {
		t.Errorf("the case does not show enough: %d sessions were wanted", found)
	}
}

// sessionModel is List by the rules of the domain.
func sessionModel(xs []*session.Session, q session.Query) []*session.Session {
	direction := -1 // of time
	if q.Back {
		direction = 1
	}
	var out []*session.Session
	for _, x := range xs {
		if q.Matches(x) && (q.From == nil || direction*x.Position().Compare(*q.From) > 0) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b *session.Session) int { return direction * a.Position().Compare(b.Position()) })
	out = out[min(q.Skip, len(out)):]
	return out[:min(q.Limit, len(out))]
}

func sessionListEndedContext(t *testing.T, b storage.Backend) {
	for want, ctx := range ended(t) {
		for _, owner := range []user.ID{"1", "01"} {
			_, err := b.Sessions().List(ctx, session.Query{Owner: owner, LiveAt: epoch, Limit: 9})
			wantErr(t, "List", err, want)
		}
	}
}
