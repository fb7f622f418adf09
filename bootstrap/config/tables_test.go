package config

import (
	"flag"
	"fmt"
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
		{"settings", table()},
		{"profiles", profilesTable()},
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

// table returns the settings as the table of docs/configuration.md.
func table() string {
	var b strings.Builder
	b.WriteString("| setting | variable | default | meaning |\n|---|---|---|---|\n")
	for _, s := range settings {
		value, meaning := code(s.Value), s.Help
		if s.Varies {
			value = "by profile"
		}
		if len(s.Choices) > 0 {
			meaning += " (`" + strings.Join(s.Choices, "`, `") + "`)"
		}
		if s.Secret {
			meaning += "; or " + code(envOf(s.Name+fileSuffix)) + " names a file that holds it"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(s.Name), code(s.Env), value, cell(meaning))
	}
	return b.String()
}

// profilesTable returns the settings in which the profiles differ as the table of docs/configuration.md.
func profilesTable() string {
	var b strings.Builder
	b.WriteString("| setting | `django` | `standard` | `strict` |\n|---|---|---|---|\n")
	for _, s := range settings {
		if s.Varies {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n",
				code(s.Name), code(s.profiles[django]), code(s.profiles[standard]), code(s.profiles[strict]))
		}
	}
	return b.String()
}

func code(text string) string {
	if text == "" {
		return "empty"
	}
	return "`" + cell(text) + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
