package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const strongPassword = "gate-keeper-of-9-lives-42"

// shell runs roster commands with one data directory.
type shell struct {
	t       *testing.T
	environ []string
}

func newShell(t *testing.T, environ ...string) shell {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil { // the mode that Roster gives it
		t.Fatal(err)
	}
	return shell{t, append([]string{"ROSTER_DATA_DIR=" + dir, "ROSTER_ADMIN_LISTEN=off", "ROSTER_LISTEN=127.0.0.1:0", "ROSTER_TRUSTED_PROXIES=127.0.0.1", "ROSTER_ACCESS_POLICY=private"}, environ...)}
}

// result is the output and the exit code of a run.
type result struct {
	code           int
	stdout, stderr string
}

func (s shell) run(stdin string, args ...string) result {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(s.t.Context(), args, strings.NewReader(stdin), &stdout, &stderr, s.environ)
	return result{code, stdout.String(), stderr.String()}
}

// must runs roster, which must succeed. stderr may have only the creation of the database.
func (s shell) must(stdin string, args ...string) string {
	s.t.Helper()
	r := s.run(stdin, args...)
	if r.code != 0 || r.stderr != "" && r.stderr != "Created the database "+filepath.Join(strings.TrimPrefix(s.environ[0], "ROSTER_DATA_DIR="), "roster.db")+".\n" {
		s.t.Fatalf("roster %s: exit code %d, stderr %q", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// fails runs roster and checks the exit code and the lines on stderr, which must begin with those in lines.
func (s shell) fails(code int, lines []string, stdin string, args ...string) {
	s.t.Helper()
	r := s.run(stdin, args...)
	if r.code != code {
		s.t.Errorf("roster %s: exit code %d, want %d", strings.Join(args, " "), r.code, code)
	}
	got := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
	if len(got) != len(lines) {
		s.t.Fatalf("roster %s: %d lines, want %d:\n%s", strings.Join(args, " "), len(got), len(lines), r.stderr)
	}
	for i, line := range got {
		if !strings.HasPrefix(line, "roster: "+lines[i]) {
			s.t.Errorf("roster %s: line %q, want %q", strings.Join(args, " "), line, lines[i])
		}
	}
}

func TestHelp(t *testing.T) {
	s := newShell(t)
	for _, args := range [][]string{
		{}, {"--help"}, {"help"}, {"serve", "-h"}, {"check", "--help"}, {"migrate", "--help"}, {"createsuperuser", "--help"}, {"version", "--help"},
		{"user"}, {"user", "--help"}, {"help", "user", "list"}, {"user", "set", "--help"}, {"completion", "--help"},
		{"keys"}, {"keys", "list", "--help"}, {"keys", "add", "--help"}, {"keys", "rotate", "--help"}, {"keys", "retire", "--help"},
		{"mail"}, {"mail", "list", "--help"}, {"mail", "retry", "--help"}, {"mail", "test", "--help"}, {"mail", "preview", "--help"},
	} {
		out := s.must("", args...)
		if !strings.Contains(out, "Usage:\n  roster") || !strings.Contains(out, "--config file") {
			t.Errorf("roster %v: %s", args, out)
		}
		for line := range strings.Lines(out) {
			if len(line) > width+10 {
				t.Errorf("roster %v: line of %d characters: %s", args, len(line), line)
			}
		}
	}
	serve, user := s.must("", "serve", "--help"), s.must("", "user", "--help")
	for _, want := range []string{"Tokens:\n", "--signing-key-file file", "--access-policy text", "(default by profile)", "--page-size number"} {
		if !strings.Contains(serve, want) {
			t.Errorf("the help of serve does not have %q", want)
		}
		if strings.Contains(user, want) {
			t.Errorf("the help of user has %q", want)
		}
	}
}

func TestCompletion(t *testing.T) {
	s := newShell(t)
	for _, kind := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := s.must("", "completion", kind); !strings.Contains(out, "roster") {
			t.Errorf("%s: %q", kind, out)
		}
	}
	for want, args := range map[string][]string{
		"directory": {"serve", "--access-policy", ""}, "false": {"serve", "--accept-forms="}, "json": {"user", "list", "--format", ""}, "set-password": {"user", "s"},
	} {
		r := s.run("", append([]string{"__complete"}, args...)...)
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("%v completes to %q, want %s among them", args, r.stdout, want)
		}
	}
}

// An invalid command line is exit code 2 and one line, without a change.
func TestMisuse(t *testing.T) {
	s := newShell(t)
	for line, args := range map[string][]string{
		`unknown command "sreve"; did you mean serve?; see roster --help`:                                                          {"sreve"},
		`unknown command "rm"; see roster user --help`:                                                                             {"user", "rm"},
		`unknown flag: --nope; see roster serve --help`:                                                                            {"serve", "--nope=hunter2"},
		`unknown shorthand flag`:                                                                                                   {"serve", "-x"},
		`flag needs an argument: --page-size; see roster serve --help`:                                                             {"serve", "--page-size"},
		`unexpected argument "now"; see roster serve --help`:                                                                       {"serve", "now"},
		`FILE is empty; see roster backup --help`:                                                                                  {"backup", ""},
		`USER (an email address or an id) is missing; see roster user show --help`:                                                 {"user", "show"},
		`unexpected argument "b@example.org"`:                                                                                      {"user", "delete", "a@example.org", "b@example.org", "--yes"},
		`nothing to change; see roster user set --help`:                                                                            {"user", "set", "a@example.org"},
		`invalid argument "perhaps" for "--active" flag: must be true or false`:                                                    {"user", "set", "a@example.org", "--active=perhaps"},
		`invalid argument "xml" for "--format" flag: must be table or json`:                                                        {"user", "list", "--format", "xml"},
		`unknown command "ratate"; did you mean rotate?; see roster keys --help`:                                                   {"keys", "ratate"},
		`unexpected argument "b"; see roster keys rotate --help`:                                                                   {"keys", "rotate", "a", "b"},
		`KID (the id of a key) is missing; see roster keys retire --help`:                                                          {"keys", "retire"},
		`--expired goes with neither KID nor --force`:                                                                              {"keys", "retire", "--expired", "--force"},
		`--config names no file`:                                                                                                   {"check", "--config="},
		`there is no terminal to ask on; give --yes; see roster user delete --help`:                                                {"user", "delete", "a@example.org"},
		`there is no terminal to ask on; give --password-file; see roster user set-`:                                               {"user", "set-password", "a@example.org"},
		`there is no terminal to ask on; give --password-file; see roster creates`:                                                 {"createsuperuser", "--email", "a@example.org"},
		`--email is missing; see roster createsuperuser --help`:                                                                    {"createsuperuser", "--first-name", "A", "--password-file", "-"},
		`--if-absent needs --email`:                                                                                                {"createsuperuser", "--if-absent", "--password-file", "-"},
		`--email is missing; see roster user create --help`:                                                                        {"user", "create", "--no-password"},
		`--no-password does not go with --password-file`:                                                                           {"user", "create", "--email=a@example.org", "--no-password", "--password-file=-"},
		`--ordering: users cannot be ordered by "password", but by id, email, `:                                                    {"user", "list", "--ordering=email,password"},
		`--limit must not be negative`:                                                                                             {"user", "list", "--limit=-1"},
		`invalid argument "table" for "--format" flag: must be lines or json`:                                                      {"user", "show", "1", "--format=table"},
		`USER (an email address or an id) is missing; see roster session list --help`:                                              {"session", "list"},
		`unexpected argument "false"; the value of a flag follows an equals sign, as in --staff=false; see roster user set --help`: {"user", "set", "1", "--staff", "false"},
		`unknown flag: --port; did you mean --listen?; see roster serve --help`:                                                    {"serve", "--port", "80"},
		`unknown flag: --page_size; did you mean --page-size?; see`:                                                                {"check", "--page_size", "5"},
		`unknown flag: --serch; did you mean --search?; see roster user list --help`:                                               {"user", "list", "--serch", "x"},
	} {
		s.fails(exitMisuse, []string{line}, "", args...)
	}
	if made, _ := filepath.Glob(filepath.Join(strings.TrimPrefix(s.environ[0], "ROSTER_DATA_DIR="), "*")); len(made) > 0 {
		t.Errorf("something was done: %v", made)
	}
}

// A broken configuration is exit code 1 and a line for each fault, whatever the command.
func TestBrokenConfiguration(t *testing.T) {
	s := newShell(t, "ROSTER_SIGNING_KEY=hunter2", "ROSTER_PAGESIZE=5")
	file := filepath.Join(t.TempDir(), "roster.yaml")
	if err := os.WriteFile(file, []byte("ids: roman\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ROSTER_PAGESIZE: unknown variable; did you mean ROSTER_PAGE_SIZE?",
		"--max-body: must be a whole number",
		file + `:1: ids: must be one of integer, uuid, not "roman"`,
		"ROSTER_SIGNING_KEY: must be at least 32 bytes long",
	}
	for _, args := range [][]string{{"serve"}, {"check"}, {"migrate"}, {"user", "list"}, {"user", "show", "1"}} {
		s.fails(exitFailure, want, "", append(args, "--config", file, "--max-body", "much")...)
	}
}

// Faults that only a start can find are one line each too.
func TestUnknownBackend(t *testing.T) {
	s := newShell(t, "ROSTER_DATABASE=oracle://scott:tiger@db/x")
	for _, args := range [][]string{{"serve"}, {"migrate"}, {"user", "list"}} {
		s.fails(exitFailure, []string{"ROSTER_DATABASE: "}, "", args...)
	}
	r := s.run("", "check")
	if r.code != exitFailure || !strings.HasPrefix(r.stderr, "roster: ROSTER_DATABASE: ") || strings.Contains(r.stdout+r.stderr, "tiger") {
		t.Errorf("check: exit code %d, stderr %s", r.code, r.stderr)
	}
}

func TestCheck(t *testing.T) {
	s := newShell(t)
	out := s.must("", "check", "--page-size", "50", "--deploy")
	for _, want := range []string{"SETTING", "page_size                 50 ", "flag\n", "environment\n", "signing_key               (not set)", "\nMail: to the log, with the links.\n", "Nothing unsafe was found."} {
		if !strings.Contains(out, want) {
			t.Errorf("check does not say %q:\n%s", want, out)
		}
	}
	out = s.must("", "check", "--trusted-proxies=")
	if !strings.Contains(out, "\nUnsafe:\n  listen is 127.0.0.1:0: behind a proxy on this machine all clients share one address") {
		t.Errorf("check says\n%s", out)
	}
	s = newShell(t, "ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=hunter2-0123456789-abcdefghijklmnopqrstuvwxyz")
	out = s.must("", "check")
	if !strings.Contains(out, "\nUnsafe:\n") || !strings.Contains(out, "  ids is integer: ") || strings.Contains(out, "hunter2") {
		t.Errorf("check says\n%s", out)
	}
	s.fails(exitFailure, []string{"unsafe settings: "}, "", "check", "--deploy")
}

func TestMigrate(t *testing.T) {
	s := newShell(t)
	for range 2 {
		if out := s.must("", "migrate"); out != "The schema is up to date.\n" {
			t.Errorf("migrate says %q", out)
		}
	}
}

// watch is a writer that calls seen once text was written.
type watch struct {
	text string
	seen func()
	all  []byte
}

func (w *watch) Write(p []byte) (int, error) {
	before := bytes.Contains(w.all, []byte(w.text))
	w.all = append(w.all, p...)
	if !before && bytes.Contains(w.all, []byte(w.text)) {
		w.seen()
	}
	return len(p), nil
}

// serve runs until its context ends; that is no failure.
func TestServe(t *testing.T) {
	s := newShell(t, "ROSTER_LOG_FORMAT=json")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &watch{text: `"serving"`, seen: cancel}
	var stdout bytes.Buffer
	if code := run(ctx, []string{"serve"}, strings.NewReader(""), &stdout, stderr, s.environ); code != 0 || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q\n%s", code, stdout.String(), stderr.all)
	}
}

// A signal during the start stops the service too.
func TestServeStoppedEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if code := run(ctx, []string{"serve"}, strings.NewReader(""), &out, &out, newShell(t).environ); code != 0 {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

func TestHelpAndVersion(t *testing.T) {
	s := newShell(t)
	for _, args := range [][]string{{"--version"}, {"-v"}, {"version"}} {
		if out := s.must("", args...); !strings.HasPrefix(out, "roster ") || !strings.Contains(out, "go ") {
			t.Errorf("%v: %q", args, out)
		}
	}
	if out := s.must("", "help", "user", "list"); !strings.Contains(out, "roster user list [flags]") || strings.Contains(out, "[=true") {
		t.Errorf("help: %s", out)
	}
	s.fails(exitMisuse, []string{`unknown command "nosuch"; see roster --help`}, "", "help", "nosuch")
	s.fails(exitMisuse, []string{`unknown command "user nosuch"; see roster --help`}, "", "help", "user", "nosuch")
}

// Profile django requires a signing key for commands that sign tokens, and for no other.
func TestNoKeyForCommandsWithoutTokens(t *testing.T) {
	s := newShell(t, "ROSTER_PROFILE=django")
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	s.must("", "user", "list")
	for _, args := range [][]string{{"serve"}, {"check"}} {
		if r := s.run("", args...); r.code != exitFailure || !strings.Contains(r.stderr, "openssl rand -base64 48") {
			t.Errorf("%v: %d %s", args, r.code, r.stderr)
		}
	}
}

// ROSTER_CONFIG names the file of settings if --config does not.
func TestConfigVariable(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": "page_size: 7\n", "b.yaml": "page_size: 8\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newShell(t, "ROSTER_CONFIG="+filepath.Join(dir, "a.yaml"))
	size := func(args ...string) string {
		for line := range strings.Lines(s.must("", append([]string{"check"}, args...)...)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "page_size" {
				return f[1]
			}
		}
		return ""
	}
	if got := size(); got != "7" {
		t.Errorf("page_size %s, want 7", got)
	}
	if got := size("--config", filepath.Join(dir, "b.yaml")); got != "8" {
		t.Errorf("page_size %s, want 8", got)
	}
}
