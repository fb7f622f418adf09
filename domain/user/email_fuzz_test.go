package user_test

import (
	"strings"
	"testing"
	"unicode"

	"roster/domain/user"
)

// FuzzParseEmail looks for addresses that parse into a different address, and for spellings of one address with
// different keys.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{
		"zoe@example.com", " Zoe@Bücher.example ", `"a\ b"@x.yz`, `"\"\\"@[2001:DB8::1]`, "a@[::ffff:192.0.2.1]", "a@b@localhost", "a@x.y-z", "a\u200b@x.yz", "a@\u212aelvin.İ", "a@ｅｘａｍｐｌｅ.com", "\xff@\xed\xa0\x80",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := user.ParseEmail(text, toASCII)
		if err != nil {
			if e != (user.Email{}) {
				t.Fatalf("%q: %q beside %v", text, e.String(), err)
			}
			return
		}
		again, err := user.ParseEmail(e.String(), toASCII)
		if err != nil || again != e {
			t.Fatalf("%q: %q, key %q; parsed again %q, key %q, %v", text, e.String(), e.Key(), again.String(), again.Key(), err)
		}
		key, err := user.ParseEmail(e.Key(), toASCII)
		if err != nil || key.Key() != e.Key() || key.String() != e.Key() {
			t.Fatalf("%q: the key %q parsed is %q, key %q, %v", text, e.Key(), key.String(), key.Key(), err)
		}
		if upper, err := user.ParseEmail(strings.ToUpper(e.Key()), toASCII); err != nil || upper.Key() != e.Key() {
			t.Fatalf("%q: the key %q in upper case has the key %q, %v", text, e.Key(), upper.Key(), err)
		}
		for _, r := range e.Key() {
			if r > unicode.MaxASCII || r <= ' ' && r != ' ' || r == 0x7F || unicode.IsUpper(r) {
				t.Fatalf("%q: %U in the key %q", text, r, e.Key())
			}
		}
		for _, r := range e.String() {
			if !unicode.IsGraphic(r) {
				t.Fatalf("%q: %U in the address %q", text, r, e.String())
			}
		}
	})
}
