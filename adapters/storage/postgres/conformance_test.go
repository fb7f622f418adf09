package postgres_test

import (
	"context"
	"net/url"
	"testing"

	"roster/adapters/storage"
	"roster/adapters/storage/postgres"
	"roster/test/conformance"
	"roster/test/support/testenv"
)

func TestConformance(t *testing.T) {
	conformance.Backend(t, func(t *testing.T) storage.Backend { return start(t, testenv.Postgres(t)) })
}

func TestOpenings(t *testing.T) {
	conformance.Openings(t, func(t *testing.T) conformance.Opener {
		u, err := url.Parse(testenv.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		return func(o storage.Options) (storage.Backend, error) { return postgres.Driver.Open(u, o) }
	})
}

func TestConformanceOfTwo(t *testing.T) {
	conformance.Shared(t, func(t *testing.T) (one, other storage.Backend) {
		base := testenv.Postgres(t)
		return start(t, base), start(t, base)
	})
}

// start opens the database at a URL until the test ends.
func start(t *testing.T, base string) *postgres.Store {
	t.Helper()
	s := open(t, base)
	t.Cleanup(func() { shut(t, s) })
	return s
}

// open opens it until it is shut.
func open(t *testing.T, base string) *postgres.Store {
	t.Helper()
	s, err := postgres.New(base)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Start(ctx)
	cancel() // nothing may hang on to it
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t *testing.T, s *postgres.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
