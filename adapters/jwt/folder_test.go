package jwt

import (
	"crypto/ecdsa"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/domain/session"
)

// watched is a folder of keys as an instance sees it, and its operator.
type watched struct {
	*Folder
	t     *testing.T
	ring  *Keyring
	log   *observer.ObservedLogs
	loads int
}

func watch(t *testing.T) *watched {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	core, log := observer.New(zap.DebugLevel)
	f, err := OpenFolder(path, ES256, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{Folder: f, t: t, ring: NewKeyring(path, ES256, 24*time.Hour), log: log}
	f.load = func(folder string) (*KeySet, error) {
		w.loads++
		return load(folder)
	}
	w.age()
	f.Look()
	w.loads = 0
	return w
}

// age makes the last change of the folder one of an hour ago.
func (w *watched) age() {
	w.t.Helper()
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(w.path, old, old); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) token() string {
	w.t.Helper()
	return sign(w.t, New(w, Options{}), session.Claims{ExpiresAt: now.Add(time.Hour)})
}

func (w *watched) accepts(token string) {
	w.t.Helper()
	if _, err := parse(w.t, New(w, Options{}), token); err != nil {
		w.t.Error(err)
	}
}

// rotated returns what an operator's rotation did.
func rotated(t *testing.T, r *Keyring, kid string) KeyInfo {
	t.Helper()
	k, err := r.Rotate(kid)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func added(t *testing.T, r *Keyring, algorithm string) KeyInfo {
	t.Helper()
	k, err := r.Add(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// An instance that looks follows a rotation, to another algorithm too; both keys verify, both are
// published, and what a retired key signed is refused.
func TestFolderFollowsARotation(t *testing.T) {
	w := watch(t)
	first, old := w.Keys().KeyID(), w.token()
	next := added(t, w.ring, EdDSA)
	w.Look()
	if w.Keys().KeyID() != first || len(w.Keys().byID) != 2 || !strings.Contains(string(w.Keys().JWKS()), next.ID) {
		t.Errorf("an added key: %s signs, %s is published", w.Keys().KeyID(), w.Keys().JWKS())
	}
	rotated(t, w.ring, "")
	w.Look()
	if w.Keys().KeyID() != next.ID || w.Keys().Algorithm() != EdDSA {
		t.Errorf("%s signs, want %s", w.Keys().KeyID(), next.ID)
	}
	fresh := w.token()
	w.accepts(old)
	w.accepts(fresh)
	if set := string(w.Keys().JWKS()); !strings.Contains(set, first) || !strings.Contains(set, next.ID) {
		t.Errorf("published: %s", set)
	}
	if _, err := w.ring.Retire(first, true); err != nil {
		t.Fatal(err)
	}
	w.Look()
	refused(t, New(w, Options{}), old)
	w.accepts(fresh)
	if set := string(w.Keys().JWKS()); strings.Contains(set, first) {
		t.Errorf("published: %s", set)
	}
}

// Two instances one step apart accept each other's tokens, before either has looked.
func TestTokenOfAnotherInstance(t *testing.T) {
	ahead := watch(t)
	behind, err := OpenFolder(ahead.path, ES256, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	old := ahead.token()
	for range 3 {
		rotated(t, ahead.ring, "")
		ahead.Look()
		if _, err := parse(t, New(behind, Options{}), ahead.token()); err != nil {
			t.Errorf("the one behind refuses: %v", err)
		}
		ahead.accepts(old)
	}
}

// A key that comes in the same tick of the file system's clock as the change before is found all the same.
func TestKeyInTheSameTick(t *testing.T) {
	w := watch(t)
	tick := time.Now()
	w.now = func() time.Time { return tick }
	touch := func() {
		if err := os.Chtimes(w.path, tick, tick); err != nil {
			t.Fatal(err)
		}
	}
	touch()
	w.Look()
	k := added(t, w.ring, "")
	touch()
	if w.KeysWith(k.ID).byID[k.ID] == nil {
		t.Error("the key is not found")
	}
}

// Ids that somebody made up do not make the folder be read, and hide no key that comes afterwards.
func TestForgedIDsReadNothing(t *testing.T) {
	w := watch(t)
	forged := func() {
		for _, kid := range []string{"", "x", "../../etc/passwd", strings.Repeat("x", 43), strings.Repeat("y", 43), strings.Repeat("é", 43)} {
			refused(t, New(w, Options{}), es(t, w.Keys().signing.private.(*ecdsa.PrivateKey), `{"alg":"ES256","kid":"`+kid+`"}`, minimal))
		}
	}
	for range 100 {
		forged()
	}
	if w.loads != 0 {
		t.Errorf("the folder was read %d times", w.loads)
	}
	k := added(t, w.ring, "")
	w.age() // an hour ago, still another time than before
	if w.KeysWith(k.ID).byID[k.ID] == nil || w.loads != 1 {
		t.Errorf("the key that came is not found, after %d reads", w.loads)
	}
	forged()
	if w.loads != 1 {
		t.Errorf("the folder was read %d times", w.loads)
	}
}

// What cannot be read leaves the keys as they are, and is told once, without what is in it.
func TestUnreadableFolderKeepsTheKeys(t *testing.T) {
	const marker = "MARKERmarkerMARKER"
	for name, c := range map[string]struct{ spoil, mend func(w *watched) error }{
		"a key is garbage": {
			func(w *watched) error { return os.WriteFile(filepath.Join(w.path, "b.pem"), []byte(marker), 0o600) },
			func(w *watched) error { return os.Remove(filepath.Join(w.path, "b.pem")) },
		},
		"a key is for all": {
			func(w *watched) error { return os.Chmod(filepath.Join(w.path, w.Keys().KeyID()+".pem"), 0o644) },
			func(w *watched) error { return os.Chmod(filepath.Join(w.path, w.Keys().KeyID()+".pem"), 0o600) },
		},
		"a key is a folder": {
			func(w *watched) error { return os.Mkdir(filepath.Join(w.path, "b.pem"), 0o700) },
			func(w *watched) error { return os.Remove(filepath.Join(w.path, "b.pem")) },
		},
		"the marker is garbage": {
			func(w *watched) error { return os.WriteFile(filepath.Join(w.path, "signing"), []byte(marker), 0o600) },
			func(w *watched) error {
				return os.WriteFile(filepath.Join(w.path, "signing"), []byte(w.Keys().KeyID()), 0o600)
			},
		},
		"the folder is for all": {
			func(w *watched) error { return os.Chmod(w.path, 0o777) },
			func(w *watched) error { return os.Chmod(w.path, 0o700) },
		},
		"the folder is gone": {
			func(w *watched) error { return os.Rename(w.path, w.path+".away") },
			func(w *watched) error { return os.Rename(w.path+".away", w.path) },
		},
		"the folder is empty": {
			func(w *watched) error {
				return errors.Join(os.Rename(w.path, w.path+".away"), os.Mkdir(w.path, 0o700))
			},
			func(w *watched) error {
				return errors.Join(os.Remove(w.path), os.Rename(w.path+".away", w.path))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			token, before := w.token(), w.Keys()
			if err := c.spoil(w); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				w.Look()
			}
			if w.Keys() != before {
				t.Error("the keys changed")
			}
			w.accepts(token)
			warnings := w.log.FilterLevelExact(zap.WarnLevel).AllUntimed()
			if len(warnings) != 1 {
				t.Fatalf("%d warnings, want 1: %v", len(warnings), warnings)
			}
			for _, e := range warnings {
				for _, f := range e.Context {
					if err, ok := f.Interface.(error); !ok || strings.Contains(err.Error(), marker) || !strings.Contains(err.Error(), filepath.Base(w.path)) {
						t.Errorf("%v", f.Interface)
					}
				}
			}
			if err := c.mend(w); err != nil {
				t.Fatal(err)
			}
			k := rotated(t, w.ring, "")
			w.Look()
			if w.Keys().KeyID() != k.ID {
				t.Error("it is not followed any more")
			}
			w.accepts(token)
		})
	}
}

// Readers and a rotating operator at once: no token is refused.
func TestRotationUnderLoad(t *testing.T) {
	w := watch(t)
	other, err := OpenFolder(w.path, ES256, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	for _, pair := range [][2]Source{{w, other}, {other, w}} {
		go func() {
			defer func() { done <- struct{}{} }()
			signs, verifies := New(pair[0], Options{}), New(pair[1], Options{})
			for {
				select {
				case <-stop:
					return
				default:
				}
				token, err := signs.Sign(t.Context(), session.Claims{ExpiresAt: now.Add(time.Hour)})
				if err == nil {
					_, err = verifies.Parse(t.Context(), token, now)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	for range 10 {
		rotated(t, w.ring, "")
		w.Look()
		added(t, w.ring, "")
		other.Look()
	}
	close(stop)
	<-done
	<-done
}
