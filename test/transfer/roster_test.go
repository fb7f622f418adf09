package transfer_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"roster/test/support/process"
)

// exports is the directory of the real export of Django.
const exports = "../../adapters/django/testdata"

// secretKey is Django's SECRET_KEY, which signed the tokens of the export.
const secretKey = "django-insecure-export-key-$&*(x)=+_0123456789abcdefghijklmn"

// djangoSettings lets requests take longer than the default: hashes of imported users have their full cost, and the tests of
// other packages use the processors at the same time.
func djangoSettings() map[string]string {
	return map[string]string{
		"ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": secretKey, "ROSTER_REQUEST_TIMEOUT": "5m", "ROSTER_HASH_WAIT": "5m",
	}
}

func source(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(exports, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// readJSON reads a file into a value.
func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// request makes one request and returns its status and body.
func request(t *testing.T, s *process.Server, method, path, token string, body any) (int, map[string]any) {
	t.Helper()
	var in bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&in).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, &in)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s %s: status %d: %v", method, path, resp.StatusCode, err)
	}
	return resp.StatusCode, out
}

// command is one run of roster.
type command struct {
	killed bool
	code   int
	out    string // the standard output
	errs   string // the standard error
	peak   int64  // most resident bytes seen
}

// run runs roster with settings until it ends, or kills it (SIGKILL) once its standard error has a
// line that begins with until.
func run(t *testing.T, env map[string]string, until string, args ...string) command {
	t.Helper()
	binary, err := process.Build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(process.Options{DataDir: cmd.Dir, Env: env}.Settings(), "GOGC=") // its peak is judged
	var out bytes.Buffer
	cmd.Stdout = &out
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var c command
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		c.errs += lines.Text() + "\n"
		c.peak = max(c.peak, peak(cmd.Process.Pid))
		if until != "" && !c.killed && strings.HasPrefix(lines.Text(), until) {
			c.killed = true
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait() // the exit code is checked
	c.code, c.out = cmd.ProcessState.ExitCode(), out.String()
	if until != "" && !c.killed {
		t.Fatalf("roster %s never came to %q:\n%s", strings.Join(args, " "), until, c.errs)
	}
	return c
}

// must runs roster, which must succeed.
func must(t *testing.T, env map[string]string, args ...string) command {
	t.Helper()
	c := run(t, env, "", args...)
	if c.code != 0 {
		t.Fatalf("roster %s: exit code %d\n%s%s", strings.Join(args, " "), c.code, c.out, c.errs)
	}
	return c
}

// peak returns the highest resident memory of a process so far, 0 when it has ended.
func peak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// newSettings returns the settings of a new, empty SQLite database.
func newSettings(t testing.TB) map[string]string {
	t.Helper()
	return map[string]string{"ROSTER_DATABASE": "sqlite:" + filepath.Join(t.TempDir(), "roster.db")}
}
