// Package arch_test checks that every import in the module follows the dependency rule.
package arch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "roster"

// A layer has the packages that a directory tree may import besides itself. The longest matching dir applies. A dir
// that ends in /* makes one layer of each child, so that siblings cannot import each other.
type layer struct {
	dir    string
	std    []string // allowed standard packages; nil means all
	inside []string // module directories, each with its subtree; a trailing dot means that package alone
	vendor []string // third-party path prefixes; "*" means any
	never  []string // third-party path prefixes that vendor does not include
}

var layers = []layer{
	{dir: "domain", std: []string{
		"cmp", "crypto/sha256", "encoding/base64", "encoding/hex", "errors", "fmt", "hash", "iter", "maps", "net/netip", "regexp", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
	}},
	{dir: "ports/inbound", std: []string{"context", "time"}, inside: []string{"domain"}},
	{dir: "ports/outbound", std: []string{"context", "time"}, inside: []string{"domain"}},
	{dir: "application", std: []string{
		"bytes",
		"cmp", "context", "crypto/sha256", "encoding/hex", // digests of copied records
		"errors", "fmt", "slices", "strconv", "strings", "sync", "sync/atomic", "time", "unicode/utf8",
	}, inside: []string{"domain", "ports"}},
	{dir: "adapters/*", inside: []string{"domain", "ports/outbound", "adapters/privatefile"}, vendor: []string{"*"}, never: wiring},
	{dir: "adapters/privatefile", std: []string{"errors", "fmt", "io", "io/fs", "os", "path/filepath", "runtime", "strings", "syscall"}},
	{dir: "adapters/browser", std: []string{"context", "net", "net/http", "net/netip", "net/url", "strings", "time"}, inside: []string{"domain"}},
	{dir: "adapters/django", inside: []string{"domain", "ports/outbound", "adapters/privatefile", "adapters/sqlitefile"}, vendor: []string{"*"}, never: wiring},
	{dir: "adapters/jwt", inside: []string{"domain", "ports/outbound", "adapters/signingkeys"}, vendor: []string{"*"}, never: wiring},
	{dir: "adapters/httpapi", inside: []string{"domain", "ports/inbound", "adapters/browser", "adapters/httpapi/openapi", "adapters/httpapi/pages"}, vendor: []string{
		"github.com/felixge/httpsnoop", "github.com/go-json-experiment/json", "github.com/go-playground/validator/v10",
		"github.com/gorilla/mux", "github.com/maypok86/otter/v2", "github.com/rs/cors", "github.com/throttled/throttled/v2",
		"go.uber.org/zap", "golang.org/x",
	}},
	{dir: "adapters/console", inside: []string{"domain", "ports/inbound", "adapters/browser"}, vendor: []string{"github.com/a-h/templ", "go.uber.org/zap"}},
	{dir: "adapters/telemetry", inside: []string{"domain", "ports"}, vendor: []string{"*"}, never: wiring},
	{dir: "adapters/httpapi/openapi", inside: []string{"domain"}, vendor: []string{"go.yaml.in/yaml/v3"}},
	{dir: "adapters/httpapi/pages", std: []string{
		"bytes", "compress/gzip", "crypto/sha256", "embed", "encoding/hex", "errors", "html", "io", "io/fs", "path", "slices",
		"strings", "sync",
	}, inside: []string{"domain"}},
	{dir: "adapters/storage", inside: []string{"domain", "ports/outbound"}},
	{dir: "adapters/storage/*", inside: []string{"domain", "ports/outbound", "adapters/storage."}, vendor: []string{"*"}, never: append([]string{"github.com/gorilla"}, wiring...)},
	{dir: "adapters/storage/postgres", inside: []string{"domain", "ports/outbound", "adapters/storage.", "adapters/storage/sqltable"}, vendor: []string{"*"}, never: append([]string{"github.com/gorilla"}, wiring...)},
	{dir: "adapters/storage/sqltable", inside: []string{"domain", "ports/outbound", "adapters/storage."}},
	{dir: "adapters/storage/sqlite", inside: []string{"domain", "ports/outbound", "adapters/storage.", "adapters/storage/sqltable", "adapters/privatefile", "adapters/sqlitefile"}, vendor: []string{"*"}, never: append([]string{"github.com/gorilla"}, wiring...)},
	{dir: "bootstrap", inside: []string{"bootstrap/config", "domain", "ports", "application", "adapters"}, vendor: []string{"*"}},
	{dir: "bootstrap/config", inside: []string{"domain", "adapters/privatefile"}, vendor: []string{
		"github.com/go-playground/validator/v10", "github.com/knadh/koanf", "github.com/spf13/pflag", "go.yaml.in/yaml/v3",
	}},
	{dir: "cmd", inside: []string{"bootstrap", "domain", "ports/inbound", "adapters/privatefile"}, vendor: []string{
		"github.com/schollz/progressbar/v3", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term",
	}},
	{dir: "test", inside: []string{"domain", "ports", "application", "adapters", "bootstrap"}, vendor: []string{"*"}},
}

// wiring is for bootstrap only.
var wiring = []string{"go.uber.org/fx", "go.uber.org/dig"}

// testTools are the libraries that the tests of every layer may use as well.
var testTools = []string{"github.com/creack/pty", "github.com/getkin/kin-openapi/openapi3", "github.com/google/go-cmp", "go.uber.org/goleak", "pgregory.net/rapid"}

func TestDependencyRule(t *testing.T) {
	used := map[string]int{}
	for _, v := range check(t, os.DirFS(filepath.Join("..", "..")), used) {
		t.Error(v)
	}
	for _, l := range layers { // a rule without files is a mistake
		if used[l.dir] == 0 {
			t.Errorf("rule for %s matched no file", l.dir)
		}
	}
}

// TestEveryBackendRunsConformance fails for a backend without the suite.
func TestEveryBackendRunsConformance(t *testing.T) {
	home := filepath.Join("..", "..", "adapters", "storage")
	entries, err := os.ReadDir(home)
	if err != nil {
		t.Fatal(err)
	}
	backends := 0
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "sqltable" { // the shared part of the SQL backends
			continue
		}
		backends++
		files, err := filepath.Glob(filepath.Join(home, e.Name(), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(f string) bool {
			src, err := os.ReadFile(f)
			return err == nil && strings.Contains(string(src), "conformance.Backend(")
		}) {
			t.Errorf("adapters/storage/%s does not run test/conformance", e.Name())
		}
	}
	if backends == 0 {
		t.Error("no backends found")
	}
}

// TestPlantedViolationsAreFound plants each kind of violation and expects the checker to name it.
func TestPlantedViolationsAreFound(t *testing.T) {
	for name, src := range map[string]string{
		"domain/user/a.go":                      `import _ "database/sql"`,
		"domain/user/b.go":                      `import _ "net/http"`,
		"domain/user/c.go":                      `import _ "context"`,
		"domain/user/d.go":                      `import _ "roster/ports/outbound"`,
		"domain/user/e.go":                      "//go:build never\n\npackage p\nimport _ \"go.uber.org/zap\"",
		"domain/user/f.go":                      `import _ "testing"`,
		"domain/user/g_test.go":                 `import _ "roster/adapters/storage/memory"`,
		"ports/inbound/a.go":                    `import _ "roster/ports/outbound"`,
		"ports/outbound/a.go":                   `import _ "database/sql"`,
		"application/a.go":                      `import _ "roster/adapters/system"`,
		"application/b.go":                      `import _ "go.uber.org/zap"`,
		"application/c.go":                      `import _ "net/http"`,
		"adapters/httpapi/a.go":                 `import _ "roster/adapters/storage/memory"`,
		"adapters/httpapi/b.go":                 `import _ "roster/application"`,
		"adapters/httpapi/c.go":                 `import _ "roster/ports/outbound"`,
		"adapters/httpapi/d.go":                 `import _ "modernc.org/sqlite"`,
		"adapters/httpapi/openapi/a.go":         `import _ "roster/adapters/httpapi"`,
		"adapters/httpapi/pages/a.go":           `import _ "go.yaml.in/yaml/v3"`,
		"adapters/console/a.go":                 `import _ "roster/adapters/httpapi"`,
		"adapters/console/b.go":                 `import _ "roster/ports/outbound"`,
		"adapters/console/c.go":                 `import _ "roster/application"`,
		"adapters/system/a.go":                  `import _ "roster/adapters/httpapi"`,
		"adapters/jwt/a.go":                     `import _ "go.uber.org/fx"`,
		"adapters/jwt/b.go":                     `import _ "roster/adapters/privatefile"`,
		"adapters/signingkeys/a.go":             `import _ "roster/adapters/jwt"`,
		"adapters/privatefile/a.go":             `import _ "roster/domain/user"`,
		"adapters/privatefile/b.go":             `import _ "go.uber.org/zap"`,
		"adapters/storage/a.go":                 `import _ "roster/adapters/storage/sqlite"`,
		"adapters/storage/b.go":                 `import _ "modernc.org/sqlite"`,
		"adapters/storage/sqlite/a.go":          `import _ "roster/adapters/storage/memory"`,
		"adapters/storage/sqlite/b_test.go":     `import _ "roster/adapters/storage/memory"`,
		"adapters/storage/memory/a.go":          `import _ "roster/test/conformance"`,
		"adapters/storage/memory/b.go":          `import _ "roster/adapters/storage/sqltable"`,
		"adapters/storage/mongodb/a.go":         `import _ "roster/adapters/storage/sqltable"`,
		"adapters/storage/sqltable/a.go":        `import _ "roster/adapters/storage/sqlite"`,
		"adapters/storage/sqltable/b.go":        `import _ "github.com/jackc/pgx/v5"`,
		"adapters/storage/sqlite/userlist/a.go": `import _ "roster/adapters/storage/postgres"`,
		"adapters/storage/newdb/a.go":           `import _ "go.uber.org/dig"`,
		"bootstrap/a.go":                        `import _ "roster/test/conformance"`,
		"bootstrap/config/a.go":                 `import _ "roster/adapters/httpapi"`,
		"bootstrap/config/b.go":                 `import _ "go.uber.org/fx"`,
		"cmd/roster/a.go":                       `import _ "roster/adapters/storage/sqlite"`,
		"cmd/roster/b.go":                       `import _ "go.uber.org/fx"`,
		"util/a.go":                             `import _ "fmt"`,
		"a.go":                                  `import _ "fmt"`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if !strings.Contains(src, "package p") {
				src = "package p\n" + src
			}
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := check(t, os.DirFS(dir), map[string]int{}); len(got) != 1 {
				t.Errorf("got %d findings: %q", len(got), got)
			}
		})
	}
}

// check returns every import below fsys that no rule allows, and counts each rule's files into used.
func check(t *testing.T, fsys fs.FS, used map[string]int) (found []string) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		l := owner(path.Dir(p))
		if l == nil {
			found = append(found, p+": no layer owns this directory")
			return nil
		}
		used[l.dir]++
		self := l.self(path.Dir(p))
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		// Parsing includes the files that build tags or GOOS exclude.
		f, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			ip, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			if !l.allows(self, ip, strings.HasSuffix(p, "_test.go")) {
				found = append(found, p+": "+self+" may not import "+ip)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func owner(dir string) *layer {
	var best *layer
	for i := range layers {
		l := &layers[i]
		if l.self(dir) != "" && (best == nil || len(l.dir) > len(best.dir)) {
			best = l
		}
	}
	return best
}

// self returns the tree that dir belongs to under l, or "" when it belongs to none.
func (l *layer) self(dir string) string {
	parent, each := strings.CutSuffix(l.dir, "/*")
	if !each {
		if under(dir, l.dir) {
			return l.dir
		}
		return ""
	}
	rest, ok := strings.CutPrefix(dir, parent+"/")
	if !ok {
		return ""
	}
	child, _, _ := strings.Cut(rest, "/")
	return parent + "/" + child
}

func (l *layer) allows(self, ip string, test bool) bool {
	if rel, ok := strings.CutPrefix(ip, module+"/"); ok {
		if owner(rel) != nil && owner(rel).self(rel) == self || test && under(rel, "test") {
			return true
		}
		for _, d := range l.inside {
			if exact, ok := strings.CutSuffix(d, "."); ok && rel == exact || !ok && under(rel, d) {
				return true
			}
		}
		return false
	}
	if first, _, _ := strings.Cut(ip, "/"); !strings.Contains(first, ".") { // standard library
		if under(ip, "testing") {
			return test || l.dir == "test"
		}
		return l.std == nil || test || slices.Contains(l.std, ip)
	}
	if test && slices.ContainsFunc(testTools, func(v string) bool { return under(ip, v) }) {
		return true
	}
	if slices.ContainsFunc(l.never, func(v string) bool { return under(ip, v) }) {
		return false
	}
	return slices.ContainsFunc(l.vendor, func(v string) bool { return v == "*" || under(ip, v) })
}

func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
