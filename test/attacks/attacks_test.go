package attacks

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"roster/test/support/process"
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

// No check of the corpus fails, and only those listed in Runs are skipped.
func TestCorpus(t *testing.T) {
	for name, r := range Runs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
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
		"GOGC":                     "", // its memory is judged
		"ROSTER_THROTTLE_REGISTER": process.Default, "ROSTER_THROTTLE_USER": process.Default, "ROSTER_THROTTLE_TOKEN": process.Default,
	}
	maps.Copy(env, r.Env)
	start := process.Start
	if r.FullCost {
		start = process.StartRelease
	}
	s := start(t, env)
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
	asked, err := exec.Command(python, append(args, "--list")...).Output()
	if err != nil {
		t.Fatalf("the list of checks: %v", err)
	}
	cmd := exec.Command(python, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for _, fault := range judge(out.String(), cmd.ProcessState.ExitCode(), names(string(asked)), r.Skipped) {
		t.Error(fault)
	}
}

// names returns the first word of each line.
func names(list string) []string {
	var out []string
	for line := range strings.Lines(list) {
		if words := strings.Fields(line); len(words) > 0 {
			out = append(out, words[0])
		}
	}
	return out
}

// judge returns the faults of a run with an output and an exit code: checks that failed, that were skipped but not
// listed, or listed and not skipped, and checks of asked without a result, as after a crash of the corpus.
func judge(out string, code int, asked []string, skipped map[string]string) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	seen := map[string]string{}
	failed := 0
	for line := range strings.Lines(out) {
		verdict, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		name, why, ok := strings.Cut(rest, "  ")
		if !ok || verdict != "PASS" && verdict != "FAIL" && verdict != "SKIP" {
			continue
		}
		seen[name] = verdict
		switch {
		case verdict == "FAIL":
			failed++
			fault("%s: %s", name, why)
		case verdict == "SKIP" && skipped[name] == "":
			fault("%s was skipped: %s", name, why)
		case verdict != "SKIP" && skipped[name] != "":
			fault("%s is listed as skipped, and ran", name)
		}
	}
	for _, name := range asked {
		if seen[name] == "" {
			fault("%s has no verdict", name)
		}
	}
	if len(asked) == 0 {
		fault("no checks were asked for")
	}
	if want := min(failed, 1); code != want || len(faults) > failed {
		fault("exit code %d, want %d, after %d of %d checks:\n%s", code, want, len(seen), len(asked), out[max(0, len(out)-2000):])
	}
	return faults
}

// An incomplete run is reported.
func TestJudge(t *testing.T) {
	asked := []string{"auth.a", "auth.b", "jwt.c"}
	skipped := map[string]string{"jwt.c": "needs a key"}
	const good = "PASS auth.a  ok\nPASS auth.b  ok\nSKIP jwt.c  no key\n\nauth 2 passed\n2 passed, 0 failed, 1 skipped\n"
	for _, c := range []struct {
		name, out string
		code      int
		want      string // of the first fault; "" for none
	}{
		{"all is well", good, 0, ""},
		{"a check failed", strings.Replace(good, "PASS auth.b", "FAIL auth.b", 1), 1, "auth.b: ok"},
		{"a check was skipped", strings.Replace(good, "PASS auth.b", "SKIP auth.b", 1), 0, "auth.b was skipped: ok"},
		{"a check ran that is listed as skipped", strings.Replace(good, "SKIP jwt.c", "PASS jwt.c", 1), 0, "jwt.c is listed as skipped, and ran"},
		{"died after the first check", "PASS auth.a  ok\nTraceback (most recent call last):\n", 1, "auth.b has no verdict"},
		{"stopped in silence after the first check", "PASS auth.a  ok\n", 0, "auth.b has no verdict"},
		{"died after the last check", good, 1, "exit code 1, want 0"},
		{"was killed", good, -1, "exit code -1, want 0"},
		{"a failure was not counted", strings.Replace(good, "PASS auth.b", "FAIL auth.b", 1), 0, "auth.b: ok"},
		{"did nothing", "", 0, "auth.a has no verdict"},
	} {
		faults := judge(c.out, c.code, asked, skipped)
		if c.want == "" && len(faults) > 0 || c.want != "" && (len(faults) == 0 || !strings.HasPrefix(faults[0], c.want)) {
			t.Errorf("%s: got %q, want %q", c.name, faults, c.want)
		}
	}
	if faults := judge("", 0, nil, nil); len(faults) == 0 {
		t.Error("a run without checks is taken for one that passed")
	}
}
