package guessable

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A phrase that is too long, or not in the form of a lookup, would never be found.
func TestPhrasesCanBeFound(t *testing.T) {
	if len(phrases) < 300 {
		t.Errorf("%d phrases", len(phrases))
	}
	for p := range phrases {
		if n := utf8.RuneCountInString(p); n > maxPhrase || n < minWord || p != strings.ToLower(p) {
			t.Errorf("%q", p)
		}
	}
}

// Each row connects its characters in both directions, and no others.
func TestNeighbours(t *testing.T) {
	if 2*len(alphabets) > rowBits {
		t.Fatalf("%d alphabets do not fit", len(alphabets))
	}
	for _, alphabet := range alphabets {
		for row := range strings.FieldsSeq(alphabet) {
			there := []rune(row)
			n := len(there)
			if got := newText(there).runs[n]; got != n {
				t.Errorf("%q: %d in a run", row, got)
			}
			back := []rune{'~'}
			for i := n - 1; i >= 0; i-- {
				back = append(back, there[i])
			}
			if got := newText(append(back, 'ß')).runs; got[n+1] < n || got[n+2] != 1 {
				t.Errorf("%q backwards: %v", row, got)
			}
		}
	}
	if got := newText([]rune("abcxyzfed")).runs; got[3] != 3 || got[4] != 2 || got[6] != 3 || got[9] != 3 {
		t.Errorf("%v", got)
	}
}
