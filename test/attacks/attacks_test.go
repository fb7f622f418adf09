package attacks

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"roster/test/process"
)

const (
	admin    = "admin@example.com"
	password = "Gate-keeper-of-9-lives"
)

// signKeys names the directory of keys with which this very test binary, run again, signs a token.
const signKeys = "ATTACKS_SIGN_KEYS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(signKeys); dir != "" {
		if err := sign(dir, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	process.Main(m)
}

// Of the corpus nothing fails, and nothing is skipped but what is listed in Runs with its reason.
func TestCorpus(t *testing.T) {
	for name, r := range Runs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time it waits
			attack(t, r)
		})
	}
}

func attack(t *testing.T, r Run) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("TEST_BACKENDS") == "required" {
			t.Fatal("python3 is missing; install the package python3")
		}
		t.Skip("NOT RUN: python3 is missing; install the package python3")
	}
	env := map[string]string{
		"ROSTER_THROTTLE_REGISTER": process.Default, "ROSTER_THROTTLE_USER": process.Default, "ROSTER_THROTTLE_TOKEN": process.Default,
	}
	maps.Copy(env, r.Env)
	s := process.Start(t, env)
	if _, stderr, code := s.CLIWithInput(password+"\n", "createsuperuser", "--email", admin, "--first-name", "Ada", "--last-name", "Byron", "--password-file", "-"); code != 0 {
		t.Fatalf("createsuperuser: exit code %d: %s", code, stderr)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"attacks.py", s.URL, "--admin-login", admin + ":" + password,
		"--deactivate-cmd", s.Shell("user", "set", "{email}", "--active=false"),
		"--pid", strconv.Itoa(s.Process().Pid()), "--max-seconds", "900"}, r.Options...)
	if env["ROSTER_SIGNING_KEY"] == "" {
		args = append(args, "--sign-cmd", signKeys+"='"+filepath.Join(s.DataDir, "keys")+"' '"+self+"'")
	}
	cmd := exec.Command(python, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the lines tell
	report(t, out.String(), r.Skipped)
}

// report fails the test for each check that failed or was skipped unlisted, and for a list that is out
// of date.
func report(t *testing.T, out string, skipped map[string]string) {
	t.Helper()
	seen := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		verdict, rest, _ := strings.Cut(lines.Text(), " ")
		name, why, ok := strings.Cut(rest, "  ")
		if !ok || verdict != "PASS" && verdict != "FAIL" && verdict != "SKIP" {
			continue
		}
		seen[name] = verdict
		switch {
		case verdict == "FAIL":
			t.Errorf("%s: %s", name, why)
		case verdict == "SKIP" && skipped[name] == "":
			t.Errorf("%s was skipped: %s", name, why)
		}
	}
	if len(seen) == 0 {
		t.Fatalf("the corpus did not run:\n%s", out)
	}
	for name := range skipped {
		if v, ok := seen[name]; ok && v != "SKIP" {
			t.Errorf("%s is listed as skipped, and ran", name)
		}
	}
	t.Logf("%d checks", len(seen))
}
