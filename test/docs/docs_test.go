// Package docs tests the documents: their commands run, their links resolve, and what they name exists.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"roster/test/support/process"
)

func TestMain(m *testing.M) { process.Main(m) }

// root is the directory of the repository, in which every page is named.
const root = "../.."

// pages returns every document, by its path from the root.
func pages(t testing.TB) map[string]string {
	t.Helper()
	names := []string{
		"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
		"test/django/deviations.md", "test/requirements/requirements.md",
	}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(path), root+"/"))
		}
	}
	texts := map[string]string{}
	for _, name := range names {
		texts[name] = read(t, name)
	}
	return texts
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}

var (
	fenced  = regexp.MustCompile("(?s)(?:<!-- needs: (\\w+) -->\n)?```(\\w*)\n(.*?)```\n")
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	// target is where a Markdown link leads; a line break may stand inside its text.
	target = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	unkept = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the anchors of a page, made from its headings as GitHub makes them.
func anchors(text string) []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.ReplaceAll(unkept.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return all
}

// broken returns the links of a page that lead to no file, or to no heading of a page.
func broken(page, text string) []string {
	var bad []string
	for _, link := range target.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		path, anchor, _ := strings.Cut(link[1], "#")
		if strings.Contains(path, "://") {
			continue
		}
		file := page
		if path != "" {
			file = filepath.ToSlash(filepath.Join(filepath.Dir(page), path))
		}
		there := text
		if file != page {
			b, err := os.ReadFile(filepath.Join(root, file))
			if err != nil && (anchor != "" || !exists(file)) {
				bad = append(bad, link[1])
				continue
			}
			there = string(b)
		}
		if anchor != "" && !slices.Contains(anchors(there), anchor) {
			bad = append(bad, link[1])
		}
	}
	return bad
}

func TestLinks(t *testing.T) {
	for page, text := range pages(t) {
		for _, link := range broken(page, text) {
			t.Errorf("%s: the link %s leads nowhere", page, link)
		}
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	const text = "# One title: `a` and b\n[a](#one-title-a-and-b) [b](#two) [c](LICENSE) [d](no/such.md) [e](docs/api.md#no-such)\n"
	if got := broken("README.md", text); !slices.Equal(got, []string{"#two", "no/such.md", "docs/api.md#no-such"}) {
		t.Errorf("broken links: %q", got)
	}
}

// Every page can be reached from README.
func TestEveryPageIsLinked(t *testing.T) {
	texts := pages(t)
	seen := map[string]bool{}
	var visit func(page string)
	visit = func(page string) {
		text, ok := texts[page]
		if !ok || seen[page] {
			return
		}
		seen[page] = true
		for _, link := range target.FindAllStringSubmatch(text, -1) {
			path, _, _ := strings.Cut(link[1], "#")
			visit(filepath.ToSlash(filepath.Join(filepath.Dir(page), path)))
		}
	}
	visit("README.md")
	for page := range texts {
		if !seen[page] {
			t.Errorf("no link leads from README.md to %s", page)
		}
	}
}

func TestReadmeIsShort(t *testing.T) {
	const most = 8 << 10
	if n := len(read(t, "README.md")); n > most {
		t.Errorf("README.md has %d bytes, want at most %d", n, most)
	}
}
