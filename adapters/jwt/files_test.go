package jwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"roster/domain/session"
)

func mustLoad(t *testing.T, dir, algorithm string) *KeySet {
	t.Helper()
	keys, err := LoadOrCreate(filepath.Join(dir, "keys"), algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func inPEM(t *testing.T, private any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		dir := filepath.Join(t.TempDir(), "not", "there", "yet")
		first, second := mustLoad(t, dir, algorithm), mustLoad(t, dir, algorithm)
		if first.KeyID() != second.KeyID() || first.Algorithm() != algorithm {
			t.Errorf("%s: %s, then %s", first.Algorithm(), first.KeyID(), second.KeyID())
		}
		token := sign(t, New(first, Options{}), session.Claims{ExpiresAt: now.Add(1e9)})
		if _, err := parse(t, New(second, Options{}), token); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		modes := map[string]os.FileMode{}
		err := filepath.WalkDir(filepath.Join(dir, "keys"), func(name string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			modes[d.Name()] = info.Mode().Perm()
			return err
		})
		want := map[string]os.FileMode{"keys": 0o700, "signing": 0o600, first.KeyID() + ".pem": 0o600}
		if err != nil || len(modes) != len(want) {
			t.Errorf("%v, %v", modes, err)
		}
		for name, mode := range want {
			if modes[name] != mode {
				t.Errorf("%s: mode %o", name, modes[name])
			}
		}
		var set jose.JSONWebKeySet
		public := first.JWKS()
		if err := json.Unmarshal(public, &set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() || !set.Keys[0].Valid() ||
			set.Keys[0].KeyID != first.KeyID() || set.Keys[0].Algorithm != algorithm || set.Keys[0].Use != "sig" {
			t.Errorf("%s, %v", public, err)
		}
	}
}

func TestManyStartsMakeOneKey(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		ids := make([]string, 8)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				<-start
				keys, err := LoadOrCreate(filepath.Join(dir, "keys"), ES256)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = keys.KeyID()
			})
		}
		close(start)
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("%q", ids)
			}
		}
		if keys := mustLoad(t, dir, ES256); keys.KeyID() != ids[0] || len(keys.byID) != 1 {
			t.Errorf("%s, then %s of %d", ids[0], keys.KeyID(), len(keys.byID))
		}
		left, err := os.ReadDir(filepath.Join(dir, "keys"))
		if err != nil || len(left) != 2 {
			t.Errorf("%v, %v", left, err)
		}
	}
}

// A crash between the decision and its completion is made good by the next start.
func TestUnfinishedKeyIsFinished(t *testing.T) {
	dir := t.TempDir()
	id := mustLoad(t, dir, ES256).KeyID()
	folder := filepath.Join(dir, "keys")
	if err := os.Rename(filepath.Join(folder, id+".pem"), filepath.Join(folder, "."+id+".new")); err != nil {
		t.Fatal(err)
	}
	if keys := mustLoad(t, dir, ES256); keys.KeyID() != id {
		t.Errorf("%s, want %s", keys.KeyID(), id)
	}
	if _, err := os.Stat(filepath.Join(folder, id+".pem")); err != nil {
		t.Error(err)
	}
	// One before the decision is no key at all.
	dir = t.TempDir()
	write(t, filepath.Join(dir, "keys", ".x.new"), "half a ke", 0o600)
	write(t, filepath.Join(dir, "keys", ".x.pem"), "an editor's", 0o600)
	mustLoad(t, dir, ES256)
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	old := mustLoad(t, dir, ES256)
	token := sign(t, New(old, Options{}), session.Claims{ExpiresAt: now.Add(1e9)})
	fresh := generated(t, EdDSA)
	id := pairs(t, fresh).KeyID()
	write(t, filepath.Join(dir, "keys", "next.pem"), inPEM(t, fresh), 0o400)

	if keys := mustLoad(t, dir, ES256); keys.KeyID() != old.KeyID() || len(keys.byID) != 2 {
		t.Errorf("a second key signs: %s", keys.KeyID())
	}
	write(t, filepath.Join(dir, "keys", "signing"), id+"\n", 0o644)
	keys := mustLoad(t, dir, EdDSA)
	if keys.KeyID() != id || keys.Algorithm() != EdDSA {
		t.Errorf("%s signs", keys.KeyID())
	}
	if _, err := parse(t, New(keys, Options{}), token); err != nil {
		t.Errorf("old token: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "keys", old.KeyID()+".pem")); err != nil {
		t.Fatal(err)
	}
	refused(t, New(mustLoad(t, dir, EdDSA), Options{}), token)
	if err := os.Remove(filepath.Join(dir, "keys", "signing")); err != nil {
		t.Fatal(err)
	}
	if keys := mustLoad(t, dir, EdDSA); keys.KeyID() != id {
		t.Errorf("the only key does not sign")
	}
}

func TestRefusedFiles(t *testing.T) {
	good := inPEM(t, generated(t, ES256))
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const marker = "MARKERmarkerMARKER"
	for name, c := range map[string]struct {
		file, content string
		mode          os.FileMode
		algorithm     string
		says          string
	}{
		"readable by the group": {"a.pem", good, 0o640, ES256, "a.pem"},
		"readable by all":       {"a.pem", good, 0o604, ES256, "a.pem"},
		"writable by all":       {"a.pem", good, 0o602, ES256, "a.pem"},
		"empty":                 {"a.pem", "", 0o600, ES256, "a.pem"},
		"garbage":               {"a.pem", marker, 0o600, ES256, "a.pem"},
		"garbage in PEM":        {"a.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(marker)})), 0o600, ES256, "a.pem"},
		"another PEM":           {"a.pem", strings.ReplaceAll(good, "PRIVATE", marker), 0o600, ES256, "a.pem"},
		"two keys":              {"a.pem", good + good, 0o600, ES256, "a.pem"},
		"something after":       {"a.pem", good + marker, 0o600, ES256, "a.pem"},
		"too large":             {"a.pem", good + strings.Repeat("\n", 1<<16), 0o600, ES256, "a.pem"},
		"RSA of 1024 bits":      {"a.pem", inPEM(t, small), 0o600, RS256, "a.pem"},
		"P-384":                 {"a.pem", inPEM(t, other), 0o600, ES256, "a.pem"},
		"marker is garbage":     {"signing", "../" + marker, 0o600, ES256, "signing"},
		"marker is a path":      {"signing", "../../../../../../../../../../../../etc/passwd", 0o600, ES256, "signing"},
		"marker is empty":       {"signing", "", 0o600, ES256, "signing"},
		"marker names nothing":  {"signing", strings.Repeat("x", 43), 0o600, ES256, "signing"},
		"marker for all":        {"signing", strings.Repeat("x", 43), 0o602, ES256, "signing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "keys", c.file), c.content, c.mode)
			keys, err := LoadOrCreate(filepath.Join(dir, "keys"), c.algorithm)
			if err == nil || keys != nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), marker) {
				t.Errorf("%v", err)
			}
			left, err := os.ReadDir(filepath.Join(dir, "keys"))
			if err != nil || len(left) != 1 {
				t.Errorf("a key is made all the same: %v, %v", left, err)
			}
		})
	}
	t.Run("a folder", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "keys", "a.pem"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreate(filepath.Join(dir, "keys"), ES256); err == nil || !strings.Contains(err.Error(), "a.pem") {
			t.Errorf("%v", err)
		}
	})
	t.Run("folder writable by others", func(t *testing.T) {
		dir := t.TempDir()
		mustLoad(t, dir, ES256)
		if err := os.Chmod(filepath.Join(dir, "keys"), 0o770); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreate(filepath.Join(dir, "keys"), ES256); err == nil || !strings.Contains(err.Error(), "keys") {
			t.Errorf("%v", err)
		}
	})
	t.Run("two keys, no marker", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "keys", "a.pem"), good, 0o600)
		write(t, filepath.Join(dir, "keys", "b.pem"), inPEM(t, generated(t, ES256)), 0o600)
		if _, err := LoadOrCreate(filepath.Join(dir, "keys"), ES256); err == nil || !strings.Contains(err.Error(), "signing") {
			t.Errorf("%v", err)
		}
	})
	for _, algorithm := range []string{"", "none", HS256, "ES512", "es256"} {
		dir := t.TempDir()
		if _, err := LoadOrCreate(filepath.Join(dir, "keys"), algorithm); err == nil {
			t.Errorf("algorithm %q", algorithm)
		}
	}
}
