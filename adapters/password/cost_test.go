package password

import (
	"runtime"
	"strings"
	"testing"

	"roster/domain/credential"
)

// allocated returns how many MiB f takes from the heap, which shows whether argon2id ran.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// Who cannot sign in at all must cost as much as who gives a wrong password; a cheap imported hash too.
func TestWhatFitsNothingCostsAsMuch(t *testing.T) {
	h := New(Options{})
	verify := func(plain, encoded string) uint64 {
		return allocated(func() {
			if fits, _, err := h.Verify(t.Context(), credential.NewPassword(plain), credential.RestoreHash(encoded)); fits || err != nil {
				t.Errorf("%q fits, or %v", encoded, err)
			}
		})
	}
	for _, encoded := range []string{
		"", "!", "sha1$$513b678c36f55b32a1a6ae741f1982afbeb05403", "pbkdf2_sha256$not-a-number$salt$hash", "pbkdf2_sha256$99999999999$salt$" + pad32,
		"pbkdf2_sha256$1$salt$" + pad32, "scrypt$2$salt$1$1$" + key64, "argon2$argon2i$v=19$m=8,t=1,p=1$" + salt16 + "$" + key32,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32,
	} {
		if mib := verify("lantern", encoded); mib < 19 {
			t.Errorf("%q costs %d MiB", encoded, mib)
		}
	}
	if mib := verify("a\x00", "pbkdf2_sha256$1000000$salt$"+pad32); mib < 19 {
		t.Errorf("a NUL costs %d MiB", mib)
	}
	if mib := verify(strings.Repeat("x", credential.MaxBytes+1), ""); mib > 1 {
		t.Errorf("a password that is too long costs %d MiB", mib)
	}
}
