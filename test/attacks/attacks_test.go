// Package attacks runs a corpus of attacks over HTTP against the built binary with its default settings.
// attacks.py holds the attacks, a check each, with their sources; it needs Python 3 and nothing else.
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
	secret   = "pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4"
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

// run is one run of the corpus.
type run struct {
	env     map[string]string
	options []string
	skipped map[string]string // checks that may be skipped, and why
}

// Of the corpus nothing fails, and nothing is skipped but what is listed here with its reason.
func TestCorpus(t *testing.T) {
	unused := map[string]string{
		"auth.current_password":       "asked for where the setting wants it; a run of its own",
		"auth.register_enumeration":   "registration tells who has an account, as in DRF, until e-mail is there to finish it",
		"jwtkey.alg_allowlist_exact":  "is about secrets; a run of its own",
		"jwtkey.refresh_never_issued": "sessions are known to the storage, not each token; a session that is not there is refused",
	}
	with := func(more map[string]string, without ...string) map[string]string {
		out := maps.Clone(unused)
		maps.Copy(out, more)
		for _, name := range without {
			delete(out, name)
		}
		return out
	}
	for name, r := range map[string]run{
		"standard": {
			options: []string{"--list-policy", "auth", "--read-policy", "auth", "--reuse-grace", "10"},
			skipped: with(map[string]string{
				"authz.list_others": "signed-in users read each other in profile standard",
				"authz.read_other":  "likewise",
			}),
		},
		// The corpus changes passwords without the current one, which strict asks for; that has a run
		// of its own.
		"strict": {
			env:     map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_REQUIRE_CURRENT_PASSWORD": "false"},
			options: []string{"--list-policy", "restricted", "--read-policy", "restricted", "--reuse-grace", "10", "--password-min", "15"},
			skipped: unused,
		},
		"current password": {
			env:     map[string]string{"ROSTER_PROFILE": "strict"},
			options: []string{"--expect-current-password", "--only", "auth.current_password"},
		},
		"secret": {
			env:     map[string]string{"ROSTER_SIGNING_KEY": secret},
			options: []string{"--hs-key", secret, "--group", "jwt", "--group", "jwtkey"},
			skipped: with(nil, "jwtkey.alg_allowlist_exact"),
		},
	} {
		t.Run(name, func(t *testing.T) { attack(t, r) })
	}
}

func attack(t *testing.T, r run) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("TEST_BACKENDS") == "required" {
			t.Fatal("python3 is missing; install the package python3")
		}
		t.Skip("NOT RUN: python3 is missing; install the package python3")
	}
	env := map[string]string{"ROSTER_THROTTLE_REGISTER": process.Default}
	maps.Copy(env, r.env)
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
		"--pid", strconv.Itoa(s.Process().Pid())}, r.options...)
	if env["ROSTER_SIGNING_KEY"] == "" {
		args = append(args, "--sign-cmd", signKeys+"='"+filepath.Join(s.DataDir, "keys")+"' '"+self+"'")
	}
	cmd := exec.Command(python, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the lines tell
	report(t, out.String(), r.skipped)
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
