package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"roster/bootstrap/config"
	"roster/domain/audit"
)

var (
	quoted   = regexp.MustCompile("`([^`\n]+)`")
	variable = regexp.MustCompile(`ROSTER_[A-Z_]+`)
	snake    = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)
	assigned = regexp.MustCompile(`^([a-z_]+): [a-z][\w-]*$`)
	folder   = regexp.MustCompile(`^(adapters|application|bootstrap|cmd|docs|domain|ports|test)/[\w./-]+$`)
)

// settings returns the names of all settings, and of their environment variables.
func settings(t testing.TB) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, s := range config.Settings() {
		names[s.Name], names[s.Env] = true, true
	}
	if len(names) < 100 {
		t.Fatalf("the table of settings has %d names", len(names))
	}
	return names
}

// foreign is what the documents name of other programs.
var foreign = map[string]string{"pg_dump": "PostgreSQL", "remote_jwks": "Envoy"}

// sources returns the text of all Go code but tests.
func sources(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"adapters", "application", "bootstrap", "cmd", "domain", "ports"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// Names of settings, members, claims and kinds, and paths, are those of the code.
func TestNamesExist(t *testing.T) {
	known, code := settings(t), map[string]bool{}
	for _, word := range regexp.MustCompile(`[a-z]+(_[a-z]+)+`).FindAllString(sources(t), -1) {
		code[word] = true
	}
	for page, text := range pages(t) {
		if strings.HasPrefix(page, "test/") { // these name Django's own, and tests that test/requirements checks
			continue
		}
		for _, name := range variable.FindAllString(text, -1) {
			if name = strings.TrimSuffix(name, "_FILE"); !known[name] {
				t.Errorf("%s names %s, which is no setting", page, name)
			}
		}
		for _, q := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			word := strings.TrimSuffix(q[1], "/")
			if m := assigned.FindStringSubmatch(word); m != nil && !known[m[1]] {
				t.Errorf("%s names %s, which is no setting", page, m[1])
			}
			if snake.MatchString(word) && !code[word] && foreign[word] == "" {
				t.Errorf("%s names %s, which the code does not have", page, word)
			}
			if folder.MatchString(word) && !strings.Contains(word, "NAME") && !exists(word) {
				t.Errorf("%s names %s, which does not exist", page, word)
			}
		}
	}
}

// The picture shows folders and ports that exist, and every inbound port.
func TestPictureShowsWhatExists(t *testing.T) {
	picture := read(t, "docs/architecture.svg")
	folders := regexp.MustCompile(`class="name"[^>]*>([\w/]+)<`).FindAllStringSubmatch(picture, -1)
	if len(folders) < 8 {
		t.Fatalf("the picture has %d folders", len(folders))
	}
	for _, name := range folders {
		if !exists(name[1]) {
			t.Errorf("the picture shows %s, which does not exist", name[1])
		}
	}
	code := sources(t)
	for _, group := range regexp.MustCompile(`(?s)<g class="small".*?</g>`).FindAllString(picture, -1) {
		for _, port := range regexp.MustCompile(`\b[A-Z]\w+`).FindAllString(group, -1) {
			if !strings.Contains(code, "type "+port+" interface") {
				t.Errorf("the picture shows %s, which is no port", port)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "ports", "inbound", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("inbound ports: %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range regexp.MustCompile(`type (\w+) interface`).FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(picture, port[1]) {
				t.Errorf("the picture lacks the port %s", port[1])
			}
		}
	}
}

// The page of the API names every kind of event that ?kind= takes.
func TestEveryKindIsDocumented(t *testing.T) {
	text := read(t, "docs/api.md")
	for _, kind := range audit.Kinds() {
		if !strings.Contains(text, "`"+string(kind)+"`") {
			t.Errorf("docs/api.md does not name %s", kind)
		}
	}
}
