package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hasty are the functions whose time depends on the number of equal bytes. MACs are compared by golang-jwt, which uses
// crypto/hmac.
var hasty = map[string][]string{
	"bytes":   {"Equal", "EqualFold", "Compare", "HasPrefix"},
	"reflect": {"DeepEqual"},
	"slices":  {"Equal", "Compare"},
	"strings": {"Compare", "EqualFold"},
}

// secretive are the methods that return a secret.
var secretive = []string{"Reveal", "Encoded", "Sum"}

// Secrets are compared in constant time: with crypto/subtle only.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	seen := 0
	for _, f := range compared(t, os.DirFS(filepath.Join("..", "..")), &seen) {
		t.Error(f)
	}
	if seen == 0 {
		t.Error("nothing is compared with crypto/subtle: the check looks in the wrong place")
	}
}

func TestComparisonsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"bytes":              {`func f(a, b []byte) bool { return bytes.Equal(a, b) }`, 1},
		"text":               {`func f(a, b []byte) bool { return string(a) == string(b) }`, 1},
		"text, unequal":      {`func f(a []byte, b string) bool { return b != string(a) }`, 1},
		"a password":         {`func f(a, b P) bool { return a.Reveal() == b.Reveal() }`, 1},
		"a password, folded": {`func f(a, b P) bool { return strings.EqualFold(a.Reveal(), b.Reveal()) }`, 1},
		"a hash":             {`func f(a H, b string) bool { return b == a.Encoded() }`, 1},
		"a digest":           {`func f(h hash.Hash, b string) bool { return h.Sum(nil) == b }`, 1},
		"none":               {`func f(a H) bool { return a.Encoded() != "" && len(a.Encoded()) == 3 }`, 0},
		"in constant time":   {`func f(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "adapters", "password")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package p\n"+c.body), 0o600); err != nil {
				t.Fatal(err)
			}
			if found := compared(t, os.DirFS(root), new(int)); len(found) != c.want {
				t.Errorf("found %q, want %d", found, c.want)
			}
		})
	}
}

// compared returns the positions of comparisons that are not in constant time, and counts those that are. In the
// packages with secrets it reports every comparison of bytes; elsewhere those of the result of a secret's method.
func compared(t *testing.T, fsys fs.FS, constant *int) (found []string) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (p == "test" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, p, src, 0)
		if err != nil {
			return err
		}
		home := under(p, "adapters/password") || under(p, "adapters/jwt")
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				pkg, name := selected(n)
				if pkg == "subtle" && name == "ConstantTimeCompare" {
					*constant++
				}
				if slices.Contains(hasty[pkg], name) && (home && pkg != "strings" || slices.ContainsFunc(n.Args, secret)) {
					found = append(found, files.Position(n.Pos()).String()+": "+pkg+"."+name)
				}
			case *ast.BinaryExpr:
				if n.Op != token.EQL && n.Op != token.NEQ || empty(n.X) || empty(n.Y) {
					break
				}
				for _, x := range []ast.Expr{n.X, n.Y} {
					if secret(x) || home && text(x) {
						found = append(found, files.Position(n.Pos()).String()+": "+n.Op.String())
						break
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// selected returns x and y of the call x.y().
func selected(call *ast.CallExpr) (x, y string) {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if id, ok := s.X.(*ast.Ident); ok {
		x = id.Name
	}
	return x, s.Sel.Name
}

// secret reports whether x is the result of one of the secretive methods.
func secret(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	_, name := selected(call)
	return slices.Contains(secretive, name)
}

// text reports whether x is a conversion to a string.
func text(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "string"
}

func empty(x ast.Expr) bool {
	lit, ok := x.(*ast.BasicLit)
	return ok && lit.Value == `""`
}
