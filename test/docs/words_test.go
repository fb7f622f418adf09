package docs

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// vague finds words with a more exact substitute, such as "a client that" for who and "reports" for tells.
	vague = regexp.MustCompile(`(?i).{0,40}\b(who|whom|whoever|(no|some|any|every)body|told|tells?|meanwhile|strangers?|ours|theirs)([^@\w].{0,40}|$)`)
	// data are the files with such words as data.
	data = regexp.MustCompile(`password/blocklist_test|guessable/phrases|testenv/postgresserver|docs/words_test`)
	hump = regexp.MustCompile(`(\p{Ll})(\p{Lu})`)
)

// prose returns the comments, the messages of several words and the names of functions in a Go file.
func prose(t testing.TB, name string, src any) string {
	file, err := parser.ParseFile(gotoken.NewFileSet(), name, src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range file.Comments {
		all = append(all, c.Text())
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncDecl); ok {
			all = append(all, hump.ReplaceAllString(f.Name.Name, "$1 $2"))
		} else if text, ok := n.(*ast.BasicLit); ok && strings.Contains(text.Value, " ") {
			all = append(all, text.Value)
		}
		return true
	})
	return strings.Join(all, "\n")
}

func TestWordsAreExact(t *testing.T) {
	texts := pages(t)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") && !data.MatchString(path) {
			texts[path] = prose(t, path, nil)
		}
		return err
	})
	for name, text := range texts {
		for _, found := range vague.FindAllString(text, -1) {
			t.Errorf("%s: %q", name, found)
		}
	}
	planted := prose(t, "x.go", "package x\n// Nobody reads it.\nfunc TestWhoReads() { t.Error(`it tells more`) }")
	if found := vague.FindAllString(planted, -1); err != nil || len(found) != 3 {
		t.Errorf("%v; of three planted words these are found: %q", err, found)
	}
}
