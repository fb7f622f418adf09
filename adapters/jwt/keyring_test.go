package jwt

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/domain/session"
)

// operator is a Keyring with a clock that the test sets.
type operator struct {
	*Keyring
	t     *testing.T
	clock time.Time
}

func operate(t *testing.T) *operator {
	t.Helper()
	return operateOn(t, filepath.Join(t.TempDir(), "keys"))
}

func operateOn(t *testing.T, folder string) *operator {
	o := &operator{NewKeyring(folder, ES256, 24*time.Hour), t, time.Now()}
	o.Keyring.now = func() time.Time { return o.clock }
	return o
}

// states returns the state of each key by its id.
func (o *operator) states() map[string]State {
	o.t.Helper()
	list, err := o.List()
	if err != nil {
		o.t.Fatal(err)
	}
	out := map[string]State{}
	for _, k := range list {
		out[k.ID] = k.State
	}
	return out
}

func (o *operator) want(states map[string]State) {
	o.t.Helper()
	if got := o.states(); fmt.Sprint(got) != fmt.Sprint(states) {
		o.t.Errorf("the keys are %v, want %v", got, states)
	}
}

func (o *operator) until(kid string) time.Time {
	o.t.Helper()
	list, err := o.List()
	if err != nil {
		o.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(k KeyInfo) bool { return k.ID == kid })
	return list[i].Until
}

// The life of keys: added, signing, verifying, to be retired.
func TestLifeOfKeys(t *testing.T) {
	o := operate(t)
	o.want(map[string]State{})
	if _, err := os.Stat(o.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("list made the folder: %v", err)
	}
	if _, err := o.Rotate(strings.Repeat("x", 43)); err == nil {
		t.Error("rotated to a key that is not there")
	}
	o.want(map[string]State{})
	a := added(t, o.Keyring, EdDSA) // the very first signs
	o.want(map[string]State{a.ID: Signing})
	b := added(t, o.Keyring, "")
	o.clock = o.clock.Add(time.Minute)
	c := added(t, o.Keyring, RS256)
	if a.State != Signing || a.Algorithm != EdDSA || b.State != Added || c.Algorithm != RS256 {
		t.Errorf("%v, %v, %v", a, b, c)
	}
	o.want(map[string]State{a.ID: Signing, b.ID: Added, c.ID: Added})
	o.clock = o.clock.Add(time.Minute)
	if k := rotated(t, o.Keyring, ""); k.ID != c.ID || k.State != Signing {
		t.Errorf("%v signs, want the newest, %s", k, c.ID)
	}
	o.want(map[string]State{a.ID: Verifying, b.ID: Added, c.ID: Signing})
	if until, want := o.until(a.ID), o.clock.Add(24*time.Hour+leeway); !until.Equal(want) {
		t.Errorf("verifying until %s, want %s", until, want)
	}

	// Rollback: the key signs again, and counts from when it ceases for the second time.
	o.clock = o.clock.Add(time.Hour)
	rotated(t, o.Keyring, a.ID)
	o.want(map[string]State{a.ID: Signing, b.ID: Added, c.ID: Verifying})
	o.clock = o.clock.Add(30 * time.Hour)
	rotated(t, o.Keyring, "")
	o.want(map[string]State{a.ID: Verifying, b.ID: Signing, c.ID: Expired})
	rotated(t, o.Keyring, b.ID) // signs already
	o.want(map[string]State{a.ID: Verifying, b.ID: Signing, c.ID: Expired})

	for kid, want := range map[string]error{a.ID: ErrInUse, b.ID: ErrSigns, strings.Repeat("x", 43): ErrUnknownKey, "": ErrUnknownKey} {
		if _, err := o.Retire(kid, false); !errors.Is(err, want) {
			t.Errorf("retire %q: %v, want %v", kid, err, want)
		}
	}
	if _, err := o.Retire(b.ID, true); !errors.Is(err, ErrSigns) {
		t.Errorf("retire what signs: %v", err)
	}
	if gone, err := o.RetireExpired(); err != nil || len(gone) != 1 || gone[0].ID != c.ID {
		t.Errorf("retired %v, %v", gone, err)
	}
	o.want(map[string]State{a.ID: Verifying, b.ID: Signing})
	if _, err := o.Retire(a.ID, true); err != nil {
		t.Error(err)
	}
	d := rotated(t, o.Keyring, "") // none is waiting: a new one
	o.want(map[string]State{b.ID: Verifying, d.ID: Signing})
	o.clock = o.until(b.ID).Add(-1)
	if _, err := o.Retire(b.ID, false); !errors.Is(err, ErrInUse) {
		t.Errorf("just before its end: %v", err)
	}
	o.clock = o.until(b.ID)
	if _, err := o.Retire(b.ID, false); err != nil {
		t.Errorf("at its end: %v", err)
	}
	e := added(t, o.Keyring, "")
	if _, err := o.Retire(e.ID, false); err != nil {
		t.Errorf("one that never signed: %v", err)
	}
	o.want(map[string]State{d.ID: Signing})
	for _, algorithm := range []string{"HS256", "none", "es256"} {
		if _, err := o.Add(algorithm); err == nil {
			t.Errorf("a key for %s", algorithm)
		}
	}
}

// A key is kept for the longer of what tokens lived when it ceased to sign and what they live now.
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

// Keys that came and took turns by hand have no records: they count as signing until the present one did.
func TestKeysWithoutRecords(t *testing.T) {
	o := operate(t)
	first := mustLoad(t, filepath.Dir(o.folder), ES256).KeyID()
	at := func(name string, when time.Time) {
		if err := os.Chtimes(filepath.Join(o.folder, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	private := generated(t, ES256)
	next := pairs(t, private).KeyID()
	write(t, filepath.Join(o.folder, "by-hand.pem"), inPEM(t, private), 0o600)
	turned := o.clock.Add(-time.Hour)
	at("signing", turned)
	at(first+".pem", turned)
	o.want(map[string]State{first: Signing, next: Added})
	write(t, filepath.Join(o.folder, "signing"), next, 0o600)
	at("signing", o.clock)
	o.want(map[string]State{first: Verifying, next: Signing})
	if until := o.until(first); !until.Equal(o.clock.Add(24*time.Hour + leeway)) {
		t.Errorf("until %s", until)
	}
	if _, err := o.Retire(first, false); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	rotated(t, o.Keyring, first)
	o.want(map[string]State{first: Signing, next: Verifying})
}

// A folder with one key and no marker stays readable when a second one comes.
func TestLoneKeyIsPinned(t *testing.T) {
	for name, change := range map[string]func(*operator){
		"add":    func(o *operator) { added(t, o.Keyring, "") },
		"rotate": func(o *operator) { rotated(t, o.Keyring, "") },
	} {
		o := operate(t)
		private := generated(t, ES256)
		write(t, filepath.Join(o.folder, "a.pem"), inPEM(t, private), 0o600)
		change(o)
		if got := o.states(); len(got) != 2 || got[pairs(t, private).KeyID()] == Added {
			t.Errorf("%s: %v", name, got)
		}
	}
}

var errKilled = errors.New("killed")

// However often an operator is killed in the middle, the service starts, no token is refused, no key that
// signs is missing, and doing it again does it.
func TestKilledBetweenSteps(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(o *operator, other string) error
		keys int // in the end
	}{
		"add":            {func(o *operator, _ string) error { _, err := o.Add(""); return err }, 3},
		"rotate":         {func(o *operator, _ string) error { _, err := o.Rotate(""); return err }, 3},
		"rotate to one":  {func(o *operator, other string) error { _, err := o.Rotate(other); return err }, 2},
		"retire":         {func(o *operator, other string) error { _, err := o.Retire(other, true); return err }, 1},
		"retire expired": {func(o *operator, _ string) error { _, err := o.RetireExpired(); return err }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			finished := false
			for allowed := 0; !finished; allowed++ {
				o := operate(t)
				first := rotated(t, o.Keyring, "")
				before := mustLoad(t, filepath.Dir(o.folder), ES256)
				firstToken := sign(t, New(before, Options{}), session.Claims{ExpiresAt: now.Add(time.Hour)})
				second := rotated(t, o.Keyring, "")
				secondToken := sign(t, New(mustLoad(t, filepath.Dir(o.folder), ES256), Options{}), session.Claims{ExpiresAt: now.Add(time.Hour)})
				if name == "retire expired" {
					o.clock = o.until(first.ID)
				}
				left := allowed
				step := func(do func() error) error {
					if left--; left < 0 {
						return errKilled
					}
					return do()
				}
				o.replace = func(file string, content []byte) error {
					return step(func() error { return replaceFile(file, content) })
				}
				o.remove = func(file string) error { return step(func() error { return removeFile(file) }) }
				err := c.do(o, first.ID)
				finished = err == nil
				if err != nil && !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				write(t, filepath.Join(o.folder, scratchName), "half a ke", 0o600) // killed while writing

				keys := mustLoad(t, filepath.Dir(o.folder), ES256)
				if _, err := parse(t, New(keys, Options{}), secondToken); err != nil {
					t.Errorf("after %d steps: %v", allowed, err)
				}
				if _, err := parse(t, New(keys, Options{}), firstToken); err != nil && !strings.HasPrefix(name, "retire") {
					t.Errorf("after %d steps: %v", allowed, err)
				}
				if state := o.states()[second.ID]; state != Signing && state != Verifying {
					t.Errorf("after %d steps the second key is %s", allowed, state)
				}
				if said, err := readRecords(o.folder); err != nil || o.states()[second.ID] == Verifying && said[second.ID].Stopped.IsZero() {
					t.Errorf("after %d steps it is not written down that the second key ceased to sign: %v", allowed, err)
				}
				again := operateOn(t, o.folder)
				again.clock = o.clock
				if !finished {
					if err := c.do(again, first.ID); err != nil {
						t.Errorf("again after %d steps: %v", allowed, err)
					}
				}
				if got := again.states(); len(got) > c.keys+1 || len(got) < c.keys {
					t.Errorf("after %d steps and again: %v", allowed, got)
				}
				if _, err := again.Rotate(""); err != nil {
					t.Errorf("a rotation afterwards: %v", err)
				}
				if allowed > 10 {
					t.Fatal("no end of steps")
				}
			}
		})
	}
}

// Operators at once take turns: every key is made, one signs, and none that signed is taken for unused.
func TestOperatorsAtOnce(t *testing.T) {
	o := operate(t)
	first := rotated(t, o.Keyring, "")
	done := make(chan error)
	const many = 8
	for range many {
		go func() {
			_, err := NewKeyring(o.folder, ES256, 24*time.Hour).Rotate("")
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
	want := append([]State{Signing}, slices.Repeat([]State{Verifying}, many)...)
	if !slices.Equal(of, want) || states[first.ID] != Verifying {
		t.Errorf("%v", states)
	}
}

// What roster keys makes is for its owner alone, and nothing it leaves or says tells a key.
func TestKeysStayPrivate(t *testing.T) {
	o := operate(t)
	rotated(t, o.Keyring, "")
	rotated(t, o.Keyring, "")
	added(t, o.Keyring, EdDSA)
	entries, err := os.ReadDir(o.folder)
	if err != nil || len(entries) != 6 {
		t.Errorf("%v, %v", entries, err)
	}
	var secrets []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
		text, err := os.ReadFile(filepath.Join(o.folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), keySuffix) {
			secrets = append(secrets, strings.Split(string(text), "\n")[1])
		}
	}
	list, err := o.List()
	if err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(o.folder, recordName))
	if err != nil {
		t.Fatal(err)
	}
	keys := mustLoad(t, filepath.Dir(o.folder), ES256)
	said := fmt.Sprintf("%+v %s %s %+v %v", list, record, keys.JWKS(), keys, New(keys, Options{}))
	for _, s := range secrets {
		if strings.Contains(said, s) || len(s) < 60 {
			t.Errorf("%q is told", s)
		}
	}
}

// What cannot be understood is left alone.
func TestKeyringRefusals(t *testing.T) {
	for name, spoil := range map[string]func(o *operator){
		"record":    func(o *operator) { write(t, filepath.Join(o.folder, recordName), `{"x":`, 0o600) },
		"for all":   func(o *operator) { write(t, filepath.Join(o.folder, recordName), `{}`, 0o602) },
		"key":       func(o *operator) { write(t, filepath.Join(o.folder, "b.pem"), "marker", 0o600) },
		"no marker": func(o *operator) { _ = os.Remove(filepath.Join(o.folder, markerName)) },
	} {
		t.Run(name, func(t *testing.T) {
			o := operate(t)
			rotated(t, o.Keyring, "")
			rotated(t, o.Keyring, "")
			spoil(o)
			before, _ := filepath.Glob(filepath.Join(o.folder, "*"))
			_, list := o.List()
			_, add := o.Add("")
			_, rotate := o.Rotate("")
			_, retire := o.RetireExpired()
			for _, err := range []error{list, add, rotate, retire} {
				if err == nil || !strings.Contains(err.Error(), o.folder) || strings.Contains(err.Error(), "marker\n") {
					t.Errorf("%v", err)
				}
			}
			if after, _ := filepath.Glob(filepath.Join(o.folder, "*")); !slices.Equal(before, after) {
				t.Errorf("%v, then %v", before, after)
			}
		})
	}
}

// An id that began with a dash would be taken for a flag.
func TestIDsAreNoFlags(t *testing.T) {
	for range 1000 {
		if k, err := makeKey(EdDSA); err != nil || k.kid[0] == '-' {
			t.Fatalf("%s, %v", k.kid, err)
		}
	}
}
