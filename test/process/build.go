package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var built struct {
	once sync.Once
	dir  string // to be removed at the end; "" when nothing was built
	path string
	err  error
}

// Build returns the path of the binary: that of the environment variable ROSTER_BINARY, or one built
// from this module, once in a run. Clean removes it.
func Build() (string, error) {
	built.once.Do(func() {
		if built.path = os.Getenv("ROSTER_BINARY"); built.path != "" {
			built.path, built.err = filepath.Abs(built.path)
			return
		}
		if built.dir, built.err = os.MkdirTemp("", "roster-build-"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "roster")
		cmd := exec.Command("go", "build", "-o", built.path, "roster/cmd/roster")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build roster/cmd/roster: %w\n%s", err, out)
		}
	})
	return built.path, built.err
}

// Clean removes what Build made.
func Clean() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}

// Main is the TestMain of packages that use Start: it runs the tests and cleans up after them.
func Main(m *testing.M) {
	code := m.Run()
	Clean()
	os.Exit(code)
}
