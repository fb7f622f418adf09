package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"roster/adapters/storage"
	"roster/domain/user"
)

// Opener returns a backend that is not started. All backends of an Opener share one database.
type Opener func(o storage.Options) (storage.Backend, error)

// opening is a check of Start. Its Opener has a place without a database; another returns the Opener of another such
// place.
type opening struct {
	name string
	run  func(t *testing.T, open Opener, another func() Opener)
}

var openings = []opening{
	{"NothingIsCreatedUnlessItMayBe", opensNothing},
	{"CreationIsReported", creationIsReported},
	{"ReadingSeesWhatWasWritten", readingSees},
	{"SameDatabase", sameDatabase},
}

// Openings runs the checks of Start and Same for a backend that outlives its process. place returns a place without a
// database.
func Openings(t *testing.T, place func(t *testing.T) Opener) {
	t.Run("Openings", func(t *testing.T) {
		for _, o := range openings {
			t.Run(o.name, func(t *testing.T) { o.run(t, place(t), func() Opener { return place(t) }) })
		}
	})
}

// started opens a database until the test ends.
func (open Opener) started(t *testing.T, o storage.Options) storage.Backend {
	t.Helper()
	b, err := open(o)
	if err == nil {
		err = b.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

func opensNothing(t *testing.T, open Opener, _ func() Opener) {
	for range 2 { // the first try must not create a database that the second finds
		for name, access := range map[string]storage.Access{"Read": storage.Read, "Write": storage.Write} {
			b, err := open(storage.Options{Access: access})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Start(t.Context()); !errors.Is(err, storage.ErrNoDatabase) {
				t.Errorf("%s: %v, want ErrNoDatabase", name, err)
			}
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("%s: Close: %v", name, err)
			}
		}
	}
}

func creationIsReported(t *testing.T, open Opener, _ func() Opener) {
	for _, want := range []int{1, 0} { // notices: the second start finds the database of the first
		n := 0
		open.started(t, storage.Options{Notice: func(text string) {
			if strings.HasPrefix(text, "created") { // not the notices of indexes
				n++
			}
		}})
		if n != want {
			t.Errorf("%d notices, want %d", n, want)
		}
	}
}

func readingSees(t *testing.T, open Opener, _ func() Opener) {
	writer, err := open(storage.Options{})
	if err == nil {
		err = writer.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	u := person(t, "1")
	if err := writer.Users().Add(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	sees := func(what string, access storage.Access) {
		t.Helper()
		got, err := open.started(t, storage.Options{Access: access}).Users().Get(t.Context(), "1")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		sameUser(t, what, got, u.Snapshot())
	}
	sees("read beside a writer", storage.Read)
	sees("written beside a writer", storage.Write)
	if _, err := writer.Users().Update(t.Context(), "1", func(x *user.User) error { x.Rename("Bo", "Lee"); return nil }); err != nil {
		t.Fatal(err)
	}
	if u, err = writer.Users().Get(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	sees("read alone", storage.Read)
}

func sameDatabase(t *testing.T, open Opener, another func() Opener) {
	one, other := open.started(t, storage.Options{}), open.started(t, storage.Options{Access: storage.Read})
	third := another().started(t, storage.Options{})
	for _, c := range []struct {
		name string
		a, b storage.Backend
		want bool
	}{{"one database", one, other, true}, {"the other way round", other, one, true}, {"two databases", one, third, false},
		{"read", other, third, false}} {
		if got, err := c.a.Same(t.Context(), c.b); err != nil || got != c.want {
			t.Errorf("%s: Same is %v, %v", c.name, got, err)
		}
	}
}
