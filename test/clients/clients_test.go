// Package clients runs libraries of other makers against the built service, as their users do: verifiers of
// access tokens (verify), and clients of the API (npm, debian.py). What the latter send was recorded by a proxy
// (testdata/requests.json) and is replayed everywhere.
//
// Nothing is installed here. A client is skipped where its libraries are not, unless the environment variable
// TEST_CLIENTS names it (npm, jose, python, keyfunc or chromium, separated by commas): then it must run. Node.js finds
// them in the directory that TEST_NODE_MODULES names, made by `npm ci` from npm/package-lock.json, or in
// /usr/share/nodejs (Debian's node-jose). Python has them from Debian's python3-jwt and python3-requests, and Chromium
// is Debian's too. Go gets keyfunc as it gets every module; it is a module of its own, so that the product does not
// depend on it.
package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/test/support/process"
)

// A client's run takes seconds; this bounds a hang.
const patience = 2 * time.Minute

const (
	admin    = "admin@example.com"
	password = "four wide purple boats"
)

func TestMain(m *testing.M) { process.Main(m) }

// serve starts a service with an administrator.
func serve(t *testing.T, settings map[string]string) *process.Server {
	t.Helper()
	s := process.Start(t, settings)
	if _, stderr, code := s.CLIWithInput(password, "createsuperuser", "--email", admin, "--first-name", "Ada", "--last-name", "Lee", "--password-file", "-"); code != 0 {
		t.Fatal(stderr)
	}
	return s
}

// command is a client ready to be run, in a directory of its own.
type command struct {
	name string // in TEST_CLIENTS
	args []string
	dir  string
}

// missing skips the test of a client that cannot be run here, or fails it when the client must run.
func missing(t *testing.T, name, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("TEST_CLIENTS"), ","), name) {
		t.Fatalf("%s must run, and cannot: %s", name, why)
	}
	t.Skipf("NOT RUN: %s: %s", name, why)
}

// node returns a program for Node.js, with the packages that it imports.
func node(t *testing.T, name, program string, packages ...string) command {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, name, err.Error())
	}
	for _, modules := range []string{os.Getenv("TEST_NODE_MODULES"), "/usr/share/nodejs"} {
		if modules == "" || slices.ContainsFunc(packages, func(p string) bool {
			_, err := os.Stat(filepath.Join(modules, p, "package.json"))
			return err != nil
		}) {
			continue
		}
		// Imports are looked for in node_modules beside the program, and nowhere else.
		dir := t.TempDir()
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		source, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(program)), source, 0o600); err != nil {
			t.Fatal(err)
		}
		return command{name, []string{"node", filepath.Base(program)}, dir}
	}
	missing(t, name, "none of "+strings.Join(packages, ", ")+" is installed")
	return command{}
}

// python returns a program for a Python that has the modules it imports.
func python(t *testing.T, program string, modules ...string) command {
	t.Helper()
	for _, interpreter := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), interpreter, "-c", "import "+strings.Join(modules, ", ")).Run() == nil {
			return command{"python", []string{interpreter, program}, "."}
		}
	}
	missing(t, "python", "no python3 has "+strings.Join(modules, " and "))
	return command{}
}

// run runs a client to its good end and returns what it prints.
func (c command) run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], append(c.args[1:], args...)...)
	cmd.Dir, cmd.Stdin = c.dir, strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", c.name, err, &out, &errs)
	}
	return out.String()
}

// signIn returns the tokens of the administrator.
func signIn(t *testing.T, s *process.Server) (tokens struct{ Access, Refresh string }) {
	t.Helper()
	body := fmt.Sprintf(`{"email": %q, "password": %q}`, admin, password)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/token/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&tokens); err != nil || tokens.Refresh == "" {
		t.Fatalf("sign-in: status %d: %v", resp.StatusCode, err)
	}
	return tokens
}
