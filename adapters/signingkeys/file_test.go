package signingkeys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"roster/domain/signing"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/zap"
)

// The first start creates a key file, mode 0600; later starts use it. The file is a JWK set.
func TestKeyIsMadeOnceAndKept(t *testing.T) {
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		dir := filepath.Join(t.TempDir(), "not", "there", "yet", "keys")
		file, err := Open(dir, algorithm, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		first, second := file.Current(""), open(t, dir)
		if first.Signing().ID() != second.Signing().ID() || first.Signing().Algorithm() != algorithm {
			t.Errorf("%s: %s, then %s", first.Signing().Algorithm(), first.Signing().ID(), second.Signing().ID())
		}
		if id, sig := signature(t, first); !verifies(second, id, sig) {
			t.Errorf("%s: the signature is refused after the second start", algorithm)
		}
		for name, mode := range map[string]os.FileMode{"": 0o700, "..": 0o700, FileName: 0o600, "." + FileName + ".lock": 0o600} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
			t.Errorf("%v, %v", left, err)
		}
		text, err := os.ReadFile(filepath.Join(dir, FileName))
		if err != nil {
			t.Fatal(err)
		}
		for public, set := range map[bool][]byte{true: first.JWKS(), false: text} {
			var keys jose.JSONWebKeySet
			if err := json.Unmarshal(set, &keys); err != nil || len(keys.Keys) != 1 {
				t.Fatalf("%v: %v", public, err)
			}
			if k := keys.Keys[0]; k.IsPublic() != public || !k.Valid() || k.KeyID != first.Signing().ID() || k.Algorithm != algorithm || k.Use != "sig" {
				t.Errorf("%v: another key", public)
			}
		}
	}
}

func TestManyStartsMakeOneKey(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "keys")
		ids := make([]string, 8)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				<-start
				f, err := Open(dir, ES256, zap.NewNop())
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = f.Current("").Signing().ID()
			})
		}
		close(start)
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("%q", ids)
			}
		}
		if keys := open(t, dir); keys.Signing().ID() != ids[0] || len(keys.Keys()) != 1 {
			t.Errorf("%s, then %s of %d", ids[0], keys.Signing().ID(), len(keys.Keys()))
		}
	}
}

// damaged returns a key file with one key, changed by a function.
func damaged(t *testing.T, change func(set map[string]any, key map[string]any)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	open(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	var set map[string]any
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	change(set, set["keys"].([]any)[0].(map[string]any))
	if text, err = json.Marshal(set); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A file that is damaged, or that another user can read, is refused; the error has its name and nothing of its content.
func TestRefusedFiles(t *testing.T) {
	const marker = "MARKERmarkerMARKER"
	good := damaged(t, func(map[string]any, map[string]any) {})
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unsuitable := func(private any, algorithm string) string {
		return damaged(t, func(set, _ map[string]any) {
			set["keys"], set["signing"] = []any{jose.JSONWebKey{Key: private, KeyID: "x", Algorithm: algorithm}}, "x"
		})
	}
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"readable by the group": {good, 0o640},
		"readable by all":       {good, 0o604},
		"writable by all":       {good, 0o602},
		"empty":                 {"", 0o600},
		"garbage":               {marker, 0o600},
		"cut":                   {good[:len(good)/2], 0o600},
		"two documents":         {good + good, 0o600},
		"something after":       {good + marker, 0o600},
		"too large":             {good + strings.Repeat("\n", MaxFile), 0o600},
		"null":                  {"null", 0o600},
		"list":                  {"[]", 0o600},
		"no keys":               {`{"signing":"` + marker + `","keys":[]}`, 0o600},
		"null for a key":        {`{"signing":"` + marker + `","keys":[null]}`, 0o600},
		"text for a key":        {`{"signing":"` + marker + `","keys":["` + marker + `"]}`, 0o600},
		"RSA of 1024 bits":      {unsuitable(small, RS256), 0o600},
		"P-384":                 {unsuitable(other, "ES384"), 0o600},
		"a secret":              {unsuitable([]byte(secret), HS256), 0o600},
		"a public key":          {unsuitable(other.Public(), ES256), 0o600},
		"no key signs":          {damaged(t, func(set, _ map[string]any) { delete(set, "signing") }), 0o600},
		"another key signs":     {damaged(t, func(set, _ map[string]any) { set["signing"] = marker }), 0o600},
		"kid of another key":    {damaged(t, func(_, k map[string]any) { k["kid"] = marker }), 0o600},
		"damaged key":           {damaged(t, func(_, k map[string]any) { k["x"] = marker }), 0o600},
		"public half alone":     {damaged(t, func(_, k map[string]any) { delete(k, "d") }), 0o600},
		"time is text":          {damaged(t, func(_, k map[string]any) { k["created"] = marker }), 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			o := operate(t)
			path := filepath.Join(o.dir, FileName)
			write(t, path, c.content, c.mode)
			_, start := Open(o.dir, ES256, zap.NewNop())
			_, list := o.List(t.Context())
			_, add := o.Add(t.Context(), "")
			_, rotate := o.Rotate(t.Context(), "")
			_, retire := o.RetireExpired(t.Context())
			for _, err := range []error{start, Check(o.dir, ES256), list, add, rotate, retire} {
				if err == nil || !strings.HasPrefix(err.Error(), path+": ") || strings.Contains(err.Error(), marker) {
					t.Errorf("%v", err)
					continue
				}
				switch reason := strings.TrimPrefix(err.Error(), path+": "); {
				case reason == errDocument.Error(), reason == errUnsuitable.Error(), strings.HasPrefix(reason, "mode "), strings.HasPrefix(reason, "longer than "):
				default:
					t.Errorf("another reason: %s", reason)
				}
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != c.content {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "keys", FileName), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(filepath.Join(dir, "keys"), ES256, zap.NewNop()); err == nil || !strings.Contains(err.Error(), FileName) {
			t.Errorf("%v", err)
		}
	})
	t.Run("directory writable by others", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "keys")
		for range 2 { // without a key file, and with one
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, 0o770); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, ES256, zap.NewNop()); err == nil || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v", err)
			}
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			open(t, dir)
		}
	})
	for _, algorithm := range []string{"", "none", HS256, "ES512", "es256"} {
		dir := filepath.Join(t.TempDir(), "keys")
		if _, err := Open(dir, algorithm, zap.NewNop()); err == nil {
			t.Errorf("algorithm %q", algorithm)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("algorithm %q: something was made", algorithm)
		}
	}
}

// Keys in PEM are imported unchanged, once, from a file that no other user can read.
func TestAddFrom(t *testing.T) {
	o := operate(t)
	first := rotated(t, o.Keyring, "")
	const marker = "MARKERmarkerMARKER"
	file := filepath.Join(t.TempDir(), "key.pem")
	for _, algorithm := range []string{ES256, RS256, EdDSA} {
		private := generated(t, algorithm)
		write(t, file, inPEM(t, private), 0o400)
		k, err := o.AddFrom(t.Context(), file)
		if err != nil || k.ID != idOf(t, private) || k.Algorithm != algorithm || k.State != signing.Added {
			t.Errorf("%v, %v", k, err)
		}
		if _, err := o.AddFrom(t.Context(), file); err == nil || !strings.Contains(err.Error(), signing.ErrKnownKey.Error()) {
			t.Errorf("a second time: %v", err)
		}
		if k := rotated(t, o.Keyring, k.ID); k.State != signing.Signing {
			t.Errorf("%v", k)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if keys := open(t, o.dir); len(keys.Keys()) != 4 || keys.Find(first.ID) == nil {
		t.Errorf("%d keys", len(keys.Keys()))
	}
	good := inPEM(t, generated(t, ES256))
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"readable by the group": {good, 0o640},
		"readable by all":       {good, 0o604},
		"empty":                 {"", 0o600},
		"garbage":               {marker, 0o600},
		"garbage in PEM":        {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(marker)})), 0o600},
		"another PEM":           {strings.ReplaceAll(good, "PRIVATE", marker), 0o600},
		"two keys":              {good + good, 0o600},
		"something after":       {good + marker, 0o600},
		"a public key":          {publicPEM(t, generated(t, ES256)), 0o600},
	} {
		write(t, file, c.content, c.mode)
		if _, err := o.AddFrom(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.AddFrom(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("no file: %v", err)
	}
	if got := len(open(t, o.dir).Keys()); got != 4 {
		t.Errorf("%d keys", got)
	}
}
