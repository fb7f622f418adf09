package signingkeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/adapters/privatefile"
	"roster/domain/signing"
)

// states returns the state of each key by its id.
func (o *operator) states() map[string]signing.State {
	o.t.Helper()
	list, err := o.List(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	out := map[string]signing.State{}
	for _, k := range list {
		out[k.ID] = k.State
	}
	return out
}

func (o *operator) want(states map[string]signing.State) {
	o.t.Helper()
	if got := o.states(); fmt.Sprint(got) != fmt.Sprint(states) {
		o.t.Errorf("the keys are %v, want %v", got, states)
	}
}

func (o *operator) until(kid string) time.Time {
	o.t.Helper()
	list, err := o.List(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(k signing.Key) bool { return k.ID == kid })
	return list[i].Until
}

// The states of a key: added, signing, verifying, expired, retired.
func TestLifeOfKeys(t *testing.T) {
	o := operate(t)
	o.want(map[string]signing.State{})
	if _, err := os.Stat(o.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("list made the folder: %v", err)
	}
	if _, err := o.Rotate(t.Context(), strings.Repeat("x", 43)); err == nil {
		t.Error("rotated to a key that is not there")
	}
	o.want(map[string]signing.State{})
	a := added(t, o.Keyring, EdDSA) // the first key signs at once
	o.want(map[string]signing.State{a.ID: signing.Signing})
	b := added(t, o.Keyring, "")
	o.clock = o.clock.Add(time.Minute)
	c := added(t, o.Keyring, RS256)
	if a.State != signing.Signing || a.Algorithm != EdDSA || b.State != signing.Added || c.Algorithm != RS256 {
		t.Errorf("%v, %v, %v", a, b, c)
	}
	o.want(map[string]signing.State{a.ID: signing.Signing, b.ID: signing.Added, c.ID: signing.Added})
	o.clock = o.clock.Add(time.Minute)
	if k := rotated(t, o.Keyring, ""); k.ID != c.ID || k.State != signing.Signing {
		t.Errorf("%v signs, want the newest, %s", k, c.ID)
	}
	o.want(map[string]signing.State{a.ID: signing.Verifying, b.ID: signing.Added, c.ID: signing.Signing})
	if until, want := o.until(a.ID), o.clock.Add(24*time.Hour+leeway); !until.Equal(want) {
		t.Errorf("verifying until %s, want %s", until, want)
	}

	// Rollback: the key signs again, and its time to expiry begins when it stops for the second time.
	o.clock = o.clock.Add(time.Hour)
	rotated(t, o.Keyring, a.ID)
	o.want(map[string]signing.State{a.ID: signing.Signing, b.ID: signing.Added, c.ID: signing.Verifying})
	o.clock = o.clock.Add(30 * time.Hour)
	rotated(t, o.Keyring, "")
	o.want(map[string]signing.State{a.ID: signing.Verifying, b.ID: signing.Signing, c.ID: signing.Expired})
	rotated(t, o.Keyring, b.ID) // signs already
	o.want(map[string]signing.State{a.ID: signing.Verifying, b.ID: signing.Signing, c.ID: signing.Expired})

	for kid, want := range map[string]error{a.ID: signing.ErrInUse, b.ID: signing.ErrSigns, strings.Repeat("x", 43): signing.ErrUnknownKey, "": signing.ErrUnknownKey} {
		if _, err := o.Retire(t.Context(), kid, false); !errors.Is(err, want) {
			t.Errorf("retire %q: %v, want %v", kid, err, want)
		}
	}
	if _, err := o.Retire(t.Context(), b.ID, true); !errors.Is(err, signing.ErrSigns) {
		t.Errorf("retire what signs: %v", err)
	}
	if gone, err := o.RetireExpired(t.Context()); err != nil || len(gone) != 1 || gone[0].ID != c.ID {
		t.Errorf("retired %v, %v", gone, err)
	}
	o.want(map[string]signing.State{a.ID: signing.Verifying, b.ID: signing.Signing})
	if _, err := o.Retire(t.Context(), a.ID, true); err != nil {
		t.Error(err)
	}
	d := rotated(t, o.Keyring, "") // none is added: a new one
	o.want(map[string]signing.State{b.ID: signing.Verifying, d.ID: signing.Signing})
	o.clock = o.until(b.ID).Add(-1)
	if _, err := o.Retire(t.Context(), b.ID, false); !errors.Is(err, signing.ErrInUse) {
		t.Errorf("just before its end: %v", err)
	}
	o.clock = o.until(b.ID)
	if _, err := o.Retire(t.Context(), b.ID, false); err != nil {
		t.Errorf("at its end: %v", err)
	}
	e := added(t, o.Keyring, "")
	if _, err := o.Retire(t.Context(), e.ID, false); err != nil {
		t.Errorf("one that never signed: %v", err)
	}
	o.want(map[string]signing.State{d.ID: signing.Signing})
	for _, algorithm := range []string{"HS256", "none", "es256"} {
		if _, err := o.Add(t.Context(), algorithm); err == nil {
			t.Errorf("a key for %s", algorithm)
		}
	}
}

// A key is kept for the lifetime of tokens when it stopped signing, or for the present one if that is longer.
func TestLifetimeThatChanges(t *testing.T) {
	o := operate(t)
	a := rotated(t, o.Keyring, "")
	rotated(t, o.Keyring, "")
	stopped := o.clock
	for _, c := range []struct{ now, kept time.Duration }{{time.Hour, 24 * time.Hour}, {24 * time.Hour, 24 * time.Hour}, {100 * time.Hour, 100 * time.Hour}} {
		o.lifetime = c.now
		if got := o.until(a.ID).Sub(stopped); got != c.kept+leeway {
			t.Errorf("with a lifetime of %s: until %s later, want %s", c.now, got, c.kept+leeway)
		}
	}
}

var errKilled = errors.New("killed")

// A command that is killed at any step leaves the keys in the state before or after it. Another run completes it and
// removes temporary files.
func TestKilledCommand(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(o *operator, other string) error
		keys int // the number of keys in the end
	}{
		"add":            {func(o *operator, _ string) error { _, err := o.Add(o.t.Context(), ""); return err }, 3},
		"rotate":         {func(o *operator, _ string) error { _, err := o.Rotate(o.t.Context(), ""); return err }, 3},
		"rotate to one":  {func(o *operator, other string) error { _, err := o.Rotate(o.t.Context(), other); return err }, 2},
		"retire":         {func(o *operator, other string) error { _, err := o.Retire(o.t.Context(), other, true); return err }, 1},
		"retire expired": {func(o *operator, _ string) error { _, err := o.RetireExpired(o.t.Context()); return err }, 1},
	} {
		for when, write := range map[string]func(d *document, path string) error{
			"before the writing": func(*document, string) error { return errKilled },
			"while writing": func(_ *document, path string) error {
				return errors.Join(errKilled, os.WriteFile(filepath.Join(filepath.Dir(path), "."+FileName+"-123"), []byte(`{"keys":[{"k`), 0o600))
			},
			"before the renaming": func(d *document, path string) error {
				f, err := privatefile.Create(path)
				if err != nil {
					return err
				}
				return errors.Join(errKilled, json.NewEncoder(f).Encode(d), f.Close())
			},
			"after the renaming": func(d *document, path string) error { return errors.Join(errKilled, d.write(path)) },
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				o := operate(t)
				first := rotated(t, o.Keyring, "")
				firstID, firstSig := signature(t, open(t, o.dir))
				second := rotated(t, o.Keyring, "")
				secondID, secondSig := signature(t, open(t, o.dir))
				if name == "retire expired" {
					o.clock = o.until(first.ID)
				}
				o.write = write
				if err := c.do(o, first.ID); !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				keys := open(t, o.dir)
				if !verifies(keys, secondID, secondSig) || !verifies(keys, firstID, firstSig) && !strings.HasPrefix(name, "retire") {
					t.Error("a key does not verify")
				}
				if state := o.states()[second.ID]; state != signing.Signing && state != signing.Verifying {
					t.Errorf("the second key is %s", state)
				}
				again := operateOn(t, o.dir)
				again.clock = o.clock
				if err := c.do(again, first.ID); err != nil && !(when == "after the renaming" && errors.Is(err, signing.ErrUnknownKey)) {
					t.Errorf("again: %v", err)
				}
				if got := len(again.states()); got != c.keys && !(when == "after the renaming" && got == c.keys+1) {
					t.Errorf("again: %d keys", got)
				}
				rotated(t, again.Keyring, "")
				if left, err := os.ReadDir(o.dir); err != nil || len(left) != 2 { // the keys and the lock
					t.Errorf("%v, %v", left, err)
				}
			})
		}
	}
}

// A command waits for the lock until its context ends.
func TestLockedKeys(t *testing.T) {
	o := operate(t)
	rotated(t, o.Keyring, "")
	ctx, cancel := context.WithCancel(t.Context())
	other := operateOn(t, o.dir)
	o.write = func(d *document, path string) error {
		cancel()
		if _, err := other.Add(ctx, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		return d.write(path)
	}
	added(t, o.Keyring, "")
	added(t, other.Keyring, "")
	if got := len(o.states()); got != 3 {
		t.Errorf("%d keys", got)
	}
}

// Concurrent commands run one after the other: every key is created, one signs, and no key that signed counts as
// unused.
func TestOperatorsAtOnce(t *testing.T) {
	o := operate(t)
	first := rotated(t, o.Keyring, "")
	done := make(chan error)
	const many = 8
	for range many {
		go func() {
			_, err := NewKeyring(o.dir, ES256, 24*time.Hour).Rotate(t.Context(), "")
			done <- err
		}()
	}
	for range many {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	states := o.states()
	of := slices.Sorted(maps.Values(states))
	want := append([]signing.State{signing.Signing}, slices.Repeat([]signing.State{signing.Verifying}, many)...)
	if !slices.Equal(of, want) || states[first.ID] != signing.Verifying {
		t.Errorf("%v", states)
	}
}

// Only the key file, mode 0600, has a private key.
func TestKeysStayPrivate(t *testing.T) {
	o := operate(t)
	rotated(t, o.Keyring, "")
	rotated(t, o.Keyring, "")
	added(t, o.Keyring, EdDSA)
	entries, err := os.ReadDir(o.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	text, err := os.ReadFile(o.path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Keys []struct{ D string }
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Keys) != 3 {
		t.Fatal(err)
	}
	list, err := o.List(o.t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := read(o.path)
	if err != nil {
		t.Fatal(err)
	}
	keys := open(t, o.dir)
	shown := fmt.Sprintf("%+v %s %+v %v %#v %+v %+v %v", list, keys.JWKS(), keys, *keys, *keys, keys.Keys(), d, *d.Keys[0].Key)
	for _, k := range file.Keys {
		if strings.Contains(shown, k.D) || len(k.D) < 40 {
			t.Error("a private key is shown")
		}
	}
}

// No id begins with a dash, since a command line would take it for a flag.
func TestIDsAreNoFlags(t *testing.T) {
	for range 1000 {
		if k, err := generate(EdDSA); err != nil || k.id[0] == '-' {
			t.Fatalf("%s, %v", k.id, err)
		}
	}
}
