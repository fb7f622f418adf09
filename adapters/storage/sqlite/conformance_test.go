package sqlite_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"roster/adapters/storage"
	"roster/adapters/storage/sqlite"
	"roster/test/conformance"
)

func TestConformance(t *testing.T) {
	migrated := migrated(t)
	conformance.Backend(t, func(t *testing.T) storage.Backend {
		path := filepath.Join(t.TempDir(), "roster.db")
		if err := os.WriteFile(path, migrated, 0o600); err != nil {
			t.Fatal(err)
		}
		return start(t, path)
	})
}

// migrated returns the file of an empty database. A copy of it costs a fraction of what the migrations cost under the
// race detector.
func migrated(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roster.db")
	if err := open(t, path).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestConformanceOfALoad runs the suite on databases that were opened for a load.
func TestConformanceOfALoad(t *testing.T) {
	migrated := migrated(t)
	conformance.Backend(t, func(t *testing.T) storage.Backend {
		path := filepath.Join(t.TempDir(), "roster.db")
		if err := os.WriteFile(path, migrated, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := sqlite.Driver.Open(&url.URL{Scheme: "sqlite", Path: path}, storage.Options{Load: true})
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
	})
}

func TestOpenings(t *testing.T) {
	conformance.Openings(t, func(t *testing.T) conformance.Opener {
		u := &url.URL{Scheme: "sqlite", Path: filepath.Join(t.TempDir(), "roster.db")}
		return func(o storage.Options) (storage.Backend, error) { return sqlite.Driver.Open(u, o) }
	})
}

func TestConformanceOfTwo(t *testing.T) {
	conformance.Shared(t, func(t *testing.T) (one, other storage.Backend) {
		path := filepath.Join(t.TempDir(), "roster.db")
		return start(t, path), start(t, path)
	})
}

// start opens the database at path until the test ends.
func start(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s := open(t, path)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// open opens it until it is shut.
func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.New(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Start(ctx)
	cancel() // nothing may depend on it
	if err != nil {
		t.Fatal(err)
	}
	return s
}
