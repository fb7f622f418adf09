package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The error of a missing file has the name that the operator used, without a system call and without internal names.
func TestMissingFiles(t *testing.T) {
	s := newShell(t)
	s.must("", "migrate")
	users := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(users, []byte(`[{"model":"auth.user","pk":1,"fields":{"password":"!","email":"a@example.org","last_login":null,"is_active":true}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"/none/x.jsonl cannot be written: no such file or directory": {"export", "/none/x.jsonl"},
		"/none/x.jsonl: no such file or directory":                   {"import", "roster", "/none/x.jsonl"},
		"SOURCE: /none/x.json: no such file or directory":            {"import", "django", "/none/x.json"},
		"--tls-key: /none/k: no such file or directory":              {"serve", "--tls-cert=/none/c", "--tls-key=/none/k", "--log-level=error"},
		"/none/report cannot be written: no such file or directory":  {"import", "django", users, "--report=/none/report"},
		"--data-dir: must not be empty":                              {"user", "list", "--data-dir="},
		users + ": this is not an export of Roster":                  {"import", "roster", users},
	} {
		if r := s.run("", args...); r.code != exitFailure || !strings.HasSuffix(r.stderr, "roster: "+want+"\n") {
			t.Errorf("%v: exit code %d, %q, want %q", args, r.code, r.stderr, want)
		}
	}
	dir := filepath.Dir(users)
	if r := s.run("", "import", "roster", dir); r.stderr != "roster: "+dir+": is a directory\n" {
		t.Errorf("import of a directory: %q", r.stderr)
	}
}

// An export may be compressed by gzip, in a file and on the standard input.
func TestImportOfAPackedExport(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(s.must("", "export", "-"))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.jsonl.gz")
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ stdin, name string }{{"", file}, {packed.String(), "-"}} {
		other := newShell(t)
		other.must(c.stdin, "import", "roster", c.name)
		if list := objects(t, other.must("", "user", "list", "--format=json")); len(list) != 1 || list[0]["email"] != "ada@example.org" {
			t.Errorf("%s: imported %v", c.name, list)
		}
	}
	half := packed.Bytes()[:packed.Len()/2]
	if err := os.WriteFile(file, half, 0o600); err != nil {
		t.Fatal(err)
	}
	other := newShell(t)
	if r := other.run("", "import", "roster", file); r.code != exitFailure || !strings.HasPrefix(r.stderr, "roster: "+file+": ") {
		t.Errorf("half of it: %d %q", r.code, r.stderr)
	}
}

// The error of an interrupted command that can be resumed describes how.
func TestInterruptedWorkSaysHowToGoOn(t *testing.T) {
	cancelled := fmt.Errorf("store users: %w", context.Canceled)
	for want, err := range map[string]error{
		"roster: interrupted\n": cancelled,
		"roster: interrupted; run the command again with --resume to go on\n": moveError(cancelled),
	} {
		var stderr bytes.Buffer
		if code := (&program{stderr: &stderr}).report(err); code != exitInterrupted || stderr.String() != want {
			t.Errorf("%v: exit code %d, %q", err, code, stderr.String())
		}
	}
	if err := errors.New("x"); moveError(err) != err { //nolint:errorlint // the very same
		t.Error("another failure was changed")
	}
}

// The error of an interrupted import from Django has the advice to run it again.
func TestInterruptedImport(t *testing.T) {
	s := newShell(t)
	users := filepath.Join(t.TempDir(), "users.json")
	row := `{"model":"auth.user","pk":%d,"fields":{"password":"!","email":"u%d@example.org","first_name":"","last_name":"","is_active":true,"is_staff":false,"is_superuser":false,"last_login":null,"date_joined":"2020-01-01T00:00:00Z"}}`
	var text bytes.Buffer
	for n := range 20_000 {
		fmt.Fprintf(&text, row+"\n", n+1, n+1)
	}
	if err := os.WriteFile(users, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &watch{text: "users: ", seen: cancel} // the first line of the progress
	var stdout bytes.Buffer
	code := run(ctx, []string{"import", "django", users}, strings.NewReader(""), &stdout, stderr, s.environ)
	if code != exitInterrupted || !strings.HasSuffix(string(stderr.all), "roster: interrupted; run the same command again to go on\n") || !strings.Contains(stdout.String(), ", as far as the import came:") {
		t.Errorf("exit code %d\n%s\n%s", code, stderr.all, stdout.String())
	}
	if r := s.run("", "import", "django", users); r.code != 0 || !strings.Contains(r.stdout, "added") {
		t.Errorf("again: %d %s", r.code, r.stderr)
	}
}
