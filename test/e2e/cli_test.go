package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/test/support/process"
)

// createSuperuser creates an administrator at the command line.
func createSuperuser(s *process.Server, t testing.TB, email string) {
	t.Helper()
	stdout, stderr, code := s.CLIWithInput(password+"\n", "createsuperuser",
		"--email", email, "--first-name", "Ad", "--last-name", "Min", "--password-file", "-")
	if code != 0 {
		t.Fatalf("createsuperuser: exit code %d\n%s%s", code, stdout, stderr)
	}
	if strings.Contains(stdout+stderr, password) {
		t.Error("createsuperuser prints the password")
	}
}

// A new database has no user. The operator creates an administrator, before the service runs or while it does.
func TestCreateSuperuser(t *testing.T) {
	s := process.Prepare(t, nil)
	s.MustCLI("migrate")
	same(t, "users of a new database", s.MustCLI("user", "list", "--format", "json"), "")
	createSuperuser(s, t, "first@example.com")
	s.Restart()
	createSuperuser(s, t, "second@example.com")
	for _, email := range []string{"first@example.com", "second@example.com"} {
		k := signIn(s, t, person{email: email})
		bob := register(s, t, "bob-"+email)
		call(s, t, "DELETE", bob.path(), bearer(k.access)).want(204)
	}
	stdout, stderr, code := s.CLIWithInput(password+"\n", "createsuperuser",
		"--email", "FIRST@example.com", "--first-name", "Ad", "--last-name", "Min", "--password-file", "-")
	if code == 0 || !strings.Contains(stderr, taken) {
		t.Errorf("a taken address: exit code %d\n%s%s", code, stdout, stderr)
	}
	stdout, stderr, code = s.CLIWithInput("123456\n", "createsuperuser",
		"--email", "third@example.com", "--first-name", "Ad", "--last-name", "Min", "--password-file", "-")
	if code == 0 || !strings.Contains(stderr, "too short") {
		t.Errorf("a weak password: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// The operator shows and changes users while the service runs.
func TestUserCommands(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	register(s, t, "bob@example.com")

	if out := s.MustCLI("user", "list"); !strings.Contains(out, ann.email) || !strings.Contains(out, "bob@example.com") {
		t.Errorf("user list:\n%s", out)
	}
	for _, name := range []string{ann.email, "ANN@example.com", ann.id} {
		out := s.MustCLI("user", "show", name)
		if !strings.Contains(out, ann.id) || !strings.Contains(out, ann.email) || strings.Contains(out, "argon2") {
			t.Errorf("user show %s:\n%s", name, out)
		}
	}
	s.MustCLI("user", "set", ann.email, "--staff=true", "--first-name", "Anne")
	got := call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	same(t, "is_staff", got.json()["is_staff"], true)
	same(t, "first_name", got.text("first_name"), "Anne")

	s.MustCLI("user", "delete", "bob@example.com", "--yes")
	tryToSignIn(s, t, "bob@example.com", password).want(401)

	for _, args := range [][]string{
		{"user", "show", "nobody@example.com"}, {"user", "set", "nobody@example.com", "--active=false"},
		{"user", "delete", "nobody@example.com", "--yes"}, {"user", "set", ann.email, "--active=perhaps"}, {"user", "set", ann.email, "--email", "no address"},
		{"user", "dance"}, {"dance"},
	} {
		stdout, stderr, code := s.CLI(args...)
		if code == 0 || stderr == "" {
			t.Errorf("roster %s: exit code %d, stderr %q, stdout %q", strings.Join(args, " "), code, stderr, stdout)
		}
		if strings.Contains(stderr, "goroutine ") {
			t.Errorf("roster %s panics:\n%s", strings.Join(args, " "), stderr)
		}
	}
}

// A password can be read from a file that only its owner may read.
func TestPasswordFromAFile(t *testing.T) {
	s := process.Start(t, nil)
	ann := register(s, t, "ann@example.com")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("Another-horse-8-battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.MustCLI("user", "set-password", ann.email, "--password-file", file)
	tryToSignIn(s, t, ann.email, password).want(401)
	tryToSignIn(s, t, ann.email, "Another-horse-8-battery").want(200)
}

// The other commands work, and do not disturb a running service.
func TestOtherCommands(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PAGE_SIZE": "7"})
	ann, k := arrive(s, t, "ann@example.com")
	if out := s.MustCLI("check"); !strings.Contains(out, "page_size") || !strings.Contains(out, "7") {
		t.Errorf("check does not show the settings in force:\n%s", out)
	}
	if out := s.MustCLI("version"); !strings.Contains(out, "roster") {
		t.Errorf("version says %q", out)
	}
	if out := s.MustCLI("completion", "bash"); !strings.Contains(out, "createsuperuser") && !strings.Contains(out, "__roster") {
		t.Errorf("completion is no script for bash:\n%s", out)
	}
	if out := s.MustCLI("help"); !strings.Contains(out, "serve") {
		t.Errorf("help says:\n%s", out)
	}
	s.MustCLI("migrate")
	s.MustCLI("migrate")
	wantAlive(s, t, ann, k)
}

// check shows no secret.
func TestCheckHidesSecrets(t *testing.T) {
	const secret = "pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4"
	s := process.Prepare(t, map[string]string{"ROSTER_SIGNING_KEY": secret, "ROSTER_PROFILE": "django"})
	stdout, stderr, code := s.CLI("check")
	if code != 0 || strings.Contains(stdout+stderr, secret) || !strings.Contains(stdout, "signing_key") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// The operator lists the sessions of a user and the failed sign-ins.
func TestOperatorSeesSessionsAndFailures(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	call(s, t, "POST", "/api/token/", header("User-Agent", "laptop\u009b2J"), body(object{"email": ann.email, "password": password})).want(200)

	seen := call(s, t, "GET", "/api/sessions/", bearer(k.access)).want(200).results()
	lines := strings.Split(strings.TrimSpace(s.MustCLI("session", "list", ann.email, "--format", "json")), "\n")
	if len(lines) != len(seen) {
		t.Fatalf("%d sessions, want %d:\n%s", len(lines), len(seen), strings.Join(lines, "\n"))
	}
	for i, line := range lines {
		var got object
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		delete(seen[i], "current")
		same(t, "session", got, seen[i])
	}
	if table := s.MustCLI("session", "list", ann.id); !strings.Contains(table, "LAST USED") || !strings.Contains(table, `laptop\u009b2J`) || strings.Contains(table, "\u009b") {
		t.Errorf("session list:\n%q", table)
	}

	for range 10 {
		tryToSignIn(s, t, ann.email, "wrong")
	}
	tryToSignIn(s, t, ann.email, password).want(429)
	shown := s.MustCLI("user", "show", ann.email)
	for _, want := range []string{"sessions:             2\n", " UTC from 127.0.0.1\n", "counted failures:     10\n", "locked:               until ", "password:             set\n"} {
		if !strings.Contains(shown, want) {
			t.Errorf("user show has no %q:\n%s", want, shown)
		}
	}
	s.MustCLI("user", "unlock", ann.email)
	if shown = s.MustCLI("user", "show", ann.email); !strings.Contains(shown, "counted failures:     0\n") || !strings.Contains(shown, "locked:               no\n") {
		t.Errorf("after user unlock:\n%s", shown)
	}
}

// The log line of a start has the database, whether this start created it, and that there is no administrator yet.
func TestStartLogsWhatItServes(t *testing.T) {
	s := process.Start(t, nil)
	created, administrator := `"created":true`, `"administrator":"none yet; roster createsuperuser makes one"`
	if log := s.Logs(); !strings.Contains(log, created) || !strings.Contains(log, administrator) || !strings.Contains(log, `"place":"`) {
		t.Errorf("the log has\n%s", log)
	}
	createSuperuser(s, t, "ada@example.com")
	s.Stop()
	before := len(s.Logs())
	s.Restart()
	if log := s.Logs()[before:]; strings.Contains(log, created) || strings.Contains(log, administrator) || !strings.Contains(log, `"created":false`) {
		t.Errorf("the log of the second start has\n%s", log)
	}
}
