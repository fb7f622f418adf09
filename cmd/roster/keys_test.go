package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func (s shell) keys() []object {
	s.t.Helper()
	return objects(s.t, s.must("", "keys", "list", "--format", "json"))
}

// states returns the state of each key by its id.
func (s shell) states() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, k := range s.keys() {
		out[k["kid"].(string)] = k["state"].(string)
	}
	return out
}

func TestKeys(t *testing.T) {
	s := newShell(t)
	if list := s.must("", "keys", "list"); strings.Count(list, "\n") != 1 || len(s.keys()) != 0 {
		t.Errorf("no keys yet: %q", list)
	}
	first := strings.Fields(s.must("", "keys", "add"))[4]
	second := strings.Fields(s.must("", "keys", "add", "--algorithm", "EdDSA"))[4]
	if got := s.states(); got[first] != "signing" || got[second] != "added" || len(got) != 2 {
		t.Fatalf("%v", got)
	}
	if out := s.must("", "keys", "rotate"); out != "The EdDSA key "+second+" signs.\n" {
		t.Error(out)
	}
	if got := s.states(); got[first] != "verifying" || got[second] != "signing" {
		t.Errorf("%v", got)
	}
	for _, k := range s.keys() {
		if until, _ := k["until"].(string); (until == "") != (k["state"] == "signing") || k["created"] == nil {
			t.Errorf("%v", k)
		}
	}
	table := s.must("", "keys", "list")
	for _, want := range []string{"KID ", "ALGORITHM", first, "ES256", "verifying", second, "EdDSA", "signing", " UTC"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	s.fails(exitFailure, []string{"the key signs; rotate to another one first"}, "", "keys", "retire", second, "--force")
	s.fails(exitFailure, []string{"tokens that the key signed may be good still, until "}, "", "keys", "retire", first)
	s.fails(exitFailure, []string{"there is no such key: x"}, "", "keys", "rotate", "x")
	s.fails(exitFailure, []string{`jwt: there are no key files for the algorithm "HS256"`}, "", "keys", "add", "--algorithm", "HS256")
	if out := s.must("", "keys", "retire", "--expired"); out != "No key has expired.\n" {
		t.Error(out)
	}
	if out := s.must("", "keys", "retire", first, "--force"); out != "Retired the ES256 key "+first+".\n" {
		t.Error(out)
	}
	if got := s.states(); got[second] != "signing" || len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// Nothing that is printed holds a private key, also when a key cannot be read.
func TestKeysStayPrivate(t *testing.T) {
	s := newShell(t)
	s.must("", "keys", "rotate")
	s.must("", "keys", "rotate")
	folder := filepath.Join(strings.TrimPrefix(s.environ[0], "ROSTER_DATA_DIR="), "keys")
	files, err := filepath.Glob(filepath.Join(folder, "*.pem"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	said := func() (all string) {
		for _, args := range [][]string{{"check"}, {"keys", "list"}, {"keys", "list", "--format=json"}, {"keys", "add"}, {"keys", "rotate"}, {"keys", "retire", "--expired"}} {
			r := s.run("", args...)
			all += r.stdout + r.stderr
		}
		return all
	}
	text := said()
	for _, name := range files {
		pem, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if line := strings.Split(string(pem), "\n")[1]; strings.Contains(text, line) || len(line) < 60 {
			t.Errorf("a key is told:\n%s", text)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(string(pem), "BEGIN", "BEGIN X", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		broken := said()
		if line := strings.Split(string(pem), "\n")[1]; strings.Contains(broken, line) || !strings.Contains(broken, filepath.Base(name)) {
			t.Errorf("a broken key is told, or not named:\n%s", broken)
		}
		if err := os.WriteFile(name, pem, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Where keys are configured there is nothing to keep; the way to rotate them is told.
func TestConfiguredKeysAreNotKept(t *testing.T) {
	const secret = "hunter2-0123456789-abcdefghijklmnopqrstuvwxyz"
	for _, environ := range [][]string{{"ROSTER_SIGNING_KEY=" + secret}, {"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=" + secret}} {
		s := newShell(t, environ...)
		for _, args := range [][]string{{"list"}, {"add"}, {"rotate"}, {"retire", "x"}, {"retire", "--expired"}} {
			s.fails(exitFailure, []string{"the signing key is not kept by roster but configured, with signing_key; to rotate it, put what it was in signing_key_fallbacks"}, "", append([]string{"keys"}, args...)...)
		}
	}
}

// A key given in PEM is opened at the start, and at the check.
func TestBrokenKeyInPEM(t *testing.T) {
	const marker = "hunter2hunter2"
	pem := "-----BEGIN PRIVATE KEY-----\n" + marker + "\n-----END PRIVATE KEY-----\n"
	for _, args := range [][]string{{"serve"}, {"check"}} {
		r := newShell(t, "ROSTER_SIGNING_KEY="+pem).run("", args...)
		if r.code != exitFailure || !strings.HasPrefix(r.stderr, "roster: ROSTER_SIGNING_KEY: ") || strings.Count(r.stderr, "\n") != 1 || strings.Contains(r.stdout+r.stderr, marker) {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}
