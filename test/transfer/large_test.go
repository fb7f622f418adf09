package transfer_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"roster/test/support/testenv"
)

// usersVariable is the number of users in the large tests; `make soak` sets a million. The default is the smallest
// number that takes long enough to be killed half way.
const usersVariable = "TRANSFER_USERS"

func large(t *testing.T) int {
	t.Helper()
	n := 8_000
	if text := os.Getenv(usersVariable); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 20_000 {
			t.Fatalf("%s=%s: at least 20000 is wanted", usersVariable, text)
		}
	}
	return n
}

// generated writes a fixture of n users and returns its path.
func generated(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	_, _ = w.WriteString("[\n")
	for i := 1; i <= n; i++ {
		end := ",\n"
		if i == n {
			end = "\n]\n"
		}
		fmt.Fprintf(w, `{"model": "accounts.user", "pk": %d, "fields": {"password": "pbkdf2_sha256$260000$salt%d$h1zyMeV61CgB1CY59Gwz26Lc4DWhAaKm0Py6ISyjLbY=", `+
			`"last_login": null, "is_superuser": false, "email": "user%d@example.com", "first_name": "Łukasz", "last_name": "Lee %d", "is_staff": false, "is_active": true, `+
			`"date_joined": "2021-03-01T08:00:00.%03dZ", "groups": [], "user_permissions": []}}%s`, i, i, i, i%977, i%1000, end)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// most bounds the memory of an import, copy or export of any size.
const most = 200 << 20

// contents returns the lines about collections in the output of a command.
func contents(out string) (lines []string) {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "sha256 ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func half(n int) string { return fmt.Sprintf("users: %d of %d", n/2, n) }

// An import that is killed half way and run again has every user once, in little memory.
func TestLargeImportIsKilledAndResumed(t *testing.T) {
	n := large(t)
	file := generated(t, n)
	whole := newSettings(t)
	c := must(t, whole, "import", "django", file)
	if !strings.Contains(c.out, "added      "+strconv.Itoa(n)) {
		t.Fatalf("%s", c.out)
	}
	t.Logf("sqlite: peak %d MiB", c.peak>>20)
	wantPeak(t, c)
	want := exportedUsers(t, whole)

	for name, env := range map[string]map[string]string{
		"sqlite": newSettings(t), "postgres": {"ROSTER_DATABASE": testenv.Postgres(t)},
	} {
		c := run(t, env, half(n), "import", "django", file)
		if c.code == 0 {
			t.Fatalf("%s: it ended before it was killed", name)
		}
		wantPeak(t, c)
		c = must(t, env, "import", "django", file)
		wantPeak(t, c)
		t.Logf("%s, resumed: peak %d MiB", name, c.peak>>20)
		if strings.Contains(c.out, "unchanged  0 ") {
			t.Errorf("%s: nothing was there from before\n%s", name, c.out)
		}
		if got := exportedUsers(t, env); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func wantPeak(t *testing.T, c command) {
	t.Helper()
	if c.peak == 0 || c.peak > most {
		t.Errorf("resident memory reached %d MiB", c.peak>>20)
	}
}

// exportedUsers returns the count and digest of users.
func exportedUsers(t *testing.T, env map[string]string) string {
	t.Helper()
	c := must(t, env, "export", filepath.Join(t.TempDir(), "all.jsonl"))
	wantPeak(t, c)
	return contents(c.out)[0]
}

// Copies from one backend to the next and back, each killed half way and resumed, keep all records.
func TestLargeCopyRoundTrip(t *testing.T) {
	n := 1_500 // progress is a line for each 1,000 records
	if os.Getenv(usersVariable) != "" {
		n = 20_000 // the servers take the time; TestLargeImportIsKilledAndResumed measures memory
	}
	first := newSettings(t)
	must(t, first, "import", "django", generated(t, n))
	must(t, first, "import", "django", source(t, "full.json"), "--blacklist", "--rejects", filepath.Join(t.TempDir(), "r"), "--report", filepath.Join(t.TempDir(), "p"), "--overwrite")
	chain := []string{first["ROSTER_DATABASE"], testenv.Postgres(t), testenv.MongoDB(t), newSettings(t)["ROSTER_DATABASE"]}
	var want []string
	for i, to := range chain[1:] {
		from := chain[i]
		c := run(t, nil, "copied users: 1000", "copy", "--from", from, "--to", to)
		if c.code == 0 {
			t.Fatal("it ended before it was killed")
		}
		if c := run(t, nil, "", "copy", "--from", from, "--to", to); c.code == 0 || !strings.Contains(c.errs, "--resume") {
			t.Errorf("into what was left half way: exit code %d\n%s", c.code, c.errs)
		}
		c = must(t, nil, "copy", "--from", from, "--to", to, "--resume")
		wantPeak(t, c)
		got := contents(c.out)
		if want == nil {
			want = got
		}
		if len(got) != 5 || !slices.Equal(got, want) {
			t.Errorf("copy %d holds\n%q\nwant\n%q", i+1, got, want)
		}
		for env, flag := range map[string]string{from: "--to=" + to, to: "--from=" + from} { // the settings name the other
			if again := contents(must(t, map[string]string{"ROSTER_DATABASE": env}, "copy", flag, "--verify-only").out); !slices.Equal(again, want) {
				t.Errorf("compared again: %q", again)
			}
		}
	}
	// The same holds for an export whose restoration is killed.
	last := map[string]string{"ROSTER_DATABASE": chain[0]}
	file := filepath.Join(t.TempDir(), "all.jsonl")
	wrote := contents(must(t, last, "export", file).out)
	env := newSettings(t)
	run(t, env, "imported users: 1000", "import", "roster", file)
	if got := contents(must(t, env, "import", "roster", file, "--resume").out); !slices.Equal(got, wrote) {
		t.Errorf("restored\n%q\nwant\n%q", got, wrote)
	}
}

// Invalid commands are refused, and no secret is shown.
func TestRefusals(t *testing.T) {
	const dead = "postgres://roster:hidden-word@127.0.0.1:1/x?connect_timeout=1"
	env, used := newSettings(t), newSettings(t)
	must(t, env, "migrate")
	must(t, used, "import", "django", source(t, "users.json"))
	file := filepath.Join(t.TempDir(), "all.jsonl")
	must(t, used, "export", file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	cut := filepath.Join(t.TempDir(), "cut.jsonl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"no target":             {"copy"},
		"memory":                {"copy", "--to", "memory:"},
		"from memory":           {"copy", "--from", "memory:", "--to", used["ROSTER_DATABASE"]},
		"itself":                {"copy", "--from", used["ROSTER_DATABASE"], "--to", used["ROSTER_DATABASE"]},
		"a full target":         {"copy", "--to", used["ROSTER_DATABASE"]},
		"no such backend":       {"copy", "--to", "oracle://roster:hidden-word@db/x"},
		"a dead target":         {"copy", "--to", dead},
		"a dead source":         {"import", "django", dead},
		"resume and verify":     {"copy", "--to", used["ROSTER_DATABASE"], "--resume", "--verify-only"},
		"no source":             {"import", "django"},
		"a bad map":             {"import", "django", source(t, "users.json"), "--field", "email"},
		"half an export":        {"import", "roster", cut},
		"a fixture as export":   {"import", "roster", source(t, "users.json")},
		"an export as fixture":  {"import", "django", file},
		"export over something": {"export", file},
	} {
		c := run(t, env, "", args...)
		if c.code == 0 || c.errs == "" || strings.Contains(c.out+c.errs, "hidden-word") || strings.Contains(c.errs, "goroutine ") || strings.Contains(c.out+c.errs, "pbkdf2") {
			t.Errorf("%s: exit code %d\n%s%s", name, c.code, c.out, c.errs)
		}
	}
	c := run(t, map[string]string{"ROSTER_DATABASE": dead}, "", "copy", "--from", used["ROSTER_DATABASE"])
	if c.code == 0 || !strings.Contains(c.errs, "ROSTER_DATABASE: ") || strings.Contains(c.errs, "hidden-word") {
		t.Errorf("a dead target that the settings name: exit code %d\n%s", c.code, c.errs)
	}
	if got := userLines(t, env); len(got) != 0 {
		t.Errorf("%d users got in", len(got))
	}
	memory := maps.Clone(env)
	memory["ROSTER_DATABASE"] = "memory:"
	for _, args := range [][]string{{"import", "django", source(t, "users.json")}, {"export", "-"}, {"import", "roster", file}} {
		if c := run(t, memory, "", args...); c.code == 0 || !strings.Contains(c.errs, "memory:") {
			t.Errorf("%v with memory: exit code %d\n%s", args, c.code, c.errs)
		}
	}
}

// An import into an empty database builds the indexes of lists and searches at its end. After a kill, commands that only
// read report it, and the next one that writes completes the indexes.
func TestImportIsCompletedByTheNextCommand(t *testing.T) {
	const n = 3000
	file := generated(t, n)
	for _, until := range []string{"users: 2000 of 3000", "Building the indexes of the users"} {
		env := newSettings(t)
		run(t, env, until, "import", "django", file)
		list := []string{"user", "list", "--search", "lee 17"}
		if c := run(t, env, "", list...); c.code == 0 || !strings.Contains(c.errs, "roster migrate") {
			t.Errorf("killed at %q, list: exit code %d\n%s%s", until, c.code, c.out, c.errs)
		}
		must(t, env, "migrate")
		if c := must(t, env, list...); !strings.Contains(c.out, "user17@example.com") {
			t.Errorf("killed at %q, list after completion:\n%s", until, c.out)
		}
		c := must(t, env, "import", "django", file)
		if strings.Contains(c.out, "unchanged  0 ") || strings.Contains(c.out, "rejected   3") {
			t.Errorf("killed at %q, resumed:\n%s", until, c.out)
		}
		if got := contents(must(t, env, "export", filepath.Join(t.TempDir(), "all.jsonl")).out); !strings.Contains(got[0], "3000") {
			t.Errorf("killed at %q: %s", until, got)
		}
	}
}
