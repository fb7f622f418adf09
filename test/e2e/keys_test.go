package e2e

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	encodingpem "encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/test/support/process"
)

// patience bounds a hang; no test measures against it.
const patience = 60 * time.Second

// pace is the interval of polling, and of the requests of each client of a load.
const pace = 50 * time.Millisecond

// soon polls until a condition holds.
func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if so() {
			return
		}
	}
	t.Fatalf("not reached: %s", what)
}

// keyStates returns the state of each key by its id, as roster keys list prints it.
func keyStates(s *process.Server, t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(s.MustCLI("keys", "list", "--format", "json")) {
		var k struct{ KID, State string }
		if err := json.Unmarshal([]byte(line), &k); err != nil {
			t.Fatal(err)
		}
		out[k.KID] = k.State
	}
	return out
}

// changeKeys runs roster keys add or rotate and returns the id that it prints.
func changeKeys(s *process.Server, t *testing.T, args ...string) string {
	t.Helper()
	out := s.MustCLI(append([]string{"keys"}, args...)...)
	for word := range strings.FieldsSeq(out) {
		if len(word) == 43 {
			return word
		}
	}
	t.Fatalf("no key in %q", out)
	return ""
}

// published returns the ids of the keys that an instance publishes.
func published(s *process.Server, t *testing.T) map[string]bool {
	t.Helper()
	var set struct{ Keys []struct{ KID string } }
	if err := json.Unmarshal(call(s, t, "GET", "/.well-known/jwks.json").want(200).raw, &set); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, k := range set.Keys {
		out[k.KID] = true
	}
	return out
}

// keyOf returns the id of the key that signed a token.
func keyOf(t *testing.T, token string) string {
	t.Helper()
	kid, _ := decoded(t, token, 0)["kid"].(string)
	return kid
}

// load is clients that use their sessions on two instances in turn.
type load struct {
	t         *testing.T
	instances [2]*process.Server
	sessions  []*live
	stop      chan struct{}
	running   sync.WaitGroup

	mu   sync.Mutex
	seen map[string]int // answers by "instance kid"
	news chan struct{}  // receives for each answer
}

// live is a session in use.
type live struct {
	who    person
	first  tokens
	tokens // the present ones
}

const clients, sessionsEach = 8, 10

// newLoad signs 80 sessions in.
func newLoad(t *testing.T, instances [2]*process.Server) *load {
	t.Helper()
	l := &load{t: t, instances: instances, stop: make(chan struct{}), news: make(chan struct{}, 1), seen: map[string]int{}, sessions: make([]*live, clients*sessionsEach)}
	var all sync.WaitGroup
	for c := range clients {
		who := register(instances[0], t, fmt.Sprintf("user%d@example.com", c))
		all.Go(func() {
			for i := range sessionsEach {
				a := tryToSignIn(instances[i%2], t, who.email, password)
				if a.status != 200 {
					t.Errorf("sign-in: status %d: %s", a.status, a.raw)
					return
				}
				k := tokens{a.text("access"), a.text("refresh")}
				l.sessions[c*sessionsEach+i] = &live{who, k, k}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return l
}

func (l *load) start() {
	for c := range clients {
		l.running.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for round := 0; ; round++ {
				for i, s := range l.sessions[c*sessionsEach : (c+1)*sessionsEach] {
					select {
					case <-l.stop:
						return
					case <-tick.C:
					}
					if !l.use(s, (i+round)%2) {
						return
					}
				}
			}
		})
	}
}

func (l *load) end() {
	close(l.stop)
	l.running.Wait()
}

// use refreshes on one instance and reads on the other, and reports whether both succeeded.
func (l *load) use(s *live, on int) bool {
	a := refresh(l.instances[on], l.t, s.refresh)
	if a.status != 200 {
		l.t.Errorf("refresh on instance %d: status %d: %s", on, a.status, a.raw)
		return false
	}
	s.tokens = tokens{a.text("access"), a.text("refresh")}
	read := call(l.instances[1-on], l.t, "GET", s.who.path(), bearer(s.access))
	if read.status != 200 {
		l.t.Errorf("read on instance %d: status %d: %s", 1-on, read.status, read.raw)
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[fmt.Sprint(on, " ", keyOf(l.t, s.access))]++
	select {
	case l.news <- struct{}{}:
	default:
	}
	return true
}

// untilSignedBy waits until both instances have signed with a key since they were asked.
func (l *load) untilSignedBy(kid string) {
	l.t.Helper()
	l.mu.Lock()
	clear(l.seen)
	l.mu.Unlock()
	overdue := time.After(patience)
	for {
		l.mu.Lock()
		so := l.seen["0 "+kid] > 0 && l.seen["1 "+kid] > 0
		l.mu.Unlock()
		if so {
			return
		}
		select {
		case <-l.news:
		case <-overdue:
			l.t.Fatalf("not both instances sign with %s", kid)
		}
	}
}

// F14: keys are rotated, back and forth and to another algorithm, while 200 sessions are in use on two
// instances of one data directory. No session ends until a key is retired by force.
func TestKeysRotateUnderLoad(t *testing.T) {
	one := process.StartWatched(t, map[string]string{"ROSTER_ACCESS_TOKEN_LIFETIME": "1h", "ROSTER_HASH_WAIT": "1m"})
	other := one.Twin(nil)
	both := [2]*process.Server{one, other}
	l := newLoad(t, both)
	first := keyOf(t, l.sessions[0].access)
	l.start()
	l.untilSignedBy(first)

	second := changeKeys(one, t, "add")
	same(t, "states", keyStates(one, t), map[string]string{first: "signing", second: "added"})
	for _, s := range both {
		soon(t, "the added key is published", func() bool { return published(s, t)[second] })
	}
	same(t, "key that was rotated to", changeKeys(one, t, "rotate"), second)
	l.untilSignedBy(second)
	same(t, "states", keyStates(one, t), map[string]string{first: "verifying", second: "signing"})

	changeKeys(other, t, "rotate", first) // rollback
	l.untilSignedBy(first)
	changeKeys(one, t, "add", "--algorithm", "EdDSA")
	third := changeKeys(one, t, "rotate")
	l.untilSignedBy(third)
	fourth := changeKeys(one, t, "rotate") // none waits: one that no instance has seen
	l.untilSignedBy(fourth)
	changeKeys(one, t, "rotate", third)
	l.untilSignedBy(third)
	l.end()

	for _, s := range both {
		same(t, "published", published(s, t), map[string]bool{first: true, second: true, third: true, fourth: true})
	}
	for i, s := range l.sessions {
		if a := verify(both[i%2], t, s.first.access); a.status != 200 {
			t.Errorf("session %d: its first token got %d: %s", i, a.status, a.raw)
		}
		l.use(s, i%2)
	}
	one.Restart() // with a key that signs for another algorithm than the setting's
	wantAlive(one, t, l.sessions[0].who, l.sessions[0].tokens)
	wantAlive(one, t, l.sessions[0].who, tokens{l.sessions[0].first.access, l.sessions[0].refresh})

	for _, kid := range []string{first, third} {
		if _, stderr, code := one.CLI("keys", "retire", kid); code != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("retire %s: exit code %d: %s", kid, code, stderr)
		}
	}
	one.MustCLI("keys", "retire", first, "--force")
	for _, s := range both {
		soon(t, "the retired key is no longer published", func() bool { return !published(s, t)[first] })
		verify(s, t, l.sessions[0].first.access).is(401, object{"detail": "Token is invalid or expired", "code": "token_not_valid"})
		wantAlive(s, t, l.sessions[1].who, l.sessions[1].tokens)
	}
	logs := one.Logs() + other.Logs()
	private := privateKeys(t, one.DataDir)
	if len(private) != 3 {
		t.Fatalf("%d keys", len(private))
	}
	printed := logs + one.MustCLI("check") + one.MustCLI("keys", "list")
	for _, d := range private {
		if strings.Contains(printed, d) || len(d) < 40 {
			t.Error("a private key is in the log, in check or in the list")
		}
	}
}

// privateKeys returns the secret member of each key in the key file.
func privateKeys(t *testing.T, dataDir string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dataDir, "keys", "signing-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []struct{ D string } }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		out = append(out, k.D)
	}
	return out
}

// Commands that are killed at any time, while two instances follow the keys, leave usable keys: each start succeeds,
// and no user is signed out.
func TestKilledKeyCommands(t *testing.T) {
	one := process.Start(t, map[string]string{"ROSTER_ACCESS_TOKEN_LIFETIME": "1h"})
	other := one.Twin(nil)
	ann, k := arrive(one, t, "ann@example.com")
	dir := filepath.Join(one.DataDir, "keys")
	for range 20 {
		before, err := os.Stat(filepath.Join(dir, "signing-keys.json"))
		if err != nil {
			t.Fatal(err)
		}
		cmd := one.Command("keys", "rotate")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		soon(t, "the command writes", func() bool {
			unfinished, err := filepath.Glob(filepath.Join(dir, ".signing-keys.json-*"))
			if err != nil {
				t.Fatal(err)
			}
			now, err := os.Stat(filepath.Join(dir, "signing-keys.json"))
			if err != nil {
				t.Fatal(err)
			}
			return len(unfinished) > 0 || !os.SameFile(before, now)
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		wantAlive(one, t, ann, k)
		wantAlive(other, t, ann, k)
	}
	signs := changeKeys(one, t, "rotate")
	for _, s := range []*process.Server{one, other} {
		soon(t, "the last key is published", func() bool { return published(s, t)[signs] })
	}
	one.Restart()
	wantAlive(one, t, ann, k)
	same(t, "key that signs", keyOf(t, signIn(one, t, ann).access), signs)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 { // the keys and the lock
		t.Errorf("%v, %v", left, err)
	}
}

// A key file that cannot be read causes one warning of a running instance, which keeps its keys; the next start fails.
func TestUnreadableKeys(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	next := changeKeys(s, t, "rotate")
	soon(t, "the new key is published", func() bool { return published(s, t)[next] })
	name := filepath.Join(s.DataDir, "keys", "signing-keys.json")
	if err := os.Rename(name, name+".away"); err != nil {
		t.Fatal(err)
	}
	const warning = "the signing keys cannot be read; the former keys stay in use"
	logged := func(text string) func() bool {
		return func() bool {
			wantAlive(s, t, ann, k) // during the whole time
			return strings.Contains(s.Logs(), text)
		}
	}
	soon(t, "the log has a warning", logged(warning))
	wantAlive(s, t, ann, k)
	wantAlive(s, t, ann, signIn(s, t, ann))
	if err := os.Rename(name+".away", name); err != nil {
		t.Fatal(err)
	}
	soon(t, "the log says that it is over", logged("the signing keys can be read again"))
	same(t, "warnings", strings.Count(s.Logs(), warning), 1)
	wantAlive(s, t, ann, k)
	s.Stop()
	if err := os.WriteFile(name, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := s.CLI("serve")
	if code != 1 || !strings.Contains(stderr, filepath.Base(name)) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A secret is rotated by configuration, an instance at a time.
func TestSecretRotatesWithFallbacks(t *testing.T) {
	const old, next = "a secret of the first year: 0123456789-abcdefghijklmnopqrstuvwxyz", "a secret of the second year: 9876543210-zyxwvutsrqponmlkjihgfedcba"
	before := process.Start(t, map[string]string{"ROSTER_SIGNING_KEY": old, "ROSTER_SIGNING_KEY_FALLBACKS": next}) // step 1: the new one verifies
	ann, k := arrive(before, t, "ann@example.com")
	after := before.Twin(map[string]string{"ROSTER_SIGNING_KEY": next, "ROSTER_SIGNING_KEY_FALLBACKS": old}) // step 2: it signs
	done := before.Twin(map[string]string{"ROSTER_SIGNING_KEY": next, "ROSTER_SIGNING_KEY_FALLBACKS": "another secret altogether: 5647382910-qwertzuiopasdfghjkl"})
	for _, s := range []*process.Server{before, after} {
		wantAlive(s, t, ann, k)
	}
	a := refresh(after, t, k.refresh).want(200)
	fresh := tokens{a.text("access"), a.text("refresh")}
	for _, s := range []*process.Server{before, after, done} {
		wantAlive(s, t, ann, fresh)
	}
	verify(done, t, k.access).want(401) // step 3, too early
	if said := after.Logs() + after.MustCLI("check"); strings.Contains(said, "of the first year") || strings.Contains(said, "of the second year") {
		t.Error("a secret is in the log or in check")
	}
}

// Keys may be in another directory, be read-only, be imported from PEM or be set in PEM: tokens are valid.
func TestSourcesOfSigningKeys(t *testing.T) {
	pem := filepath.Join(t.TempDir(), "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed([]byte("a seed of 32 bytes, for one test")))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pem, encodingpem.EncodeToMemory(&encodingpem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o400); err != nil {
		t.Fatal(err)
	}
	s := process.Start(t, nil)
	changeKeys(s, t, "add", "--from", pem)
	signs := changeKeys(s, t, "rotate")
	soon(t, "the imported key is published", func() bool { return published(s, t)[signs] })
	s.Restart()
	ann, k := arrive(s, t, "ann@example.com")
	same(t, "key that signs", keyOf(t, k.access), signs)
	dir := filepath.Join(t.TempDir(), "mounted")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(s.DataDir, "keys"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "signing-keys.json"), 0o400); err != nil { // CopyFS keeps no modes
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	for name, env := range map[string]map[string]string{
		"a directory": {"ROSTER_KEYS_DIR": dir},
		"a file":      {"ROSTER_SIGNING_KEY_FILE": pem},
	} {
		t.Run(name, func(t *testing.T) {
			twin := s.Twin(env)
			wantAlive(twin, t, ann, k)
			a := refresh(twin, t, signIn(s, t, ann).refresh).want(200)
			wantAlive(s, t, ann, tokens{a.text("access"), a.text("refresh")})
			if !published(twin, t)[signs] {
				t.Error("the key is not published")
			}
		})
	}
}
