package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// binary is one build of the service, made once in a run.
type binary struct {
	target   string // of the Makefile
	variable string // of the environment, with the path of one that is built already

	once sync.Once
	dir  string // to be removed at the end; "" when nothing was built
	path string
	err  error
}

var (
	plain   = &binary{target: "build-cheap", variable: "TEST_BINARY"}
	release = &binary{target: "build", variable: "TEST_BINARY_RELEASE"}
	watched = &binary{target: "build-race", variable: "TEST_BINARY_RACE"}
	flawed  = &binary{target: "build-defects", variable: "TEST_BINARY_DEFECTS"}
)

// Build returns the path of a binary that hashes passwords with cheap parameters: that of the environment variable
// TEST_BINARY, or one built from this module, once in a run. Clean removes it.
func Build() (string, error) { return plain.build() }

// BuildRelease is Build of the binary as it is released, for what depends on the cost of a hash.
func BuildRelease() (string, error) { return release.build() }

// BuildWatched is Build of a binary that the race detector watches, if it watches this program too. Such
// a binary takes seconds to start, and several times as long for what it does.
func BuildWatched() (string, error) {
	if !raceDetector {
		return plain.build()
	}
	return watched.build()
}

// BuildFlawed is Build of a binary with the defect that the environment variable TEST_DEFECT names; see
// bootstrap/defects.go.
func BuildFlawed() (string, error) { return flawed.build() }

func (b *binary) build() (string, error) {
	b.once.Do(func() {
		if b.path = os.Getenv(b.variable); b.path != "" {
			b.path, b.err = filepath.Abs(b.path)
			return
		}
		if b.dir, b.err = os.MkdirTemp("", "roster-build-"); b.err != nil {
			return
		}
		b.path = filepath.Join(b.dir, "roster")
		var cmd *exec.Cmd
		if cmd, b.err = makeTarget(b.target, b.path); b.err != nil {
			return
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	})
	return b.path, b.err
}

// makeTarget returns the command that builds a target of the Makefile, which has the flags.
func makeTarget(target, path string) (*exec.Cmd, error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOMOD: %w", err)
	}
	cmd := exec.Command("make", "-s", "-C", filepath.Dir(strings.TrimSpace(string(gomod))), target, "BIN="+path)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // the tests may run under another make
	return cmd, nil
}

// Clean removes what was built.
func Clean() {
	for _, b := range []*binary{plain, release, watched, flawed} {
		if b.dir != "" {
			_ = os.RemoveAll(b.dir)
		}
	}
}

// Main is the TestMain of packages that use Start: it runs the tests and cleans up after them.
func Main(m *testing.M) {
	code := m.Run()
	Clean()
	os.Exit(code)
}
