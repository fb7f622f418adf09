package password

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roster/domain/credential"
)

// A hash that cannot be verified costs as much as a wrong password: a hash in the preferred scheme.
func TestHashThatMatchesNothingCostsAsMuch(t *testing.T) {
	derived := 0
	was := decoy
	decoy.fits = func(plain string) bool { derived++; return was.fits(plain) }
	defer func() { decoy = was }()
	h := New(Options{})
	h.speed = func() time.Duration { return 0 } // measuring derives too
	for _, c := range []struct {
		plain, encoded string
		want           int
	}{
		{"lantern", "", 1},
		{"lantern", "!", 1},
		{"lantern", "sha1$$513b678c36f55b32a1a6ae741f1982afbeb05403", 1},
		{"lantern", "pbkdf2_sha256$not-a-number$salt$hash", 1},
		{"lantern", "pbkdf2_sha256$99999999999$salt$" + pad32, 1},
		{"a\x00", "pbkdf2_sha256$1000000$salt$" + pad32, 1},
		{"lantern", "pbkdf2_sha256$1$salt$" + pad32, 0}, // it is verified
		{"lantern", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32, 0},
		{strings.Repeat("x", credential.MaxBytes+1), "", 0}, // too long
	} {
		derived = 0
		v, err := h.Verify(t.Context(), credential.NewPassword(c.plain), credential.RestoreHash(c.encoded))
		if v.Matches || err != nil || derived != c.want {
			t.Errorf("%.20q for %q: %+v, %v, %d hashes", c.plain, c.encoded, v, err, derived)
		}
	}
}

// The substitute for a hash that cannot be verified is argon2id with the preferred parameters.
func TestDecoyIsInThePreferredScheme(t *testing.T) {
	if !decoy.preferred || decoy.work != preferred.work() || preferred.variant != argon2id {
		t.Errorf("%+v", decoy)
	}
}

// The zero parameters are no variant of argon2.
func TestNoVariantDerivesNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a key was derived")
		}
	}()
	parameters{kib: 8, passes: 1, threads: 1}.key("lantern", []byte("saltsalt"), keyBytes)
}

// The defaults of every Django version can be imported; hashes that cost far more cannot.
func TestCosts(t *testing.T) {
	h := New(Options{Digests: true})
	bcrypt := func(cost string) string { return "bcrypt$" + strings.Replace(bc, "$12$", "$"+cost+"$", 1) }
	argon := func(parameters string) string {
		return "argon2$argon2id$v=19$" + parameters + "$" + salt16 + "$" + key32
	}
	for encoded, excessive := range map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32: false,
		argon("m=512,t=2,p=2"):                      false, // Django 1.10
		argon("m=102400,t=2,p=8"):                   false, // since Django 3.2
		argon("m=131072,t=2,p=1"):                   false,
		argon("m=131073,t=1,p=1"):                   true, // memory
		argon("m=19456,t=20,p=1"):                   false,
		argon("m=19456,t=21,p=1"):                   true, // time
		argon("m=1048576,t=32,p=1"):                 true,
		argon("m=102400,t=4,p=8"):                   true, // lanes are work too
		"pbkdf2_sha256$10000$salt$" + pad32:         false,
		"pbkdf2_sha256$1500000$salt$" + pad32:       false, // Django 6.1
		"pbkdf2_sha256$1556484$salt$" + pad32:       true,
		"pbkdf2_sha256$10000000$salt$" + pad32:      true,
		"pbkdf2_sha1$1500000$salt$" + key20:         false,
		"pbkdf2_sha1$2000000$salt$" + key20:         true,
		bcrypt("12"):                                false, // Django's own
		bcrypt("13"):                                true,
		"bcrypt_sha256$" + bc:                       false,
		"scrypt$16384$salt$8$1$" + key64:            false, // Django 4.0
		"scrypt$16384$salt$8$5$" + key64:            false, // Django 5.1
		"scrypt$16384$salt$8$8$" + key64:            true,
		"scrypt$131072$salt$8$1$" + key64:           true,
		"scrypt$1048576$salt$8$1$" + key64:          true,
		"md5$salt$410b7b8f4012b96689889d821d4cb9b4": false,
	} {
		if cost, ok := h.Cost(credential.RestoreHash(encoded)); !ok || cost.Excessive() != excessive {
			t.Errorf("%s: %+v, %t", encoded, cost, ok)
		}
	}
	if cost, _ := h.Cost(credential.RestoreHash("$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32)); cost != (credential.Cost{Times: 1, MiB: 19}) {
		t.Errorf("the preferred scheme: %+v", cost)
	}
}

// The time of a refusal is that of the costliest hash that may be stored, and two seconds at most.
func TestRefusalTime(t *testing.T) {
	const (
		alone = headroom * 20 * time.Millisecond
		bound = credential.MaxTimes * alone
	)
	for name, c := range map[string]struct {
		met      []string
		imported bool
		speed    time.Duration
		want     time.Duration
	}{
		"nothing imported":        {nil, false, 20 * time.Millisecond, alone},
		"the preferred scheme":    {[]string{"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32}, false, 20 * time.Millisecond, alone},
		"unusable":                {[]string{"!", "", "homemade$x"}, false, 20 * time.Millisecond, alone},
		"known beforehand":        {nil, true, 20 * time.Millisecond, bound},
		"met":                     {[]string{"pbkdf2_sha256$1$salt$" + pad32}, false, 20 * time.Millisecond, bound},
		"a digest":                {[]string{"md5$salt$410b7b8f4012b96689889d821d4cb9b4"}, false, 20 * time.Millisecond, bound},
		"of another system":       {[]string{"argon2$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32}, false, 20 * time.Millisecond, bound},
		"costlier than the limit": {[]string{"argon2$argon2id$v=19$m=38912,t=20,p=1$" + salt16 + "$" + key32, "pbkdf2_sha256$1$salt$" + pad32}, true, 10 * time.Millisecond, 400 * time.Millisecond},
		"32 GiB of work":          {[]string{"argon2$argon2id$v=19$m=1048576,t=32,p=1$" + salt16 + "$" + key32}, true, 20 * time.Millisecond, 2 * time.Second},
		"a slow machine":          {nil, true, time.Second, 2 * time.Second},
	} {
		h := New(Options{Imported: c.imported, Digests: true})
		h.speed = func() time.Duration { return c.speed }
		for _, encoded := range c.met {
			if s, ok := read(credential.RestoreHash(encoded), true); ok && !s.preferred {
				h.met(s.work)
			}
		}
		if got := h.refusal(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if d := measure(); d <= 0 {
		t.Errorf("measured %v", d)
	}
}

// The first verification of an imported hash lengthens refusals, this one included.
func TestImportedHashesAreNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		h.speed = func() time.Duration { return 20 * time.Millisecond }
		for i, c := range []struct {
			encoded string
			want    time.Duration
		}{{"!", 40 * time.Millisecond}, {"pbkdf2_sha256$1$salt$" + pad32, 400 * time.Millisecond}, {"!", 400 * time.Millisecond}} {
			v, err := h.Verify(t.Context(), credential.NewPassword("wrong"), credential.RestoreHash(c.encoded))
			if err != nil || v.Matches || v.Refusal != c.want {
				t.Errorf("%d: %+v, %v", i, v, err)
			}
		}
	})
}

// refused are the reasons for refusing a password.
var refused = []string{
	"", "!", "!argon2$unusable", "homemade$x", "pbkdf2_sha256$99999999999$salt$" + pad32,
	"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32,
	"$argon2id$v=19$m=4096,t=3,p=1$" + salt16 + "$" + key32,
	"argon2$argon2i$v=19$m=512,t=2,p=2$" + salt16 + "$" + key32,
	"pbkdf2_sha256$1$salt$" + pad32, "pbkdf2_sha1$24000$salt$" + key20,
	"bcrypt$" + strings.Replace(bc, "$12$", "$04$", 1), "bcrypt_sha256$" + strings.Replace(bc, "$12$", "$04$", 1),
	"scrypt$1024$salt$8$1$" + key64, "md5$salt$410b7b8f4012b96689889d821d4cb9b4",
}

// A refusal takes the same time for every stored hash, in addition to its time in the queue.
func TestRefusalsTakeTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Workers: 2, Imported: true, Digests: true, Queue: 1, Wait: time.Minute})
		h.speed = func() time.Duration { return 20 * time.Millisecond }
		try := func(plain, encoded string) time.Duration {
			v, err := h.Verify(t.Context(), credential.NewPassword(plain), credential.RestoreHash(encoded))
			if v.Matches || err != nil {
				t.Errorf("%q: %+v, %v", encoded, v, err)
			}
			return v.Refusal
		}
		for _, encoded := range refused {
			for _, plain := range []string{"wrong", "wrong\x00", strings.Repeat("x", 100), strings.Repeat("x", credential.MaxBytes+1)} {
				if got := try(plain, encoded); got != 400*time.Millisecond {
					t.Errorf("%q: %v", encoded, got)
				}
			}
		}
		release := occupy(t, h.pool, 2)
		var wg sync.WaitGroup
		wg.Go(func() {
			if got := try("wrong", "!"); got != 700*time.Millisecond {
				t.Errorf("after 300 ms in the queue: %v", got)
			}
		})
		synctest.Wait()
		time.Sleep(300 * time.Millisecond) // in the bubble
		release()
		wg.Wait()
	})
}

// A wrong password is reported as wrong even if the pool is full when the verification ends.
func TestRefusalTimeIgnoresBusyPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Workers: 1, Queue: 2, Wait: time.Hour, Imported: true})
		h.speed = func() time.Duration { return 20 * time.Millisecond }
		var wg sync.WaitGroup
		v, err := h.try(t.Context(), "wrong", stored{fits: func(string) bool {
			for range 3 { // two wait, and the third finds the queue full
				wg.Go(func() { _, _ = h.Hash(t.Context(), credential.NewPassword("of another user")) })
			}
			synctest.Wait()
			return false
		}})
		if err != nil || v.Matches || v.Refusal != 400*time.Millisecond {
			t.Errorf("%+v, %v", v, err)
		}
		wg.Wait()
	})
}
