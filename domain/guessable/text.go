package guessable

import (
	"strings"
	"unicode"
)

// text is a lower-case password, prepared for Blocklist. Slices of numbers hold, for each position, the length of
// the group of characters that ends there.
type text struct {
	runes       []rune
	digits      []int // decimal digits
	punctuation []int // neither letters nor digits
	same        []int // equal characters
	runs        []int // neighbours in an alphabet or on a keyboard

	variants []string // the text as given, and with substitutes replaced by letters (see leet)
	offsets  [][]int  // byte offset of each character, by variant
	letters  []int    // number of letters before each position
}

func newText(s []rune) *text {
	n := len(s) + 1
	t := &text{runes: s, digits: make([]int, n), punctuation: make([]int, n), same: make([]int, n), runs: make([]int, n),
		letters: make([]int, n)}
	var along [rowBits]int // length of the run that ends here, by row
	for i, r := range s {
		at, letter := i+1, unicode.IsLetter(r)
		t.letters[at] = t.letters[i]
		switch {
		case unicode.IsDigit(r):
			t.digits[at] = t.digits[i] + 1
		case letter:
			t.letters[at]++
		default:
			t.punctuation[at] = t.punctuation[i] + 1
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
	t.addSpelling(s)
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
			t.addSpelling(other)
		}
	}
	return t
}

func (t *text) addSpelling(s []rune) {
	offsets := make([]int, 0, len(s)+1)
	var b strings.Builder
	for _, r := range s {
		offsets = append(offsets, b.Len())
		b.WriteRune(r)
	}
	t.variants = append(t.variants, b.String())
	t.offsets = append(t.offsets, append(offsets, b.Len()))
}

// spellings returns the part from i to j as given and, when at least half of it are letters, with substitutes
// replaced by letters.
func (t *text) spellings(i, j int) []string {
	out := make([]string, 0, 1+len(leet))
	for k, form := range t.variants {
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

// repeats reports whether the n characters before i repeat the n characters before them.
func (t *text) repeats(i, n int) bool {
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
		if t.repeats(i, n) {
			try(n, costRepeat, true)
		}
	}
}

// fillers calls try with each group of digits and of punctuation that ends at i.
func (t *text) fillers(i int, try func(length, cost int, counts bool)) {
	for n := 2; n <= min(t.digits[i], maxPart); n++ {
		try(n, costDigits, false)
	}
	for n := 2; n <= min(t.punctuation[i], maxPart); n++ {
		try(n, costPunctuation, false)
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

// leet maps characters to the letters that they substitute, in two readings of the ambiguous ones.
var leet = [2]map[rune]rune{
	{'@': 'a', '4': 'a', '8': 'b', '(': 'c', '3': 'e', '€': 'e', '6': 'g', '9': 'g', '1': 'i', '!': 'i', '|': 'l', '0': 'o', '5': 's',
		'$': 's', '7': 't', '+': 't', '2': 'z'},
	{'@': 'a', '4': 'a', '8': 'b', '<': 'c', '3': 'e', '€': 'e', '6': 'b', '9': 'q', '1': 'l', '!': 'l', '|': 'i', '0': 'o', '5': 's',
		'$': 's', '7': 'l', '+': 't', '2': 'z'},
}
