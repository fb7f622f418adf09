package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"roster/adapters/sqlitefile"
	"roster/test/support/process"
	"roster/test/support/testenv"
)

// outsider is the id of an operating system user that owns no file of the test. Only root can run a process as it.
const outsider = 65532

// asOutsider runs roster in a working directory, as outsider if this process is root.
func asOutsider(t *testing.T, dir string, env map[string]string, args ...string) command {
	t.Helper()
	built, err := process.Build()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(built)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	binary := filepath.Join(shared(t), "roster") // the binary of the tests is in a private directory
	to, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err == nil {
		_, err = io.Copy(to, from)
		err = errors.Join(err, to.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = dir
	cmd.Env = process.Options{DataDir: dir, Env: env}.Settings()
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: outsider, Gid: outsider}}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the exit code is checked
	return command{code: cmd.ProcessState.ExitCode(), out: out.String(), errs: errs.String()}
}

// shared returns a new directory that every user can read.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// own returns a new directory that outsider owns.
func own(t *testing.T) string {
	t.Helper()
	dir := shared(t)
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, outsider, outsider); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// listing returns the names, sizes, owners and times of the files in a directory.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(e.Name(), " ", info.Mode(), " ", info.Size(), " ", info.ModTime(), " ", info.Sys().(*syscall.Stat_t).Uid))
	}
	return strings.Join(out, "\n")
}

// A Django database in WAL mode can be read by another user, even in a read-only directory, and no file is created.
func TestWALSource(t *testing.T) {
	dir := shared(t)
	path := filepath.Join(dir, "db.sqlite3")
	content, err := os.ReadFile(source(t, "db.sqlite3"))
	if err == nil {
		err = os.WriteFile(path, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlitefile.Pool(path, 1, "_pragma=journal_mode(WAL)")
	if err == nil {
		err = errors.Join(db.PingContext(t.Context()), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	for _, mode := range []os.FileMode{0o777, 0o555} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		c := asOutsider(t, own(t), djangoSettings(), "import", "django", "sqlite:"+path)
		if c.code != 0 || !strings.Contains(c.out, "51") || !strings.Contains(c.errs, "read without locks") {
			t.Errorf("%v: exit code %d\n%s%s", mode, c.code, c.out, c.errs)
		}
		if got := listing(t, dir); got != before {
			t.Errorf("%v: there is\n%s\nand was\n%s", mode, got, before)
		}
	}
}

// Commands that read Roster's own database read all of it and create no file, whether the service runs or not, and
// under any operating system user.
func TestReadingOwnDatabase(t *testing.T) {
	dir := shared(t)
	path := filepath.Join(dir, "roster.db")
	s := process.Prepare(t, map[string]string{"ROSTER_DATABASE": "sqlite:" + path})
	must(t, map[string]string{"ROSTER_DATABASE": "sqlite:" + path}, "migrate")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	env := map[string]string{"ROSTER_DATABASE": "sqlite:" + path}
	looks := func(when, email string) {
		t.Helper()
		before := listing(t, dir)
		for _, args := range [][]string{
			{"user", "list"}, {"user", "show", email}, {"export", "-"},
			{"copy", "--to", "sqlite:copy.db"}, {"copy", "--to", "sqlite:copy.db", "--verify-only"}, {"copy", "--from", "sqlite:" + path, "--to", "sqlite:other.db"},
		} {
			where := own(t)
			if slices.Contains(args, "--verify-only") {
				if c := asOutsider(t, where, env, args[:len(args)-1]...); c.code != 0 {
					t.Fatalf("%s: %v: %s", when, args, c.errs)
				}
			}
			c := asOutsider(t, where, env, args...)
			if c.code != 0 || args[0] != "copy" && !strings.Contains(c.out, email) {
				t.Errorf("%s: roster %s: exit code %d\n%s%s", when, strings.Join(args, " "), c.code, c.out, c.errs)
			}
			if noted := strings.Contains(c.errs, "audit trail will not show"); os.Geteuid() == 0 && noted != (args[0] == "export") {
				t.Errorf("%s: roster %s: %s", when, strings.Join(args, " "), c.errs)
			}
		}
		if c := asOutsider(t, own(t), env, "user", "set", email, "--last-name", "B"); os.Geteuid() == 0 && (c.code != 1 || !strings.Contains(c.errs, "can only be read")) {
			t.Errorf("%s: a change by a user that may not write: exit code %d\n%s", when, c.code, c.errs)
		}
		if got := listing(t, dir); os.Geteuid() == 0 && got != before {
			t.Errorf("%s: there is\n%s\nand was\n%s", when, got, before)
		}
	}
	register := func(email string) {
		t.Helper()
		if status, answer := request(t, s, "POST", "/api/users/", "", map[string]string{"email": email, "password": "four wide purple boats", "first_name": "A", "last_name": "B"}); status != 201 {
			t.Fatal(status, answer)
		}
	}
	register("served@example.com")
	looks("while it is served", "served@example.com")
	register("killed@example.com")
	s.Kill()
	looks("after a crash", "killed@example.com")
	if err := os.Remove(path + "-shm"); err != nil {
		t.Fatal(err)
	}
	looks("after a crash, without the log's index", "killed@example.com")
	s.Restart()
	s.Stop()
	looks("when it was stopped", "killed@example.com")
}

// Without a database, a command that does not create one reports the path and the setting, and creates nothing.
func TestNoDatabase(t *testing.T) {
	for _, args := range [][]string{
		{"user", "list"}, {"user", "show", "1"}, {"user", "set", "1", "--active=false"}, {"user", "delete", "1", "--yes"},
		{"user", "set-password", "1", "--password-file", os.DevNull},
		{"export", "x.jsonl"}, {"export", "-"}, {"import", "django", source(t, "users.json"), "--dry-run"},
		{"copy", "--to", "sqlite:copy.db"},
	} {
		dir := own(t)
		resolved, err := filepath.EvalSymlinks(dir)
		if err != nil {
			t.Fatal(err)
		}
		c := asOutsider(t, dir, map[string]string{"ROSTER_DATA_DIR": process.Default}, args...)
		want := "there is no database at " + filepath.Join(resolved, "data", "roster.db")
		if c.code != 1 || !strings.Contains(c.errs, want) {
			t.Errorf("roster %s: exit code %d\n%s%s\nwant %s", strings.Join(args, " "), c.code, c.out, c.errs, want)
		}
		if args[0] != "copy" && !strings.Contains(c.errs, "ROSTER_DATA_DIR (./data by default)") {
			t.Errorf("roster %s does not name the setting: %s", strings.Join(args, " "), c.errs)
		}
		if got := listing(t, dir); got != "" {
			t.Errorf("roster %s: there is\n%s", strings.Join(args, " "), got)
		}
	}
	missing := filepath.Join(t.TempDir(), "nosuch.db")
	c := run(t, newSettings(t), "", "copy", "--from", "sqlite:"+missing)
	if _, err := os.Stat(missing); c.code != 1 || !strings.Contains(c.errs, "--from: sqlite: there is no database at "+missing) || err == nil {
		t.Errorf("copy from a source that is not there: exit code %d\n%s", c.code, c.errs)
	}
	there := newSettings(t)
	must(t, there, "migrate")
	c = run(t, there, "", "copy", "--to", "sqlite:"+missing, "--verify-only")
	if _, err := os.Stat(missing); c.code != 1 || !strings.Contains(c.errs, "--to: sqlite: there is no database at "+missing) || err == nil {
		t.Errorf("comparing with a target that is not there: exit code %d\n%s", c.code, c.errs)
	}
	c = run(t, map[string]string{"ROSTER_DATABASE": "sqlite:" + missing}, "", "user", "list")
	if !strings.Contains(c.errs, missing+", named by ROSTER_DATABASE") {
		t.Errorf("a database of the environment: %s", c.errs)
	}
}

// A start that creates a database logs it, and no other start does.
func TestCreationIsLogged(t *testing.T) {
	s := process.Prepare(t, nil)
	s.Restart()
	s.Restart()
	if n := strings.Count(s.Logs(), "created the database "); n != 1 || !strings.Contains(s.Logs(), "roster.db") {
		t.Errorf("logged %d times:\n%s", n, s.Logs())
	}
	env := newSettings(t)
	if c := must(t, env, "migrate"); !strings.Contains(c.errs, "Created the database "+strings.TrimPrefix(env["ROSTER_DATABASE"], "sqlite:")) {
		t.Errorf("migrate: %s", c.errs)
	}
	if c := must(t, env, "migrate"); c.errs != "" {
		t.Errorf("migrate again: %s", c.errs)
	}
}

// An import writes its files to the data directory unless a flag names another, never to the working directory.
func TestReportsAreInTheDataDirectory(t *testing.T) {
	work, data := shared(t), own(t)
	if err := os.Chmod(work, 0o555); err != nil {
		t.Fatal(err)
	}
	fixture := filepath.Join(shared(t), "users.json")
	content, err := os.ReadFile(source(t, "users-case-conflict.json"))
	if err == nil {
		err = os.WriteFile(fixture, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := asOutsider(t, work, map[string]string{"ROSTER_DATA_DIR": data}, "import", "django", fixture)
	if c.code != 1 || !strings.Contains(c.errs, "2 of the users did not go in") {
		t.Fatalf("exit code %d\n%s%s", c.code, c.out, c.errs)
	}
	for _, name := range []string{"import-report.jsonl", "import-rejects.jsonl"} {
		path := filepath.Join(data, name)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || !strings.Contains(c.out, path) {
			t.Errorf("%s: %v\n%s", name, err, c.out)
		}
		ignored, err := os.ReadFile(filepath.Join("..", "..", ".gitignore"))
		if err != nil || !strings.Contains(string(ignored), name) {
			t.Errorf(".gitignore does not name %s: %v", name, err)
		}
	}
}

// An import that cannot write its files fails before the first row.
func TestReportsAreCheckedFirst(t *testing.T) {
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"no such directory": {"--report", filepath.Join(dir, "none", "x")},
		"a directory":       {"--rejects", dir},
		"one for both":      {"--report", filepath.Join(dir, "x"), "--rejects", filepath.Join(dir, ".", "x")},
	} {
		env := newSettings(t)
		must(t, env, "migrate")
		c := run(t, env, "", append([]string{"import", "django", source(t, "users.json")}, args...)...)
		if c.code == 0 || c.errs == "" {
			t.Errorf("%s: exit code %d\n%s", name, c.code, c.errs)
		}
		if got := userLines(t, env); len(got) != 0 {
			t.Errorf("%s: %d users went in", name, len(got))
		}
	}
}

// Copying a database to itself is refused, in every spelling of its URL.
func TestCopyToItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "roster.db")
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	respelt := func(raw string, change func(*url.URL)) string {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	option := func(name, value string) func(*url.URL) {
		return func(u *url.URL) {
			q := u.Query()
			q.Set(name, value)
			u.RawQuery = q.Encode()
		}
	}
	for name, spellings := range map[string]func(t *testing.T) []string{
		"sqlite": func(*testing.T) []string {
			return []string{"sqlite:" + file, "sqlite://" + file, "sqlite:" + filepath.Dir(file) + "/../" + filepath.Base(filepath.Dir(file)) + "/roster.db", "sqlite:" + link}
		},
		"postgres": func(t *testing.T) []string {
			raw := testenv.Postgres(t)
			return []string{
				raw, strings.Replace(raw, "postgres://", "postgresql://", 1), respelt(raw, option("application_name", "copy")),
				respelt(raw, func(u *url.URL) { // the host among the options
					q := u.Query()
					if u.Host != "" {
						q.Set("host", u.Hostname())
						q.Set("port", u.Port())
					}
					u.Host, u.RawQuery = "", q.Encode()
				}),
				respelt(raw, func(u *url.URL) { // another name of this machine
					if u.Hostname() == "127.0.0.1" {
						u.Host = "LOCALHOST:" + u.Port()
					}
				}),
			}
		},
		"mongodb": func(t *testing.T) []string {
			raw := testenv.MongoDB(t)
			return []string{raw, respelt(raw, option("appName", "copy")), respelt(raw, func(u *url.URL) {
				if u.Hostname() == "127.0.0.1" {
					u.Host = "LocalHost:" + u.Port()
				}
			})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := spellings(t)
			must(t, map[string]string{"ROSTER_DATABASE": all[0]}, "migrate")
			for _, to := range all {
				for _, flag := range []string{"--resume", "--verify-only"} {
					c := run(t, nil, "", "copy", "--from", all[0], "--to", to, flag)
					if c.code == 0 || !strings.Contains(c.errs, "the same database") {
						t.Errorf("%s %s: exit code %d\n%s%s", to, flag, c.code, c.out, c.errs)
					}
				}
			}
		})
	}
}
