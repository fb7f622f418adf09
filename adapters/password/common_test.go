package password

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestCommon(t *testing.T) {
	z, err := gzip.NewReader(strings.NewReader(commonGzip))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(words) != 19727 {
		t.Errorf("%d words", len(words))
	}
	in := Common()
	for _, w := range words {
		if !in(w) {
			t.Errorf("%q is not found", w)
		}
	}
	for _, w := range []string{"", "\n", "password\n123456", "lantern orchard pebble", "PASSWORD", "\x00", "~~~~~~~~~~", "\xff", "passwor", "password1234567"} {
		if in(w) {
			t.Errorf("%q is found", w)
		}
	}
}

func TestWordlist(t *testing.T) {
	all := []string{"a", "aa", "b", "ba", "bb", "c", "é"}
	for n := range len(all) + 1 {
		l := newWordlist(append([]string{""}, all[:n]...))
		for i, w := range all {
			if l.has(w) != (i < n) {
				t.Errorf("%d words: has(%q) = %t", n, w, l.has(w))
			}
		}
	}
}
