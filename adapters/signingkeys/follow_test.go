package signingkeys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// watched is an instance with its key file, and an operator.
type watched struct {
	*File
	dir   string
	ring  *Keyring
	log   *observer.ObservedLogs
	reads int
}

func watch(t *testing.T) *watched {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	core, log := observer.New(zap.DebugLevel)
	f, err := Open(dir, ES256, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{File: f, dir: dir, ring: NewKeyring(dir, ES256, 24*time.Hour), log: log}
	f.read = func(path string) ([]byte, error) {
		w.reads++
		return readContent(path)
	}
	return w
}

// An instance that checks its key file follows a rotation, even to another algorithm; both keys verify and are
// published, until one is retired.
func TestFileFollowsARotation(t *testing.T) {
	w := watch(t)
	first, old := signature(t, w.Current(""))
	next := added(t, w.ring, EdDSA)
	w.Look()
	if w.Current("").Signing().ID() != first || len(w.Current("").Keys()) != 2 || !strings.Contains(string(w.Current("").JWKS()), next.ID) {
		t.Errorf("an added key: %s signs, %s is published", w.Current("").Signing().ID(), w.Current("").JWKS())
	}
	rotated(t, w.ring, "")
	w.Look()
	id, sig := signature(t, w.Current(""))
	if id != next.ID || w.Current("").Signing().Algorithm() != EdDSA {
		t.Errorf("%s signs, want %s", id, next.ID)
	}
	if !verifies(w.Current(""), first, old) || !verifies(w.Current(""), id, sig) {
		t.Error("a key does not verify")
	}
	if set := string(w.Current("").JWKS()); !strings.Contains(set, first) || !strings.Contains(set, next.ID) {
		t.Errorf("published: %s", set)
	}
	if _, err := w.ring.Retire(t.Context(), first, true); err != nil {
		t.Fatal(err)
	}
	w.Look()
	if verifies(w.Current(""), first, old) || !verifies(w.Current(""), id, sig) {
		t.Error("the retired key verifies, or the other one does not")
	}
	if set := string(w.Current("").JWKS()); strings.Contains(set, first) {
		t.Errorf("published: %s", set)
	}
}

// A key is found in a file that replaces one of the same time and size, and in one of the same size that was
// written in place.
func TestKeyInTheSameTick(t *testing.T) {
	w := watch(t)
	at := time.Now().Truncate(time.Hour)
	other := func() (id, path string) {
		o := operate(t)
		o.clock = at
		return rotated(t, o.Keyring, "").ID, o.path
	}
	take := func(move func(path string), times time.Time) {
		t.Helper()
		id, path := other()
		move(path)
		if err := os.Chtimes(w.path, times, times); err != nil {
			t.Fatal(err)
		}
		if w.Current(id).Find(id) == nil {
			t.Error("the key is not found")
		}
	}
	replace := func(path string) {
		if err := os.Rename(path, w.path); err != nil {
			t.Fatal(err)
		}
	}
	take(replace, at)
	take(replace, at)
	take(func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, w.path, string(text), 0o600)
	}, at.Add(time.Second))
}

// Forged key ids do not cause the file to be read, and do not hide a key that is added afterwards.
func TestForgedIDsReadNothing(t *testing.T) {
	w := watch(t)
	forge := func() {
		for _, id := range []string{"", "x", "../../etc/passwd", strings.Repeat("w", 43), strings.Repeat("A", 43), strings.Repeat("é", 43)} {
			if w.Current(id).Find(id) != nil {
				t.Errorf("a key of the id %q", id)
			}
		}
	}
	for range 100 {
		forge()
	}
	if w.reads != 0 {
		t.Errorf("the file was read %d times", w.reads)
	}
	k := added(t, w.ring, "")
	if w.Current(k.ID).Find(k.ID) == nil || w.reads != 1 {
		t.Errorf("the key that came is not found, after %d reads", w.reads)
	}
	forge()
	if w.reads != 1 {
		t.Errorf("the file was read %d times", w.reads)
	}
	if err := os.Rename(w.dir, w.dir+".away"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		forge()
	}
	if w.reads > 2 {
		t.Errorf("the missing file was read %d times", w.reads-1)
	}
}

// While the file cannot be read, the keys stay in use. The log has this once, without the content of the file.
func TestUnreadableFileKeepsTheKeys(t *testing.T) {
	const marker = "MARKERmarkerMARKER"
	for name, c := range map[string]struct{ spoil, mend func(w *watched) error }{
		"garbage": {
			func(w *watched) error {
				return errors.Join(os.Rename(w.path, w.path+".away"), os.WriteFile(w.path, []byte(marker), 0o600))
			},
			func(w *watched) error { return os.Rename(w.path+".away", w.path) },
		},
		"for all": {
			func(w *watched) error { return os.Chmod(w.path, 0o644) },
			func(w *watched) error { return os.Chmod(w.path, 0o600) },
		},
		"a directory": {
			func(w *watched) error {
				return errors.Join(os.Rename(w.path, w.path+".away"), os.Mkdir(w.path, 0o700))
			},
			func(w *watched) error { return errors.Join(os.Remove(w.path), os.Rename(w.path+".away", w.path)) },
		},
		"the directory is for all": {
			func(w *watched) error { return os.Chmod(w.dir, 0o777) },
			func(w *watched) error { return os.Chmod(w.dir, 0o700) },
		},
		"the directory is gone": {
			func(w *watched) error { return os.Rename(w.dir, w.dir+".away") },
			func(w *watched) error { return os.Rename(w.dir+".away", w.dir) },
		},
		"the file is gone": {
			func(w *watched) error { return os.Rename(w.path, w.path+".away") },
			func(w *watched) error { return os.Rename(w.path+".away", w.path) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			before := w.Current("")
			if err := c.spoil(w); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				w.Look()
			}
			if w.Current("") != before {
				t.Error("the keys changed")
			}
			warnings := w.log.FilterLevelExact(zap.WarnLevel).AllUntimed()
			if len(warnings) != 1 {
				t.Fatalf("%d warnings, want 1: %v", len(warnings), warnings)
			}
			for _, f := range warnings[0].Context {
				if err, ok := f.Interface.(error); !ok || strings.Contains(err.Error(), marker) || !strings.Contains(err.Error(), w.dir) {
					t.Errorf("%v", f.Interface)
				}
			}
			if err := c.mend(w); err != nil {
				t.Fatal(err)
			}
			w.Look()
			if w.log.FilterMessage("the signing keys can be read again").Len() != 1 {
				t.Error("the log does not say that it is over")
			}
			k := rotated(t, w.ring, "")
			w.Look()
			if w.Current("").Signing().ID() != k.ID || w.Current("").Find(before.Signing().ID()) == nil {
				t.Error("it is not followed any more")
			}
		})
	}
}
