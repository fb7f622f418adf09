package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"roster/domain/credential"
)

// counter is a machine that adds up what it is asked for and computes nothing. right is the one
// password that fits.
type counter struct {
	done  [kinds]int
	calls int
	right string
}

func (m *counter) count(w work, plain string) []byte {
	m.done[w.kind] += w.amount
	m.calls++
	key := make([]byte, 128)
	if plain != m.right {
		key[0] = 1
	}
	return key
}

func (m *counter) argon2(c cost, plain string, _ []byte, size int) []byte {
	return m.count(c.work(), plain)[:size]
}

func (m *counter) pbkdf2(k kind, plain string, _ []byte, iterations int) []byte {
	size := 32
	if k == pbkdf2SHA1 {
		size = 20
	}
	return m.count(work{kind: k, amount: iterations}, plain)[:size]
}

func (m *counter) bcrypt(_ string, cost int, plain []byte) bool {
	return m.count(work{kind: bcryptRounds, amount: 1 << cost}, string(plain))[0] == 0
}

func (m *counter) scrypt(plain string, _ []byte, n, r, p int) []byte {
	return m.count(work{kind: scryptBlocks, amount: n * r * p}, plain)[:scryptKeyBytes]
}

// tries returns what the verification of a password takes, by what is stored.
func tries(t interface {
	Helper()
	Errorf(format string, args ...any)
	Context() context.Context
}, h *Hasher, plain, encoded string, fits bool) [kinds]int {
	t.Helper()
	m := &counter{right: "the right one"}
	h.machine = m
	got, _, err := h.Verify(t.Context(), credential.NewPassword(plain), credential.RestoreHash(encoded))
	if err != nil || got != fits {
		t.Errorf("%q: fits %t, %v", encoded, got, err)
	}
	return m.done
}

// Who has no account, none that can be used, or one that came from another system.
var accounts = []string{
	"", "!", "!argon2$unusable", "sha1$$513b678c36f55b32a1a6ae741f1982afbeb05403", "pbkdf2_sha256$99999999999$salt$" + pad32,
	"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32,
	"$argon2id$v=19$m=65536,t=3,p=1$" + salt16 + "$" + key32,
	"$argon2id$v=19$m=4096,t=3,p=1$" + salt16 + "$" + key32,
	"argon2$argon2i$v=19$m=8,t=1,p=1$" + salt16 + "$" + key32,
	"argon2$argon2i$v=19$m=512,t=2,p=2$" + salt16 + "$" + key32,
	"argon2$argon2id$v=19$m=102400,t=2,p=8$" + salt16 + "$" + key32,
	"pbkdf2_sha256$1$salt$" + pad32, "pbkdf2_sha256$36000$salt$" + pad32, "pbkdf2_sha256$260000$salt$" + pad32,
	"pbkdf2_sha256$600001$salt$" + pad32, "pbkdf2_sha256$10000000$salt$" + pad32,
	"pbkdf2_sha1$24000$salt$" + key20,
	"bcrypt$" + strings.Replace(bc, "$12$", "$04$", 1), "bcrypt_sha256$" + bc, "bcrypt$" + strings.Replace(bc, "$12$", "$16$", 1),
	"scrypt$2$salt$1$1$" + key64, "scrypt$16384$salt$8$1$" + key64, "scrypt$16384$salt$8$5$" + key64, "scrypt$1048576$salt$8$16$" + key64,
	"md5$salt$410b7b8f4012b96689889d821d4cb9b4", "410b7b8f4012b96689889d821d4cb9b4",
}

// same reports whether two amounts are the same work, but for less than argon2's unit of memory.
func same(a, b [kinds]int) bool {
	for k := range a {
		unit := 0
		if kind(k) == argon2Single || kind(k) == argon2Lanes {
			unit = 8 * maxArgon2Threads
		}
		if max(a[k], b[k])-min(a[k], b[k]) > unit {
			return false
		}
	}
	return true
}

// Whatever hashes are known, refusals of all accounts take the same work.
func TestRefusalsCostTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := New(Options{Workers: 2, Digests: rapid.Bool().Draw(t, "digests")})
		met := rapid.SliceOf(rapid.SampledFrom(accounts)).Draw(t, "met")
		for _, encoded := range met {
			h.Learn(credential.RestoreHash(encoded))
		}
		var want [kinds]int
		for i, encoded := range append([]string{""}, met...) {
			got := tries(t, h, "a wrong one", encoded, false)
			if i == 0 {
				want = got
			}
			if !same(got, want) {
				t.Errorf("%q costs %v, an unknown account %v", encoded, got, want)
			}
			if nul := tries(t, h, "a wrong\x00one", encoded, false); !same(nul, want) {
				t.Errorf("%q with a NUL costs %v, an unknown account %v", encoded, nul, want)
			}
		}
		for k, amount := range want {
			if amount < lowest[k].amount {
				t.Errorf("%s: %d", kind(k), amount)
			}
		}
	})
}

// Without hashes of other schemes a refusal costs what a hash costs; with them, their sum.
func TestWhatRefusalsCost(t *testing.T) {
	h := New(Options{})
	argon := preferred.kib * preferred.passes
	if got := tries(t, h, "a wrong one", "", false); got != [kinds]int{argon2Single: argon} {
		t.Errorf("at first: %v", got)
	}
	if got := tries(t, h, "a wrong one", accounts[5], false); got != [kinds]int{argon2Single: argon} {
		t.Errorf("of the preferred scheme: %v", got)
	}
	want := [kinds]int{argon2Single: argon, pbkdf2SHA256: 600_001}
	for _, encoded := range []string{"pbkdf2_sha256$600001$salt$" + pad32, "", accounts[5], "pbkdf2_sha256$36000$salt$" + pad32} {
		if got := tries(t, h, "a wrong one", encoded, false); got != want {
			t.Errorf("%q after a hash of 600,001 iterations: %v", encoded, got)
		}
	}
	if got := tries(t, h, "the right one", "pbkdf2_sha256$36000$salt$"+pad32, true); got != [kinds]int{pbkdf2SHA256: 36_000} {
		t.Errorf("a success pays for others: %v", got)
	}
	if got := tries(t, h, strings.Repeat("x", credential.MaxBytes+1), accounts[5], false); got != [kinds]int{} {
		t.Errorf("a password that is too long costs %v", got)
	}
}

// Places that only the top-up needs are not taken before it is known that there is one.
func TestSuccessWaitsForNoMoreThanItsOwnPlaces(t *testing.T) {
	h := New(Options{Workers: 8})
	h.Learn(credential.RestoreHash(accounts[10]))
	release := occupy(t, h.pool, 7)
	if got := tries(t, h, "the right one", accounts[5], true); got != [kinds]int{argon2Single: preferred.work().amount} {
		t.Errorf("%v", got)
	}
	h.machine = &counter{}
	if _, _, err := h.Verify(t.Context(), credential.NewPassword("wrong"), credential.RestoreHash(accounts[5])); !errors.Is(err, credential.ErrBusy) {
		t.Errorf("eight lanes were worked off beside seven: %v", err)
	}
	release()
}

// No more memory and threads is used up in vain than the dearest hash takes, nor time without end.
func TestWasteStaysWithinTheCeiling(t *testing.T) {
	for _, encoded := range accounts {
		s, ok := read(credential.RestoreHash(encoded), false)
		if !ok {
			continue
		}
		m := &watchful{t: t, most: s.work}
		s.work.waste(m, "wrong")
		if m.calls > 64 || m.calls == 0 && s.work.amount >= 8 {
			t.Errorf("%q: %d calls", encoded, m.calls)
		}
	}
}

type watchful struct {
	counter
	t    *testing.T
	most work
}

func (m *watchful) argon2(c cost, plain string, salt []byte, size int) []byte {
	if c.kib > m.most.kib || c.threads > m.most.threads || c.passes > maxArgon2Passes || c.kib < 8*c.threads {
		m.t.Errorf("argon2 with %+v, of at most %+v", c, m.most)
	}
	return m.counter.argon2(c, plain, salt, size)
}

func (m *watchful) scrypt(plain string, salt []byte, n, r, p int) []byte {
	if kib := n * r / 8; kib > max(m.most.kib, 2) || n < 2 || n&(n-1) != 0 {
		m.t.Errorf("scrypt with %d, %d, %d of at most %+v", n, r, p, m.most)
	}
	return m.counter.scrypt(plain, salt, n, r, p)
}

// The real machine does not turn its work away as malformed.
func TestProcessorDoesWhatIsWasted(t *testing.T) {
	if err := bcrypt.CompareHashAndPassword([]byte("$2b$04$"+noBcrypt), []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("bcrypt: %v", err)
	}
	var m processor
	if len(m.scrypt("x", noSalt, 16, 8, 1)) == 0 || len(m.scrypt("x", noSalt, 2, 1, 1)) == 0 || len(m.pbkdf2(pbkdf2SHA1, "x", noSalt, 1)) != 20 ||
		len(m.pbkdf2(pbkdf2SHA256, "", noSalt, 1)) != 32 || len(m.argon2(cost{kib: 8, passes: 1, threads: 1}, "x", noSalt, keyBytes)) != keyBytes {
		t.Error("nothing was computed")
	}
}

func TestExpect(t *testing.T) {
	for schemes, want := range map[string][kinds]int{
		"":                     {},
		" , ":                  {},
		"pbkdf2_sha256:600000": {pbkdf2SHA256: 600_000},
		"pbkdf2_sha256:260000, pbkdf2_sha1:30000,bcrypt:4": {pbkdf2SHA256: 260_000, pbkdf2SHA1: 30_000, bcryptRounds: 16},
		"pbkdf2_sha256:2,pbkdf2_sha256:1":                  {pbkdf2SHA256: 2},
		"bcrypt:12,scrypt:16384:8:5":                       {bcryptRounds: 4096, scryptBlocks: 16384 * 8 * 5},
		"argon2:102400:2:8":                                {argon2Lanes: 204_800},
	} {
		h := New(Options{})
		if err := h.Expect(schemes); err != nil {
			t.Errorf("%q: %v", schemes, err)
		}
		want[argon2Single] = preferred.work().amount
		if got := tries(t, h, "a wrong one", "", false); got != want {
			t.Errorf("%q: %v, want %v", schemes, got, want)
		}
		if (h.Ceiling() == "") != (strings.Trim(schemes, " ,") == "") {
			t.Errorf("%q: told as %q", schemes, h.Ceiling())
		}
	}
	for _, schemes := range []string{"pbkdf2_sha256", "pbkdf2_sha256:", "pbkdf2_sha256:10000001", "pbkdf2_sha256:0", "md5:1", "bcrypt:17", "bcrypt:3", "bcrypt:4$", "scrypt:16384", "scrypt:3:8:1", "argon2:1:1:1", "pbkdf2_sha256:1:2", "bcrypt:12;scrypt:16384:8:1"} {
		h := New(Options{})
		if err := h.Expect(schemes); err == nil {
			t.Errorf("%q is taken", schemes)
		}
		if fmt.Sprint(h.Ceiling()) != "" {
			t.Errorf("%q: %s", schemes, h.Ceiling())
		}
	}
}
