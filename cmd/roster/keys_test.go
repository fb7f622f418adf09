package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
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
	s.fails(exitFailure, []string{`signing keys are made for ES256, RS256 and EdDSA, not for "HS256"`}, "", "keys", "add", "--algorithm", "HS256")
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

// keysDir returns the directory of the key file.
func (s shell) keysDir() string {
	return filepath.Join(strings.TrimPrefix(s.environ[0], "ROSTER_DATA_DIR="), "keys")
}

// newPEM writes a new private key to a file, mode 0600, and returns its path.
func newPEM(t *testing.T, dir string) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// A key in a PEM file is added once.
func TestKeysFromFiles(t *testing.T) {
	s := newShell(t)
	file := newPEM(t, s.keysDir())
	first := strings.Fields(s.must("", "keys", "add", "--from", file))[4]
	if got := s.states(); got[first] != "signing" || len(got) != 1 {
		t.Errorf("%v", got)
	}
	second := strings.Fields(s.must("", "keys", "add", "--from", newPEM(t, t.TempDir())))[4]
	if got := s.states(); got[first] != "signing" || got[second] != "added" {
		t.Errorf("%v", got)
	}
	s.must("", "check")
	s.fails(exitFailure, []string{"the key is there already: " + first}, "", "keys", "add", "--from", file)
	s.fails(exitFailure, []string{file + ".x: "}, "", "keys", "add", "--from", file+".x")
	s.fails(exitMisuse, []string{"--from goes without --algorithm"}, "", "keys", "add", "--from", file, "--algorithm", "EdDSA")
}

// No output has a private key, even when the key file is damaged.
func TestKeysStayPrivate(t *testing.T) {
	s := newShell(t)
	s.must("", "keys", "rotate")
	s.must("", "keys", "rotate")
	file := filepath.Join(s.keysDir(), "signing-keys.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []struct{ D string } }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 2 {
		t.Fatal(err, len(set.Keys))
	}
	printed := func() (all string) {
		for _, args := range [][]string{{"check"}, {"keys", "list"}, {"keys", "list", "--format=json"}, {"keys", "add"}, {"keys", "rotate"}, {"keys", "retire", "--expired"}} {
			r := s.run("", args...)
			all += r.stdout + r.stderr
		}
		return all
	}
	sound := printed()
	if err := os.WriteFile(file, bytes.Replace(text, []byte(`"P-256"`), []byte(`"P-255"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := printed()
	if !strings.Contains(damaged, file) {
		t.Errorf("the damaged file is not named:\n%s", damaged)
	}
	for _, k := range set.Keys {
		if len(k.D) < 40 || strings.Contains(sound, k.D) || strings.Contains(damaged, k.D) {
			t.Errorf("a key is printed:\n%s\n%s", sound, damaged)
		}
	}
}

// With a configured key there is no key file; the error of roster keys describes how to rotate the setting.
func TestConfiguredKeysAreNotKept(t *testing.T) {
	const secret = "hunter2-0123456789-abcdefghijklmnopqrstuvwxyz"
	for _, environ := range [][]string{{"ROSTER_SIGNING_KEY=" + secret}, {"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=" + secret}} {
		s := newShell(t, environ...)
		for _, args := range [][]string{{"list"}, {"add"}, {"rotate"}, {"retire", "x"}, {"retire", "--expired"}} {
			s.fails(exitFailure, []string{"the signing key is not kept by roster but configured, with signing_key; to rotate it, put what it was in signing_key_fallbacks"}, "", append([]string{"keys"}, args...)...)
		}
	}
}

// A start and a check read a configured key in PEM.
func TestBrokenKeyInPEM(t *testing.T) {
	const marker = "hunter2hunter2"
	key := "-----BEGIN PRIVATE KEY-----\n" + marker + "\n-----END PRIVATE KEY-----\n"
	for _, args := range [][]string{{"serve"}, {"check"}} {
		r := newShell(t, "ROSTER_SIGNING_KEY="+key).run("", args...)
		if r.code != exitFailure || !strings.HasPrefix(r.stderr, "roster: ROSTER_SIGNING_KEY: ") || strings.Count(r.stderr, "\n") != 1 || strings.Contains(r.stdout+r.stderr, marker) {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}
