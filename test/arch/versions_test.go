package arch_test

import (
	"go/version"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// oldest are the first versions without known vulnerabilities that reach this service. It does not replace govulncheck,
// which needs a database over the network and so is not a test.
var oldest = map[string]string{
	"github.com/golang-jwt/jwt/v5":   "v5.3.1",
	"github.com/jackc/pgx/v5":        "v5.9.2",
	"go.mongodb.org/mongo-driver/v2": "v2.4.2",
	"golang.org/x/text":              "v0.39.0",
}

const oldestGo = "go1.26.6"

func TestNoVersionIsKnownToBeVulnerable(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range outdated(string(mod), runtime.Version()) {
		t.Error(f)
	}
}

func TestOutdatedVersionsAreFound(t *testing.T) {
	good := "require (\n"
	for module, v := range oldest {
		good += "\t" + module + " " + v + " // indirect\n"
	}
	for name, c := range map[string]struct {
		mod, toolchain string
		want           int
	}{
		"good":              {good, oldestGo, 0},
		"newer":             {strings.ReplaceAll(good, "v5.9.2", "v5.12.0"), "go1.27rc1", 0},
		"older":             {strings.ReplaceAll(good, "v5.9.2", "v5.9.1"), oldestGo, 1},
		"older, as a text":  {strings.ReplaceAll(good, "v0.39.0", "v0.4.0"), oldestGo, 1},
		"a module is gone":  {strings.ReplaceAll(good, "golang.org/x/text", "golang.org/x/test"), oldestGo, 1},
		"an older Go":       {good, "go1.26.5", 1},
		"a Go of one's own": {good, "devel go1.26-0123456789", 1},
	} {
		if found := outdated(c.mod, c.toolchain); len(found) != c.want {
			t.Errorf("%s: %q, want %d", name, found, c.want)
		}
	}
}

func outdated(mod, toolchain string) (found []string) {
	if version.Compare(toolchain, oldestGo) < 0 {
		found = append(found, "Go is "+toolchain+", want "+oldestGo+" or newer")
	}
	have := map[string]string{}
	for line := range strings.Lines(mod) {
		if words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(words) >= 2 {
			have[words[0]] = words[1]
		}
	}
	for module, want := range oldest {
		// Versions of modules, in the spelling of Go's versions, have the same order.
		if v := have[module]; version.Compare("go"+strings.TrimPrefix(v, "v"), "go"+strings.TrimPrefix(want, "v")) < 0 {
			found = append(found, module+" is "+v+", want "+want+" or newer")
		}
	}
	return found
}
