package docs

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

// preparation is what a page needs before its first command, beside an empty directory with bin/roster and the file
// password.txt.
var preparation = map[string]string{
	"docs/operations.md": `
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=id.example.org \
	-addext subjectAltName=DNS:id.example.org -keyout key.pem -out cert.pem 2>/dev/null`,
	"docs/django.md": `
cat > users.json <<'END'
[{"model": "auth.user", "pk": 1, "fields": {"password": "!", "last_login": null, "is_superuser": false, "username": "ann",
"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "is_staff": false, "is_active": true,
"date_joined": "2024-01-01T00:00:00Z"}}]
END
cat > people.json <<'END'
[{"model": "people.person", "pk": 2, "fields": {"password": "!", "last_login": null, "is_superuser": false,
"given_name": "Bob", "last_name": "Ray", "mail": "bob@example.com", "is_staff": false, "is_active": true,
"date_joined": "2024-01-01T00:00:00Z"}}]
END
python3 - <<'END'
import sqlite3
db = sqlite3.connect("django.sqlite3")
db.execute("""CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, password varchar(128), last_login datetime,
is_superuser bool, username varchar(150), last_name varchar(150), email varchar(254), is_staff bool, is_active bool,
date_joined datetime, first_name varchar(150))""")
db.execute("""INSERT INTO auth_user VALUES (1, '!', NULL, 0, 'ann', 'Lee', 'ann@example.com', 0, 1,
'2024-01-01 00:00:00', 'Ann')""")
db.commit()
END`,
	"docs/transfer.md": `bin/roster user create --email ann@example.com --password-file password.txt`,
}

// tools is what the preparation of a page and its blocks call beside the usual.
var tools = map[string][]string{
	"docs/operations.md": {"openssl"},
	"docs/django.md":     {"python3"},
}

// roster stands for the binary in the documents. Serving would not end: the settings are checked instead, since the
// walks serve.
const roster = `#!/bin/bash
if [ "$1" = serve ]; then shift; exec "$ROSTER" check "$@"; fi
exec "$ROSTER" "$@"
`

// prelude makes the targets of make be looked up and not run: those that serve or test would not end here.
const prelude = `set -eu
make() { command make --no-print-directory -n -C "$ROOT" "$@" > /dev/null; }
`

// server is the PostgreSQL database of the documents.
const server = "postgres://roster@db.example.org/roster"

// TestCommands runs each sh block of each page, those of a page in order and in one directory, where a service runs.
// Blocks that need what a test cannot have, such as a registered name, are text.
func TestCommands(t *testing.T) {
	binary, err := process.Build()
	if err != nil {
		t.Fatal(err)
	}
	texts := pages(t)
	ran := 0
	for _, page := range slices.Sorted(maps.Keys(texts)) {
		commands := commands(t, texts[page])
		ran += strings.Count(commands, "\n")
		if commands == "" {
			continue
		}
		t.Run(page, func(t *testing.T) {
			for _, tool := range tools[page] {
				if _, err := exec.LookPath(tool); err != nil {
					t.Skip(err)
				}
			}
			run(t, binary, preparation[page]+"\n"+commands)
		})
	}
	if ran < 40 {
		t.Errorf("the documents have %d lines of commands", ran)
	}
}

// walk is the part of a page that TestWalk runs.
var walk = regexp.MustCompile(`(?s)<!-- walk -->.*<!-- /walk -->`)

// commands returns the sh blocks of a page. A block whose tool is not installed is left out.
func commands(t *testing.T, text string) string {
	t.Helper()
	var script strings.Builder
	for _, block := range fenced.FindAllStringSubmatch(walk.ReplaceAllString(text, ""), -1) {
		if tool := block[1]; tool != "" {
			if _, err := exec.LookPath(tool); err != nil {
				t.Logf("not run: %s\n%s", err, block[3])
				continue
			}
		}
		if block[2] == "sh" {
			script.WriteString(block[3])
		}
	}
	return script.String()
}

// run runs commands in a new directory, where a service runs on data/.
func run(t *testing.T, binary, script string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	for _, d := range []string{data, filepath.Join(dir, "bin")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"bin/roster": roster, "password.txt": "four wide purple boats\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(script, server) {
		script = strings.ReplaceAll(script, server, "'"+testenv.Postgres(t)+"'")
	}
	log := new(process.Log)
	service, err := process.Launch(process.Options{Binary: binary, DataDir: data, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if code, err := service.Stop(); err != nil || code != 0 {
			t.Errorf("the service stopped with exit code %d (%v)\n%s", code, err, log)
		}
	})
	cmd := exec.CommandContext(t.Context(), "bash", "-c", prelude+"set -x\n"+script)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ROSTER_") })
	cmd.Env = append(cmd.Env, "ROSTER="+binary, "ROOT="+here)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
