package sqlite

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"roster/adapters/storage"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		url, path, err string
	}{
		{"sqlite:", "data/roster.db", ""},
		{"sqlite:other.db", "other.db", ""},
		{"sqlite:./dir/other.db", "dir/other.db", ""},
		{"sqlite:/abs/x.db", "/abs/x.db", ""},
		{"sqlite:///abs/x.db", "/abs/x.db", ""},
		{"sqlite:///with%20blank/%23%3F%25.db", "/with blank/#?%.db", ""},
		{"sqlite:with%20blank.db", "with blank.db", ""},
		{"sqlite://host/x.db", "", "names a host"},
		{"sqlite://user:secret@host/x.db", "", "names a host"},
		{"sqlite:other.db?group_commit=off", "other.db", ""},
		{"sqlite:other.db?group_commit=on", "", "the only one is group_commit=off"},
		{"sqlite:x.db?mode=ro", "", `unknown option "mode=ro"`},
		{"sqlite:?cache=shared", "", "unknown option"},
		{"sqlite:x#y.db", "", "fragment"},
		{"sqlite::memory:", "", "use memory: instead"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatalf("%s: %v", c.url, err)
		}
		b, err := Driver.Open(u, storage.Options{DataDir: "data"})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got error %v, want %q", c.url, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		want, err := filepath.Abs(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.(*Store).path; got != want {
			t.Errorf("%s: got path %s, want %s", c.url, got, want)
		}
		if err := b.Close(t.Context()); err != nil { // also before Start
			t.Errorf("%s: Close: %v", c.url, err)
		}
	}
}
