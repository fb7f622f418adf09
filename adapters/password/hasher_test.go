package password_test

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"roster/adapters/password"
	"roster/domain/credential"
)

//go:embed testdata/passwords.json
var passwords []byte

type exported struct {
	ID        int     `json:"id"`
	Password  *string `json:"password"`
	Wrong     *string `json:"wrong_password"`
	Algorithm string  `json:"algorithm"`
	Encoded   string  `json:"encoded"`
}

func export(t *testing.T) []exported {
	t.Helper()
	var e struct {
		Users []exported `json:"users"`
	}
	if err := json.Unmarshal(passwords, &e); err != nil {
		t.Fatal(err)
	}
	return e.Users
}

// Each Hasher measures the machine once: all tests share two.
var (
	plainHasher  = password.New(password.Options{Workers: 64})
	digestHasher = password.New(password.Options{Workers: 64, Digests: true})
)

func verify(t *testing.T, plain, encoded string) (fits, outdated bool) {
	t.Helper()
	return verifyWith(t, plainHasher, plain, encoded)
}

func verifyWith(t *testing.T, h *password.Hasher, plain, encoded string) (fits, outdated bool) {
	t.Helper()
	v, err := h.Verify(t.Context(), credential.NewPassword(plain), credential.RestoreHash(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return v.Matches, v.NeedsRehash
}

func TestDjangoUsersKeepTheirPasswords(t *testing.T) {
	t.Parallel()
	schemes, kinds := map[string]bool{}, map[string]bool{}
	for _, u := range export(t) {
		right, want := "anything", u.Password != nil
		if want {
			right = *u.Password
		}
		cut := u.Algorithm == "bcrypt" && len(right) >= 72 // bcrypt uses 72 bytes only
		if want {
			schemes[u.Algorithm] = true
		}
		// One user of each scheme is enough for wrong passwords.
		kind := fmt.Sprint(u.Algorithm, len(right) > 72)
		tryWrong := u.Wrong != nil && !kinds[kind]
		kinds[kind] = true
		t.Run(fmt.Sprintf("%d-%s", u.ID, u.Algorithm), func(t *testing.T) {
			t.Parallel()
			if strings.Contains(u.Algorithm, "md5") || u.Algorithm == "sha1" {
				if fits, outdated := verify(t, right, u.Encoded); fits || outdated {
					t.Errorf("a digest that was not asked for: fits %t, outdated %t", fits, outdated)
				}
			}
			verify := func(t *testing.T, plain, encoded string) (fits, outdated bool) {
				t.Helper()
				return verifyWith(t, digestHasher, plain, encoded)
			}
			if fits, outdated := verify(t, right, u.Encoded); fits != want || outdated != (want && !cut) {
				t.Errorf("right password: fits %t, outdated %t; want %t, %t", fits, outdated, want, want && !cut)
			}
			if !tryWrong {
				return
			}
			if fits, outdated := verify(t, *u.Wrong, u.Encoded); fits || outdated {
				t.Errorf("wrong password: fits %t, outdated %t", fits, outdated)
			}
		})
	}
	if len(schemes) != 9 {
		t.Errorf("schemes of the export: %v", schemes)
	}
}

func TestHashIsAPHCStringThatVerifies(t *testing.T) {
	t.Parallel()
	phc := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	h := plainHasher
	seen := map[string]bool{}
	for _, plain := range []string{"lantern orchard", " blanks count ", "пароль-密码", "nul\x00inside", strings.Repeat("x", credential.MaxBytes)} {
		c, err := h.Hash(t.Context(), credential.NewPassword(plain))
		if err != nil {
			t.Fatal(err)
		}
		if !phc.MatchString(c.Encoded()) || seen[c.Encoded()] {
			t.Errorf("Hash = %q", c.Encoded())
		}
		seen[c.Encoded()] = true
		if fits, outdated := verify(t, plain, c.Encoded()); !fits || outdated {
			t.Errorf("%q: fits %t, outdated %t", plain, fits, outdated)
		}
		for _, other := range []string{plain + " ", plain[:len(plain)-1], plain + "\x00"} {
			if fits, _ := verify(t, other, c.Encoded()); fits {
				t.Errorf("%q fits the hash of %q", other, plain)
			}
		}
	}
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	// Hashes of the password "lantern" in the forms of argon2-cffi and Django.
	for name, c := range map[string]struct {
		encoded  string
		outdated bool
	}{
		"preferred":          {golden(19456, 2, 1, 16, 32), false},
		"more memory":        {golden(20000, 2, 1, 16, 32), true},
		"less memory":        {golden(19455, 2, 1, 16, 32), true},
		"more passes":        {golden(19456, 3, 1, 16, 32), true},
		"more lanes":         {golden(19456, 2, 2, 16, 32), true},
		"shorter salt":       {golden(19456, 2, 1, 15, 32), true},
		"longer salt":        {golden(19456, 2, 1, 17, 32), true},
		"shorter key":        {golden(19456, 2, 1, 16, 31), true},
		"Django's clothes":   {"argon2" + golden(19456, 2, 1, 16, 32), true},
		"argon2i":            {goldenI(19456, 2, 1, 16, 32), true},
		"Django's argon2i":   {"argon2" + goldenI(19456, 2, 1, 16, 32), true},
		"bcrypt":             {"bcrypt$" + bcryptOf(t, "lantern"), true},
		"bcrypt, as PHP":     {"bcrypt$$2y" + bcryptOf(t, "lantern")[3:], true},
		"bcrypt, as early":   {"bcrypt$$2a" + bcryptOf(t, "lantern")[3:], true},
		"bcrypt of the hash": {"bcrypt_sha256$" + bcryptOf(t, hexOf("lantern")), true},
	} {
		if fits, outdated := verify(t, "lantern", c.encoded); !fits || outdated != c.outdated {
			t.Errorf("%s: fits %t, outdated %t", name, fits, outdated)
		}
		if fits, outdated := verify(t, "lanterN", c.encoded); fits || outdated {
			t.Errorf("%s, wrong password: fits %t, outdated %t", name, fits, outdated)
		}
	}
}

func TestNULsDoNotMakeTwoPasswordsOne(t *testing.T) {
	t.Parallel()
	encoded := map[string]string{}
	for _, u := range export(t) {
		if u.Password != nil && len(*u.Password) < 32 {
			encoded[u.Algorithm] = *u.Password + "|" + u.Encoded
		}
	}
	for _, name := range []string{"pbkdf2_sha256", "pbkdf2_sha1", "bcrypt", "scrypt"} {
		plain, hash, _ := strings.Cut(encoded[name], "|")
		for _, other := range []string{plain + "\x00", plain + "\x00" + plain} {
			if fits, _ := verify(t, other, hash); fits {
				t.Errorf("%s: %q fits the hash of %q", name, other, plain)
			}
		}
	}
}

func TestBcryptCountsSeventyTwoBytes(t *testing.T) {
	t.Parallel()
	first72 := strings.Repeat("0123456789ab", 6)
	hash := "bcrypt$" + bcryptOf(t, first72)
	for plain, want := range map[string]bool{first72: true, first72 + "z": true, first72[:71]: false, first72[:71] + "z": false} {
		if fits, _ := verify(t, plain, hash); fits != want {
			t.Errorf("%d bytes: fits %t", len(plain), fits)
		}
	}
}

// A password that bcrypt truncates is accepted, and its hash is not replaced: the characters beyond 72 bytes, which were
// not verified, must not become part of the password.
func TestTruncatedBcryptPasswordIsNotRehashed(t *testing.T) {
	t.Parallel()
	right := strings.Repeat("correct horse battery staple ", 3) // 87 bytes
	cut := "bcrypt$" + bcryptOf(t, right[:72])
	short := strings.Repeat("é", 35) + "x" // 71 bytes
	for name, c := range map[string]struct {
		plain, encoded string
		fits, outdated bool
	}{
		"right":                       {right, cut, true, false},
		"typing error behind byte 72": {right[:80] + "X" + right[81:], cut, true, false},
		"the first 72 bytes":          {right[:72], cut, true, false},
		"the first 71 bytes":          {right[:71], cut, false, false},
		"error before":                {"X" + right[1:], cut, false, false},
		"71 bytes":                    {short, "bcrypt$" + bcryptOf(t, short), true, true},
		"71 bytes and more":           {short + "x", "bcrypt$" + bcryptOf(t, short), false, false},
		"a NUL and more":              {short[:70] + "\x00" + short, "bcrypt$" + bcryptOf(t, short[:70]), false, false},
		"bcrypt_sha256":               {right, "bcrypt_sha256$" + bcryptOf(t, hexOf(right)), true, true},
		"bcrypt_sha256, error":        {right + "X", "bcrypt_sha256$" + bcryptOf(t, hexOf(right)), false, false},
	} {
		if fits, outdated := verify(t, c.plain, c.encoded); fits != c.fits || outdated != c.outdated {
			t.Errorf("%s: fits %t, outdated %t", name, fits, outdated)
		}
	}
}

func TestTooLongPasswordMatchesNothing(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", credential.MaxBytes+1)
	if _, err := plainHasher.Hash(t.Context(), credential.NewPassword(long)); err == nil {
		t.Error("Hash accepts it")
	}
	if fits, outdated := verify(t, long, "bcrypt$"+bcryptOf(t, long[:72])); fits || outdated {
		t.Errorf("fits %t, outdated %t", fits, outdated)
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plainHasher.Hash(ctx, credential.NewPassword("lantern")); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash: %v", err)
	}
	for _, c := range []credential.Hash{credential.Unusable, credential.RestoreHash(golden(19456, 2, 1, 16, 32))} {
		if _, err := plainHasher.Verify(ctx, credential.NewPassword("lantern"), c); !errors.Is(err, context.Canceled) {
			t.Errorf("Verify: %v", err)
		}
	}
}

func bcryptOf(t *testing.T, plain string) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(plain), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return "$2b" + string(b[3:])
}

func hexOf(plain string) string {
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}

func TestReadable(t *testing.T) {
	h := password.New(password.Options{})
	for encoded, want := range map[string]bool{
		"pbkdf2_sha256$1$GcDMtQkWYcUOg7YBEGFX$" + strings.Repeat("A", 43) + "=": true,
		"": false, "!": false, "md5$a$b": false, "pbkdf2_sha256$not-a-number$salt$hash": false,
	} {
		if _, got := h.Cost(credential.RestoreHash(encoded)); got != want {
			t.Errorf("%s: %v", encoded, got)
		}
	}
}
