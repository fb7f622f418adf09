package config

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/configuration.md")

// The tables in docs/configuration.md are those that the tags of Config make.
func TestDocumentedTables(t *testing.T) {
	const path = "../../docs/configuration.md"
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	for _, s := range []struct{ name, body string }{
		{"settings", Table()},
		{"profiles", ProfilesTable()},
	} {
		var ok bool
		if text, ok = replaceSection(text, s.name, s.body); !ok {
			t.Errorf("docs/configuration.md has no section between <!-- %[1]s --> and <!-- /%[1]s -->", s.name)
			text = string(old)
		}
	}
	if t.Failed() || text == string(old) {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("docs/configuration.md differs from the settings (go test ./bootstrap/config -update rewrites it):\n%s", cmp.Diff(string(old), text))
}

// replaceSection puts body between the lines <!-- name --> and <!-- /name -->.
func replaceSection(text, name, body string) (replaced string, ok bool) {
	lines := strings.SplitAfter(text, "\n")
	begin := slices.Index(lines, "<!-- "+name+" -->\n")
	end := slices.Index(lines, "<!-- /"+name+" -->\n")
	if begin < 0 || end < begin {
		return "", false
	}
	return strings.Join(lines[:begin+1], "") + body + strings.Join(lines[end:], ""), true
}
