package guessable_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"roster/domain/guessable"
)

// words is a list of three common passwords.
func words(lower string) bool { return lower == "password" || lower == "dragon" || lower == "horse" }

var extended = guessable.NewBlocklist(words, "roster")

// Each kind of part, and inputs that are just not one.
func TestBlocklist(t *testing.T) {
	owner := guessable.Owner{FirstName: "Ann", LastName: "O'Neil", Email: "pebble.orchard77@example.com"}
	for plain, want := range map[string]bool{
		"":        false,
		"aaaaaaa": false, // too short: another rule reports it
		"passwor": false,

		"aaaaaaaa":         true, // few characters
		"aaaabbbb":         true,
		"abbabbbababa":     true,
		"aaabbbcccaaabbb":  true,
		"xk7qxk7qxk7q":     true, // blocks
		"xk7qzmxk7qzmxk7q": true,
		"xk7qzmwxk7qzmw":   false,
		"éàüéàüéàü":        true,
		"寿司好寿司好寿司好":        true,

		"abcdefgh":         true, // runs
		"hgfedcba":         true,
		"abcd1234":         true,
		"qwertyui":         true,
		"qwertzuiop":       true,
		"azertyuiop":       true,
		"1qaz2wsx3edc":     true,
		"zaq1xsw2":         true,
		"1q2w3e4r5t":       true, // interleaved
		"a1b2c3d4e5":       true,
		"112233445566":     true, // doubled
		"acegikmo":         true,
		"!@#$%^&*":         true,
		"абвгдежз":         true,
		"qwzxpoml":         false,
		"qpwoeiruty":       true, // two runs, interleaved
		"97531acegbdfhjln": true,

		"dragon12":                     true, // words
		"12dragon":                     true,
		"dragon!!!":                    true,
		"dragon1987":                   true,
		"dragon8392017465":             true,
		"!dragon-1987!":                true,
		"nogard1987":                   true,
		"dr4g0n99":                     true,
		"d r a g o n":                  true,
		"p.a.s.s.w.o.r.d":              true,
		"passwordhorse":                true,
		"password-horse-99":            true,
		"dragonk7":                     true, // a further letter belongs to no part
		"dragonkvq7w":                  false,
		"dragonpasswordhors":           false,
		"dragon horse tulip":           false,
		"ragon horse passwo":           false,
		"four wide dragons":            false,
		"letmeinletmein":               true, // phrases
		"let me in, let me!":           false,
		"Correct Horse Battery Staple": true,
		"correct horse tulip staple":   false,

		"roster123456":        true, // words of the service and of the user
		"rosterpassword":      true,
		"orchard77orchard77x": true,
		"pebbleorchard2024":   true,
		"oneil-1980":          true,
		"annoneil1980":        true,
		"annoneiltulipgravel": false,
		"example!1234":        true,

		"k7#4!9%2":    false, // digits and punctuation adjacent by chance
		"4829!!#k":    false,
		"19872024":    true,
		"x1987y2024z": false,
	} {
		if got := extended.Matches(strings.ToLower(plain), owner); got != want {
			t.Errorf("%q: %t", plain, got)
		}
	}
}

// Matches returns for any input. A common password stays common when it is repeated or followed by a number.
func TestBlocklistOfAnyInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		extended.Matches(strings.ToLower(rapid.String().Draw(t, "anything")), guessable.Owner{
			FirstName: rapid.String().Draw(t, "first name"), LastName: rapid.String().Draw(t, "last name"), Email: rapid.String().Draw(t, "email"),
		})
		w := rapid.SampledFrom([]string{"password", "dragon", "roster", "letmein", "qwerty", "abcdef"}).Draw(t, "word")
		number := rapid.StringMatching("[0-9]{0,20}").Draw(t, "number")
		times := rapid.IntRange(2, 5).Draw(t, "times")
		for _, p := range []string{strings.Repeat(w, times) + number, number + strings.Repeat(w, times), strings.Repeat(w+number, times)} {
			if len(p) <= 64 && !extended.Matches(p, guessable.Owner{}) {
				t.Errorf("%q is not found", p)
			}
		}
	})
}

// Inputs over the limit are not examined. At the limit, the list is not queried a million times.
func TestBlocklistIsBounded(t *testing.T) {
	asked := 0
	b := guessable.NewBlocklist(func(string) bool { asked++; return false }, "roster")
	for _, c := range []struct {
		plain string
		most  int
	}{
		{strings.Repeat("a", 1025), 0},
		{strings.Repeat("k7#vq2!x", 1<<17), 0},
		{strings.Repeat("4@", 256) + strings.Repeat("k7#vq2!xw", 40), 0},
		{"4a5bkv0d-3e1f_7ghi.81jkl9m2nop6qr$st@uvw(xy)z|ABCDEFGHIJKLMNOPQR", 20_000},
	} {
		asked = 0
		b.Matches(strings.ToLower(c.plain), guessable.Owner{Email: strings.Repeat("x", 60) + "@example.com"})
		if asked > c.most {
			t.Errorf("%d bytes: the list is asked %d times", len(c.plain), asked)
		}
	}
}
