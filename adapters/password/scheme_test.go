package password

import (
	"strings"
	"testing"
	"time"

	"roster/domain/credential"
)

const (
	salt16 = "c2FsdHNhbHRzYWx0c2FsdA"
	key32  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	pad32  = key32 + "="
	key20  = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
	key64  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
	bc     = "$2b$12$zK8U.VG2vpPvhDTvf92Ese4HOyEdoRcKw.a3UP/Vd5hVPXabcdefg"
)

func TestBoundsAreReached(t *testing.T) {
	for _, encoded := range []string{
		"$argon2id$v=19$m=1048576,t=32,p=64$" + salt16 + "$" + key32,
		"argon2$argon2i$v=19$m=8,t=1,p=1$" + salt16 + "$" + key32,
		"pbkdf2_sha256$10000000$salt$" + pad32,
		"pbkdf2_sha256$1$s$" + pad32,
		"pbkdf2_sha1$10000000$salt$" + key20,
		"scrypt$1048576$salt$8$1$" + key64,
		"scrypt$16384$salt$512$16$" + key64,
		"scrypt$2$salt$1$1$" + key64,
		"bcrypt$" + strings.Replace(bc, "$12$", "$16$", 1),
		"bcrypt_sha256$" + strings.Replace(bc, "$12$", "$04$", 1),
	} {
		if _, ok := read(credential.RestoreHash(encoded), false); !ok {
			t.Errorf("%s is refused", encoded)
		}
	}
}

func TestBrokenAndHostileHashesAreNotRead(t *testing.T) {
	argon := func(variant, version, parameters, salt, key string) string {
		return "$" + variant + "$" + version + "$" + parameters + "$" + salt + "$" + key
	}
	table := map[string]string{
		"empty": "", "unusable": "!", "unusable of Django": "!UGyEpAw11jS8Z0F7LFRkwYTspQklj9Szh584V5FD",
		"disabled hash": "!argon2" + argon("argon2id", "v=19", "m=19456,t=2,p=1", salt16, key32),
		"only a name":   "pbkdf2_sha256", "name and mark": "pbkdf2_sha256$", "marks": "$$$$$$", "mark": "$",
		"unknown": "rot13$1$salt$" + pad32, "other case": "PBKDF2_SHA256$1$salt$" + pad32, "blank before": " pbkdf2_sha256$1$salt$" + pad32,
		"salted md5": "md5$salt$9857f7a7d313d69b9cd5938be7839a4b", "bare md5": "410b7b8f4012b96689889d821d4cb9b4", "unsalted sha1": "sha1$$513b678c36f55b32a1a6ae741f1982afbeb05403",
		"bare bcrypt": bc, "huge": "pbkdf2_sha256$1$" + strings.Repeat("s", 600) + "$" + pad32,

		"argon2 of no kind":    argon("argon2x", "v=19", "m=512,t=2,p=2", salt16, key32),
		"argon2, version 17":   argon("argon2id", "v=17", "m=512,t=2,p=2", salt16, key32),
		"argon2, version 0x13": argon("argon2id", "v=0x13", "m=512,t=2,p=2", salt16, key32),
		"argon2, no value":     argon("argon2id", "v=", "m=512,t=2,p=2", salt16, key32),
		"argon2, m":            argon("argon2id", "v=19", "m=1048577,t=2,p=1", salt16, key32),
		"argon2, m overflow":   argon("argon2id", "v=19", "m=4294967304,t=2,p=1", salt16, key32),
		"argon2, m zero":       argon("argon2id", "v=19", "m=0,t=2,p=1", salt16, key32),
		"argon2, m below 8p":   argon("argon2id", "v=19", "m=15,t=2,p=2", salt16, key32),
		"argon2, t":            argon("argon2id", "v=19", "m=512,t=33,p=1", salt16, key32),
		"argon2, t zero":       argon("argon2id", "v=19", "m=512,t=0,p=1", salt16, key32),
		"argon2, p":            argon("argon2id", "v=19", "m=1024,t=2,p=65", salt16, key32),
		"argon2, p zero":       argon("argon2id", "v=19", "m=512,t=2,p=0", salt16, key32),
		"argon2, p overflow":   argon("argon2id", "v=19", "m=4096,t=2,p=257", salt16, key32),
		"argon2, leading 0":    argon("argon2id", "v=19", "m=0512,t=2,p=1", salt16, key32),
		"argon2, sign":         argon("argon2id", "v=19", "m=+512,t=2,p=1", salt16, key32),
		"argon2, order":        argon("argon2id", "v=19", "t=2,m=512,p=1", salt16, key32),
		"argon2, key id":       argon("argon2id", "v=19", "m=512,t=2,p=1,keyid=AA", salt16, key32),
		"argon2, salt short":   argon("argon2id", "v=19", "m=512,t=2,p=1", "c2Fs", key32),
		"argon2, salt bad":     argon("argon2id", "v=19", "m=512,t=2,p=1", "c2FsdHNhbHRzYWx0c2Fs*A", key32),
		"argon2, salt lf":      argon("argon2id", "v=19", "m=512,t=2,p=1", "c2FsdHNhbHRz\nYWx0c2FsdA", key32),
		"argon2, key short":    argon("argon2id", "v=19", "m=512,t=2,p=1", salt16, "AAAAAAAA"),
		"argon2, key empty":    argon("argon2id", "v=19", "m=512,t=2,p=1", salt16, ""),
		"argon2, padded":       argon("argon2id", "v=19", "m=512,t=2,p=1", salt16, pad32),
		"argon2, trailing":     argon("argon2id", "v=19", "m=512,t=2,p=1", salt16, key32+"$"),
		"argon2, last bits":    argon("argon2id", "v=19", "m=512,t=2,p=1", salt16, key32[:42]+"B"),
		"argon2, doubled":      "argon2$" + argon("argon2id", "v=19", "m=512,t=2,p=1", salt16, key32),

		"pbkdf2, of the export": "pbkdf2_sha256$not-a-number$salt$hash",
		"pbkdf2, too many":      "pbkdf2_sha256$10000001$salt$" + pad32,
		"pbkdf2, overflow":      "pbkdf2_sha256$99999999999999999999$salt$" + pad32,
		"pbkdf2, none":          "pbkdf2_sha256$0$salt$" + pad32,
		"pbkdf2, negative":      "pbkdf2_sha256$-1$salt$" + pad32,
		"pbkdf2, no salt":       "pbkdf2_sha256$1$$" + pad32,
		"pbkdf2, long salt":     "pbkdf2_sha256$1$" + strings.Repeat("s", 129) + "$" + pad32,
		"pbkdf2, no key":        "pbkdf2_sha256$1$salt$",
		"pbkdf2, short key":     "pbkdf2_sha256$1$salt$" + key20,
		"pbkdf2, no padding":    "pbkdf2_sha256$1$salt$" + key32,
		"pbkdf2, a part more":   "pbkdf2_sha256$1$salt$x$" + pad32,
		"pbkdf2_sha1, long key": "pbkdf2_sha1$1$salt$" + pad32,

		"bcrypt, cost":       "bcrypt$" + strings.Replace(bc, "$12$", "$17$", 1),
		"bcrypt, low cost":   "bcrypt$" + strings.Replace(bc, "$12$", "$03$", 1),
		"bcrypt, no cost":    "bcrypt$" + strings.Replace(bc, "$12$", "$xx$", 1),
		"bcrypt, sign":       "bcrypt$" + strings.Replace(bc, "$12$", "$+9$", 1),
		"bcrypt, 2x":         "bcrypt$" + strings.Replace(bc, "$2b$", "$2x$", 1),
		"bcrypt, version":    "bcrypt$" + strings.Replace(bc, "$2b$", "$3b$", 1),
		"bcrypt, short":      "bcrypt$" + bc[:59],
		"bcrypt, long":       "bcrypt$" + bc + "A",
		"bcrypt, one mark":   "bcrypt" + bc,
		"bcrypt, characters": "bcrypt$" + bc[:59] + "=",

		"scrypt, N":          "scrypt$2097152$salt$1$1$" + key64,
		"scrypt, N no power": "scrypt$16383$salt$8$1$" + key64,
		"scrypt, N one":      "scrypt$1$salt$8$1$" + key64,
		"scrypt, memory":     "scrypt$1048576$salt$16$1$" + key64,
		"scrypt, r huge":     "scrypt$2$salt$1073741824$1$" + key64,
		"scrypt, r zero":     "scrypt$16384$salt$0$1$" + key64,
		"scrypt, p":          "scrypt$16384$salt$8$17$" + key64,
		"scrypt, no salt":    "scrypt$16384$$8$1$" + key64,
		"scrypt, short key":  "scrypt$16384$salt$8$1$" + pad32,
		"scrypt, order":      "scrypt$salt$16384$8$1$" + key64,
	}
	h := New(Options{})
	h.speed = func() time.Duration { return 0 }
	for name, encoded := range table {
		if _, ok := read(credential.RestoreHash(encoded), false); ok {
			t.Errorf("%s is read: %s", name, encoded)
		}
		v, err := h.Verify(t.Context(), credential.NewPassword("lantern"), credential.RestoreHash(encoded))
		if v.Matches || v.NeedsRehash || err != nil {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// Digests are read only if requested, and only in the form of Django.
func TestDigests(t *testing.T) {
	const md5Hex, sha1Hex = "410b7b8f4012b96689889d821d4cb9b4", "513b678c36f55b32a1a6ae741f1982afbeb05403"
	for encoded, want := range map[string]bool{
		md5Hex: true, "md5$$" + md5Hex: true, "md5$salt$" + md5Hex: true, "sha1$$" + sha1Hex: true, "sha1$salt$" + sha1Hex: true,
		"": false, "!" + md5Hex[1:]: false, sha1Hex: false, md5Hex[1:]: false, strings.ToUpper(md5Hex): false, "md5$" + md5Hex: false,
		"md5$salt$" + sha1Hex: false, "sha1$salt$" + md5Hex: false, "sha1$salt$" + strings.ToUpper(sha1Hex): false, "sha1$salt$": false, "sha1$a$b$" + sha1Hex: false,
		"md5$" + strings.Repeat("s", 129) + "$" + md5Hex: false, "unsalted_md5$$" + md5Hex: false, "sha256$salt$" + md5Hex + md5Hex: false,
	} {
		if _, ok := read(credential.RestoreHash(encoded), true); ok != want {
			t.Errorf("%q: read %t, want %t", encoded, ok, want)
		}
		if _, ok := read(credential.RestoreHash(encoded), false); ok {
			t.Errorf("%q is read, and was not asked for", encoded)
		}
	}
}

// The number of places of a hash follows its memory; its lanes are computed one after another.
func TestPlaces(t *testing.T) {
	for encoded, want := range map[string]int64{
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32:        1,
		"$argon2id$v=19$m=19457,t=2,p=1$" + salt16 + "$" + key32:        2,
		"argon2$argon2id$v=19$m=102400,t=2,p=8$" + salt16 + "$" + key32: 6,
		"argon2$argon2i$v=19$m=512,t=2,p=2$" + salt16 + "$" + key32:     1,
		"pbkdf2_sha256$260000$salt$" + pad32:                            1,
		"scrypt$16384$salt$8$1$" + key64:                                1,
		"scrypt$131072$salt$8$1$" + key64:                               7,
		"bcrypt$" + bc:                                                  1,
	} {
		s, ok := read(credential.RestoreHash(encoded), false)
		if !ok || s.work.places() != want {
			t.Errorf("%s: read %t, %d places", encoded, ok, s.work.places())
		}
	}
	if decoy.work.places() != 1 {
		t.Error("a decoy takes no place")
	}
}
