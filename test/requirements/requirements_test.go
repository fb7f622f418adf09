// Package requirements checks that the list of security requirements is complete, and that the tests in it exist and
// run.
package requirements

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"roster/test/attacks"
)

// chapters has the number of requirements in each chapter: P1 to P11, and so on.
var chapters = []struct {
	letter string
	count  int
}{{"P", 11}, {"L", 12}, {"J", 16}, {"S", 14}, {"A", 8}, {"I", 10}, {"H", 9}, {"M", 9}, {"B", 7}, {"D", 5}}

var root = os.DirFS(filepath.Join("..", ".."))

const list = "test/requirements/requirements.md"

func TestEveryRequirementIsShownOrExplained(t *testing.T) {
	text, err := fs.ReadFile(root, list)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range check(string(text), newInventory(t, root)) {
		t.Error(f)
	}
}

// TestPlantedFaultsAreFound plants each kind of fault in a good list. The check reports this fault only.
func TestPlantedFaultsAreFound(t *testing.T) {
	w := newInventory(t, root)
	var good strings.Builder
	for _, id := range ids() {
		fmt.Fprintf(&good, "| %s | it holds | `test/arch.TestDependencyRule` | |\n", id)
	}
	const row = "| P1 | it holds | `test/arch.TestDependencyRule` | |\n"
	shown := func(by string) string { return "| P1 | it holds | `" + by + "` | |\n" }
	for name, c := range map[string]struct{ row, want string }{
		"good":                           {row, ""},
		"explained":                      {"| P1 | it holds | | Not built yet. |\n", ""},
		"shown and explained":            {"| P1 | it holds | `test/arch.TestDependencyRule` | But for this. |\n", ""},
		"a subtest":                      {shown("adapters/jwt.TestClaimTraps/nbf in the future"), ""},
		"a fuzz target":                  {shown("adapters/jwt.FuzzParse"), ""},
		"a check":                        {shown("attacks: auth.password_length"), ""},
		"a check of one run":             {shown("attacks: auth.current_password"), ""},
		"a case":                         {shown("contract: Users/EmailIsUniqueOnAdd"), ""},
		"missing":                        {"", "P1 is missing"},
		"twice":                          {row + row, "P1 comes twice"},
		"unknown":                        {row + strings.Replace(row, "P1", "P99", 1), "P99 is no requirement"},
		"no tests, no reason":            {"| P1 | it holds | | |\n", "P1 has neither a test nor a reason"},
		"tests that are words":           {"| P1 | it holds | looked at it | |\n", "P1: looked at it is no test"},
		"nothing required":               {"| P1 | | `test/arch.TestDependencyRule` | |\n", "P1 does not say what must hold"},
		"a column too few":               {"| P1 | it holds | `test/arch.TestDependencyRule` |\n", "P1 has 3 columns"},
		"no such test":                   {shown("test/arch.TestNothing"), "P1: there is no test/arch.TestNothing"},
		"no such package":                {shown("test/nothing.TestDependencyRule"), "P1: there is no test/nothing.TestDependencyRule"},
		"a test of another package":      {shown("test/e2e.TestDependencyRule"), "P1: there is no test/e2e.TestDependencyRule"},
		"a helper":                       {shown("test/arch.TestMain"), "P1: there is no test/arch.TestMain"},
		"no such subtest":                {shown("adapters/jwt.TestClaimTraps/nbf in the past"), "P1: adapters/jwt.TestClaimTraps has no nbf in the past"},
		"a subtest of another test":      {shown("adapters/jwt.TestClaimTraps/alg none"), "P1: adapters/jwt.TestClaimTraps has no alg none"},
		"no such check":                  {shown("attacks: auth.nothing"), "P1: there is no attacks: auth.nothing"},
		"a check that is always skipped": {shown("attacks: auth.register_enumeration"), "P1: no run makes attacks: auth.register_enumeration"},
		"no such case":                   {shown("contract: Users/Nothing"), "P1: there is no contract: Users/Nothing"},
		"a case of another port":         {shown("contract: Sessions/EmailIsUniqueOnAdd"), "P1: there is no contract: Sessions/EmailIsUniqueOnAdd"},
	} {
		t.Run(name, func(t *testing.T) {
			found := check(strings.Replace(good.String(), row, c.row, 1), w)
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || found[0] != c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}

// TestOnlyRunnableTestsCount shows that methods, comments and functions with other parameters do not count as tests.
func TestOnlyRunnableTestsCount(t *testing.T) {
	dir := t.TempDir()
	const src = `package p
import "testing"
type x struct{}
func TestGood(t *testing.T) { t.Run("sub", nil) }
func (x) TestMethod(t *testing.T) {}
func TestHelper(t *testing.T, n int) {}
func Testlower(t *testing.T) {}
// func TestComment(t *testing.T) {}
`
	if err := os.WriteFile(filepath.Join(dir, "p_test.go"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	tests, err := testsIn(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(tests) != 1 || !tests["TestGood"]["sub"] {
		t.Errorf("found %v", tests)
	}
}

func ids() (all []string) {
	for _, c := range chapters {
		for n := range c.count {
			all = append(all, c.letter+strconv.Itoa(n+1))
		}
	}
	return all
}

var (
	quoted  = regexp.MustCompile("`([^`]*)`")
	goTest  = regexp.MustCompile(`^([a-z0-9/]+)\.((?:Test|Fuzz)\w*)(?:/(.+))?$`)
	rowHead = regexp.MustCompile(`^\| *([A-Z]+[0-9]+) *\|`)
)

// check returns the faults of a list.
func check(text string, w *inventory) (found []string) {
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	known, seen := ids(), map[string]int{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		head := rowHead.FindStringSubmatch(lines.Text())
		if head == nil {
			continue
		}
		id := head[1]
		seen[id]++
		cells := strings.Split(strings.Trim(strings.TrimSpace(lines.Text()), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !slices.Contains(known, id):
			report("%s is no requirement", id)
			continue
		case seen[id] == 2:
			report("%s comes twice", id)
		}
		if len(cells) != 4 {
			report("%s has %d columns", id, len(cells))
			continue
		}
		if cells[1] == "" {
			report("%s does not say what must hold", id)
		}
		if rest := strings.TrimSpace(quoted.ReplaceAllString(cells[2], "")); rest != "" {
			report("%s: %s is no test", id, rest)
			continue
		}
		tests := quoted.FindAllStringSubmatch(cells[2], -1)
		if len(tests) == 0 && cells[3] == "" {
			report("%s has neither a test nor a reason", id)
		}
		for _, test := range tests {
			if fault := w.missing(test[1]); fault != "" {
				report("%s: %s", id, fault)
			}
		}
	}
	for _, id := range known {
		if seen[id] == 0 {
			report("%s is missing", id)
		}
	}
	return found
}

// inventory has all tests.
type inventory struct {
	fsys     fs.FS
	packages map[string]map[string]map[string]bool // the texts in a test, by package and name
	checks   map[string]bool                       // the checks of the corpus
	cases    map[string]bool                       // the cases of the contract, as Port/Case
}

func newInventory(t *testing.T, fsys fs.FS) *inventory {
	t.Helper()
	w := &inventory{fsys: fsys, packages: map[string]map[string]map[string]bool{}, checks: map[string]bool{}}
	corpus, err := fs.ReadFile(fsys, "test/attacks/attacks.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^@check\("([^"]+)"`).FindAllStringSubmatch(string(corpus), -1) {
		w.checks[m[1]] = true
	}
	if w.cases, err = contract(fsys); err != nil {
		t.Fatal(err)
	}
	if len(w.checks) < 100 || len(w.cases) < 100 {
		t.Fatalf("%d checks of the corpus and %d cases of the contract: the search for them is wrong", len(w.checks), len(w.cases))
	}
	return w
}

// missing returns the fault of the name of a test, or "".
func (w *inventory) missing(name string) string {
	if check, ok := strings.CutPrefix(name, "attacks: "); ok {
		switch {
		case !w.checks[check]:
			return "there is no " + name
		case !attacks.Made(check):
			return "no run makes " + name
		}
		return ""
	}
	if c, ok := strings.CutPrefix(name, "contract: "); ok {
		if !w.cases[c] {
			return "there is no " + name
		}
		return ""
	}
	m := goTest.FindStringSubmatch(name)
	if m == nil {
		return name + " is no test"
	}
	dir, test, sub := m[1], m[2], m[3]
	if _, ok := w.packages[dir]; !ok {
		tests, err := testsIn(w.fsys, dir)
		if err != nil {
			return err.Error()
		}
		w.packages[dir] = tests
	}
	texts, ok := w.packages[dir][test]
	switch {
	case !ok:
		return "there is no " + dir + "." + test
	case sub != "" && !texts[sub]:
		return dir + "." + test + " has no " + sub
	}
	return ""
}

// testsIn returns the tests and fuzz targets of the package in dir, with the texts in each. The names of its subtests
// are among them.
func testsIn(fsys fs.FS, dir string) (map[string]map[string]bool, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	tests := map[string]map[string]bool{}
	for _, name := range files {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && isTest(f) {
				tests[f.Name.Name] = texts(f)
			}
		}
	}
	return tests, nil
}

// isTest reports whether go test runs f: a function TestX(*testing.T) or FuzzX(*testing.F).
func isTest(f *ast.FuncDecl) bool {
	name, of := strings.CutPrefix(f.Name.Name, "Test")
	want := "T"
	if !of {
		if name, of = strings.CutPrefix(f.Name.Name, "Fuzz"); !of {
			return false
		}
		want = "F"
	}
	if f.Recv != nil || name == "" || 'a' <= name[0] && name[0] <= 'z' || len(f.Type.Params.List) != 1 {
		return false
	}
	star, ok := f.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	s, ok := star.X.(*ast.SelectorExpr)
	return ok && s.Sel.Name == want
}

// texts returns the string literals in n.
func texts(n ast.Node) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				found[s] = true
			}
		}
		return true
	})
	return found
}

// contract returns the cases of the storage contract. {"Users", users} means that the variable users has the cases of a
// port, each as {"Name", function}.
func contract(fsys fs.FS) (map[string]bool, error) {
	files, err := fs.Glob(fsys, "test/conformance/*.go")
	if err != nil {
		return nil, err
	}
	ports, named := map[string]string{}, map[string][]string{} // variable by port, cases by variable
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "Backend" || n.Name.Name == "usersOf" { // which Backend calls
					for text, variable := range pairs(n) {
						ports[text] = variable
					}
				}
				return false
			case *ast.ValueSpec:
				for text := range pairs(n) {
					named[n.Names[0].Name] = append(named[n.Names[0].Name], text)
				}
			}
			return true
		})
	}
	cases := map[string]bool{}
	for port, variable := range ports {
		for _, c := range named[variable] {
			cases[port+"/"+c] = true
		}
	}
	return cases, nil
}

// pairs returns the literals {"text", name} in n.
func pairs(n ast.Node) map[string]string {
	found := map[string]string{}
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || len(lit.Elts) != 2 {
			return true
		}
		text, isText := lit.Elts[0].(*ast.BasicLit)
		name, isName := lit.Elts[1].(*ast.Ident)
		if isText && isName && text.Kind == token.STRING {
			if s, err := strconv.Unquote(text.Value); err == nil {
				found[s] = name.Name
			}
		}
		return true
	})
	return found
}
