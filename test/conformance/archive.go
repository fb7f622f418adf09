package conformance

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"roster/adapters/storage"
	"roster/domain/user"
	"roster/ports/outbound"
)

// archives are the checks of the archive beside those for each kind of record.
var archives = []check{
	{"IDsOfBothKindsAreInOrder", archiveIDs},
	{"EmailTaken", archiveEmailTaken},
	{"KeyIsReportedBeforeEmail", archiveKeyBeforeEmail},
	{"MixedBatch", archiveMixedBatch},
	{"OneOfManyWinsAnEmail", archiveEmailRace},
	{"PutUsersAreFoundAndCounted", archiveFound},
	{"PutUsersCanBeChanged", archiveChanged},
	{"CountingGoesOnAboveAPutID", archiveCounting},
	{"RefusedIDDoesNotCount", archiveRefusedID},
	{"SkipNeverGoesBack", archiveSkip},
	{"IDsEndedContext", archiveIDsEndedContext},
}

// forKinds are the checks of the archive for the collections of these kinds. A large batch has large records.
func forKinds(large int, kinds ...anyKind) []check {
	of := func(run func(anyKind, *testing.T, storage.Backend)) func(*testing.T, storage.Backend) {
		return func(t *testing.T, b storage.Backend) {
			for _, k := range kinds {
				run(k, t, b)
			}
		}
	}
	return []check{
		{"PutRoundTripsEveryField", of(anyKind.roundTrip)},
		{"PagesAreCompleteAndInOrder", of(anyKind.pages)},
		{"KeyTakenLeavesTheRecordAsItWas", of(anyKind.keyTaken)},
		{"LargeBatch", of(func(k anyKind, t *testing.T, b storage.Backend) { k.largeBatch(t, b, large) })},
		{"PutOfNothing", of(anyKind.nothing)},
		{"BadRecordStoresNothing", of(anyKind.badRecord)},
		{"OneOfManyPutsWinsAKey", of(anyKind.keyRace)},
		{"PutIsSwept", of(anyKind.sweep)},
		{"EndedContext", of(anyKind.endedContext)},
	}
}

// put stores records and fails unless each is refused with the error in want; those beyond want must be stored.
func put[T any](t *testing.T, c outbound.Collection[T], records []T, want ...error) {
	t.Helper()
	refused, err := c.Put(t.Context(), records)
	if err != nil || len(refused) != len(records) {
		t.Errorf("Put: %d answers to %d records, %v", len(refused), len(records), err)
		return
	}
	for i, err := range refused {
		var as error
		if i < len(want) {
			as = want[i]
		}
		if !errors.Is(err, as) {
			t.Errorf("Put, record %d, %s: refused as %v, want %v", i, c.Key(records[i]), err, as)
		}
	}
}

// all reads all records, by pages of a size.
func all[T any](t *testing.T, c outbound.Collection[T], size int) (out []T) {
	t.Helper()
	for after := ""; ; after = c.Key(out[len(out)-1]) {
		page, err := c.Page(t.Context(), after, size)
		if err != nil || len(page) > size {
			t.Fatalf("Page of %d after %q: %d records, %v", size, after, len(page), err)
		}
		if out = append(out, page...); len(page) == 0 {
			return out
		}
		if key := c.Key(page[0]); key <= after {
			t.Fatalf("Page after %q begins with %q", after, key)
		}
	}
}

// holds fails unless a collection has exactly these records, in the order of their keys, and the port of the kind has
// them too.
func (k kind[T]) holds(t *testing.T, b storage.Backend, want ...T) {
	t.Helper()
	c := k.of(b.Archive())
	got := all(t, c, 1000)
	if len(got) != len(want) {
		t.Errorf("%s: there are %d records, want %d", k.name, len(got), len(want))
		return
	}
	for i, x := range want {
		same(t, k.name+" "+c.Key(x)+" in a page", got[i], x)
		same(t, k.name+" "+c.Key(x)+" by its port", k.get(t, b, x), x)
	}
}

func (k kind[T]) some(n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = k.nth(i)
	}
	return out
}

func (k kind[T]) roundTrip(t *testing.T, b storage.Backend) {
	records := k.some(3)
	mustNotBeZero(t, records[0], k.unset...)
	records[1] = k.empty(records[1])
	put(t, k.of(b.Archive()), records)
	k.holds(t, b, records...)
}

func (k kind[T]) pages(t *testing.T, b storage.Backend) {
	c := k.of(b.Archive())
	if got := all(t, c, 2); len(got) != 0 {
		t.Errorf("%s: there are %d records in an empty backend", k.name, len(got))
	}
	want := k.some(7)
	put(t, c, []T{want[4], want[0], want[6]})
	put(t, c, []T{want[1], want[5], want[3], want[2]})
	for _, size := range []int{1, 2, 3, 7, 8} {
		if got := all(t, c, size); !slices.Equal(got, want) {
			t.Errorf("%s: pages of %d: got %v, want %v", k.name, size, got, want)
		}
	}
	for _, c2 := range []struct {
		after string
		limit int
		want  []T
	}{
		{"", 0, nil}, {"", -1, nil}, {c.Key(want[2]), 2, want[3:5]}, {c.Key(want[2]) + "!", 2, want[3:5]}, {c.Key(want[6]), 9, nil},
		{"~", 9, nil},
	} {
		if got, err := c.Page(t.Context(), c2.after, c2.limit); err != nil || !slices.Equal(got, c2.want) {
			t.Errorf("%s: Page(%q, %d): got %v, %v; want %v", k.name, c2.after, c2.limit, got, err, c2.want)
		}
	}
}

func (k kind[T]) keyTaken(t *testing.T, b storage.Backend) {
	c := k.of(b.Archive())
	was := k.some(4)
	put(t, c, was[:3])
	put(t, c, []T{k.other(was[0]), was[1], was[3], k.other(was[2])}, outbound.ErrKeyTaken, outbound.ErrKeyTaken, nil, outbound.ErrKeyTaken)
	k.holds(t, b, was...)
	put(t, c, was, slices.Repeat([]error{outbound.ErrKeyTaken}, len(was))...)
	k.holds(t, b, was...)
}

// largeBatch puts n records. A part of them is stored already.
func (k kind[T]) largeBatch(t *testing.T, b storage.Backend, n int) {
	c, records := k.of(b.Archive()), k.some(n)
	var there []T
	want := make([]error, n)
	for i := n / 3; i < n; i += 2 {
		there, want[i] = append(there, records[i]), outbound.ErrKeyTaken
	}
	put(t, c, there)
	put(t, c, records, want...)
	if got := all(t, c, 250); !slices.Equal(got, records) {
		t.Errorf("%s: there are %d records, want %d", k.name, len(got), n)
	}
}

func (k kind[T]) nothing(t *testing.T, b storage.Backend) {
	put(t, k.of(b.Archive()), nil)
	k.holds(t, b)
}

func (k kind[T]) badRecord(t *testing.T, b storage.Backend) {
	c, good := k.of(b.Archive()), k.some(3)
	for i, spoil := range k.broken {
		bad := spoil(good[1])
		_, err := c.Put(t.Context(), []T{good[0], bad, good[2]})
		if err == nil || !strings.Contains(err.Error(), c.Key(bad)) {
			t.Errorf("%s, broken in way %d: got error %v, want one with its key %s", k.name, i, err, c.Key(bad))
		}
		k.holds(t, b)
	}
}

func (k kind[T]) keyRace(t *testing.T, b storage.Backend) {
	c, records := k.of(b.Archive()), k.some(crowd+2)
	won := make([]int, len(records))
	refused := make([][]error, crowd)
	for _, err := range atOnce(func(i int) (err error) { // each of three records is put three times
		refused[i], err = c.Put(t.Context(), records[i:i+3])
		return err
	}) {
		wantErr(t, k.name+": Put", err, nil)
	}
	for i, of := range refused {
		for j, err := range of {
			if err == nil {
				won[i+j]++
			} else {
				wantErr(t, k.name+": a loser", err, outbound.ErrKeyTaken)
			}
		}
	}
	if want := slices.Repeat([]int{1}, len(records)); !slices.Equal(won, want) {
		t.Errorf("%s: the records were stored %v times, want each once", k.name, won)
	}
	k.holds(t, b, records...)
}

func (k kind[T]) sweep(t *testing.T, b storage.Backend) {
	if k.swept == nil {
		return // users are not swept
	}
	put(t, k.of(b.Archive()), k.some(5))
	for _, want := range []int{3, 2, 0} {
		if n, err := k.swept(t, b, 3); err != nil || n != want {
			t.Errorf("%s: Sweep: got %d, %v; want %d", k.name, n, err, want)
		}
	}
	k.holds(t, b)
	put(t, k.of(b.Archive()), k.some(1)) // the key of a swept record is free
	k.holds(t, b, k.nth(0))
}

func (k kind[T]) endedContext(t *testing.T, b storage.Backend) {
	c := k.of(b.Archive())
	put(t, c, k.some(1))
	for want, ctx := range ended(t) {
		_, err := c.Page(ctx, "", 9)
		wantErr(t, k.name+": Page", err, want)
		_, err = c.Put(ctx, k.some(3))
		wantErr(t, k.name+": Put", err, want)
		_, err = c.Put(ctx, nil)
		wantErr(t, k.name+": Put of nothing", err, want)
	}
	k.holds(t, b, k.nth(0))
}

// snapshots returns the states of users.
func snapshots(us ...*user.User) []user.Snapshot {
	out := make([]user.Snapshot, len(us))
	for i, u := range us {
		out[i] = u.Snapshot()
	}
	return out
}
