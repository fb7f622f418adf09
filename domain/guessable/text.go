package guessable

import (
	"strings"
	"unicode"
)

// text is a password in lower case, prepared for Blocklist. The slices of numbers hold for each position how
// many characters directly before it belong together.
type text struct {
	runes  []rune
	digits []int // decimal digits
	signs  []int // neither letters nor digits
	same   []int // one character over and over
	runs   []int // neighbours on an alphabet or a keyboard

	forms   []string // the spellings: as given, and with what stands for letters undone
	offsets [][]int  // where each character begins in a spelling, in bytes
	letters []int    // letters before each place
}

func newText(s []rune) *text {
	n := len(s) + 1
	t := &text{runes: s, digits: make([]int, n), signs: make([]int, n), same: make([]int, n), runs: make([]int, n), letters: make([]int, n)}
	var along [rowBits]int // characters of the run that ends here, by row
	for i, r := range s {
		at, letter := i+1, unicode.IsLetter(r)
		t.letters[at] = t.letters[i]
		switch {
		case unicode.IsDigit(r):
			t.digits[at] = t.digits[i] + 1
		case letter:
			t.letters[at]++
		default:
			t.signs[at] = t.signs[i] + 1
		}
		t.same[at], t.runs[at] = 1, 1
		if i == 0 {
			for row := range along {
				along[row] = 1
			}
			continue
		}
		if s[i-1] == r {
			t.same[at] = t.same[i] + 1
		}
		step := neighbours[[2]rune{s[i-1], r}]
		for row := range along {
			if along[row]++; step&(1<<row) == 0 {
				along[row] = 1
			}
			t.runs[at] = max(t.runs[at], along[row])
		}
	}
	t.spell(s)
	for _, undo := range leet {
		other := make([]rune, len(s))
		changed := false
		for i, r := range s {
			other[i] = r
			if letter, ok := undo[r]; ok {
				other[i], changed = letter, true
			}
		}
		if changed {
			t.spell(other)
		}
	}
	return t
}

func (t *text) spell(s []rune) {
	offsets := make([]int, 0, len(s)+1)
	var b strings.Builder
	for _, r := range s {
		offsets = append(offsets, b.Len())
		b.WriteRune(r)
	}
	t.forms = append(t.forms, b.String())
	t.offsets = append(t.offsets, append(offsets, b.Len()))
}

// spellings returns the part from i to j as given, and if half of it are letters anyway, with the
// letters that its other characters stand for.
func (t *text) spellings(i, j int) []string {
	out := make([]string, 0, 1+len(leet))
	for k, form := range t.forms {
		if k > 0 && 2*(t.letters[j]-t.letters[i]) < j-i {
			break
		}
		w := form[t.offsets[k][i]:t.offsets[k][j]]
		if k == 0 || w != out[0] {
			out = append(out, w)
		}
	}
	return out
}

// again reports whether the n characters before i repeat the n before them.
func (t *text) again(i, n int) bool {
	for k := i - n; k < i; k++ {
		if t.runes[k] != t.runes[k-n] {
			return false
		}
	}
	return true
}

// patterns calls try with each part that ends at i and needs no list: a single character, a run, a year, a
// repetition.
func (t *text) patterns(i int, try func(length, cost int, counts bool)) {
	single := costOther
	if unicode.IsLetter(t.runes[i-1]) {
		single = costLetter
	}
	try(1, single, false)
	for n := minPart; n <= min(max(t.same[i], t.runs[i]), maxPart); n++ {
		try(n, costRun, true)
	}
	if t.year(i) {
		try(4, costYear, true)
	}
	for n := 2; n <= min(i/2, maxPart); n++ {
		if t.again(i, n) {
			try(n, costAgain, true)
		}
	}
}

// trimmings calls try with the digits and the punctuation that end at i.
func (t *text) trimmings(i int, try func(length, cost int, counts bool)) {
	for n := 2; n <= min(t.digits[i], maxPart); n++ {
		try(n, costDigits, false)
	}
	for n := 2; n <= min(t.signs[i], maxPart); n++ {
		try(n, costSigns, false)
	}
}

// year reports whether a year of the last century or this one ends at i.
func (t *text) year(i int) bool {
	if t.digits[i] < 4 {
		return false
	}
	century := string(t.runes[i-4 : i-2])
	return century == "19" || century == "20"
}

// leet maps characters to the letters that they stand for, in two readings of the ambiguous ones.
var leet = [2]map[rune]rune{
	{'@': 'a', '4': 'a', '8': 'b', '(': 'c', '3': 'e', '€': 'e', '6': 'g', '9': 'g', '1': 'i', '!': 'i', '|': 'l', '0': 'o', '5': 's', '$': 's', '7': 't', '+': 't', '2': 'z'},
	{'@': 'a', '4': 'a', '8': 'b', '<': 'c', '3': 'e', '€': 'e', '6': 'b', '9': 'q', '1': 'l', '!': 'l', '|': 'i', '0': 'o', '5': 's', '$': 's', '7': 'l', '+': 't', '2': 'z'},
}
