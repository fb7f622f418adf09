package guessable

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Common reports whether a lower-cased password is one of those that people use most.
type Common func(lower string) bool

// Owner is what is known of the user of a password.
type Owner struct{ FirstName, LastName, Email string }

// MinLength is the fewest characters that a policy may ask for (NIST SP 800-63B-4, 3.1.1.2).
const MinLength = 8

// Blocklist finds passwords that people choose again and again, beyond those of a list: NIST SP
// 800-63B-4 (3.1.1.2) and OWASP ASVS 5.0 (6.2.4) ask for one, and lists of leaked passwords end where
// the minimum length begins to help. It takes a password apart as a guesser puts one together (the
// idea is zxcvbn's: Wheeler, USENIX Security 2016) and adds up what each part costs: a common word, a
// run along the alphabet or the keyboard, a repetition. What is left over after that counts most.
type Blocklist struct {
	common  Common
	service []string // words in lower case
}

// NewBlocklist makes a blocklist over the words of common and further words in lower case, such as the
// service's name.
func NewBlocklist(common Common, words ...string) *Blocklist { return &Blocklist{common, words} }

// What the parts of a password cost, in units of about a bit. Two common words with a number behind
// them are within the budget, three words are not.
const (
	budget = 38

	costOwn    = 4  // a word that belongs to the user or the service
	costRun    = 4  // along an alphabet or a keyboard, or of one character
	costYear   = 4  // of the last century or this one
	costAgain  = 2  // what stands before it, once more
	costWord   = 13 // one of some 20,000
	costDigits = 8  // a number: a year, a date, a telephone's
	costSigns  = 6  // punctuation
	costLetter = 10 // a letter that belongs to nothing
	costOther  = 6  // any other character that does

	costBetween = 3 // a kind of separator
)

const (
	maxBytes  = 1024 // of a password
	minPart   = 3    // characters of a run
	minWord   = 4    // characters of a common word; shorter ones are in everything
	maxPart   = 64   // most characters of a run, word or repetition that is looked at as one
	maxWords  = 64   // most characters of a password in which words are looked for
	maxCommon = 24   // most characters of an entry of a list of common passwords
	maxBlock  = 6    // most characters of a block whose repetition is refused, whatever it is
)

// Matches reports whether lower, a password in lower case, consists of common parts alone. It does not match
// what is shorter than MinLength or longer than 1,024 bytes, and looks up some thousand words at most.
func (b *Blocklist) Matches(lower string, o Owner) bool {
	if len(lower) > maxBytes {
		return false
	}
	whole := []rune(lower)
	if len(whole) < MinLength {
		return false
	}
	if fewCharacters(whole) {
		return true
	}
	if block := period(whole); 2*block <= len(whole) {
		if block <= maxBlock {
			return true
		}
		if block < MinLength {
			block *= 2
		}
		whole = whole[:block]
	}
	own := b.own(o)
	for _, v := range views(whole) {
		t := newText(v.runes)
		found := b.find(t, own)
		if cheap(t, found, v.cost, true) || cheap(t, found, v.cost, false) {
			return true
		}
	}
	return false
}

// own returns the words that an attacker knows of the service and the user.
func (b *Blocklist) own(o Owner) map[string]bool {
	out := map[string]bool{}
	add := func(w string) {
		if n := utf8.RuneCountInString(w); n >= minPart && n <= maxPhrase {
			out[w] = true
		}
	}
	for _, w := range b.service {
		add(w)
	}
	local, domain, _ := strings.Cut(o.Email, "@")
	for _, value := range []string{local, domain, o.FirstName, o.LastName, o.FirstName + " " + o.LastName, o.LastName + " " + o.FirstName} {
		parts := words(strings.ToLower(value))
		for _, w := range append(parts, strings.Join(parts, "")) {
			add(w)
			add(strings.TrimFunc(w, unicode.IsDigit))
		}
	}
	return out
}

// fewCharacters reports whether there are too few different ones for the length: "aaaaaaaabbbbbbbb".
func fewCharacters(s []rune) bool {
	const few, each = 4, 5
	different := map[rune]bool{}
	for _, r := range s {
		if different[r] = true; len(different) > few {
			return false
		}
	}
	return len(different) <= 2 || len(different)*each <= len(s)
}

// period returns the length of the shortest block whose repetition gives s (the last one may be cut), or
// len(s): Knuth, Morris and Pratt's failure function.
func period[T comparable](s []T) int {
	border := make([]int, len(s)+1) // border[i]: length of the longest proper prefix of s[:i] that is also its suffix
	k := 0
	for i := 1; i < len(s); i++ {
		for k > 0 && s[i] != s[k] {
			k = border[k]
		}
		if s[i] == s[k] {
			k++
		}
		border[i+1] = k
	}
	return len(s) - k
}

// view is one arrangement of a password's characters in which parts may show.
type view struct {
	runes []rune
	cost  int // of what was left out
}

// views returns s as it is, without separators, backwards, each second character of it, and one of
// each two that are the same.
func views(s []rune) []view {
	plain := make([]rune, 0, len(s))
	separators := map[rune]bool{}
	for _, r := range s {
		if separator(r) {
			separators[r] = true
			continue
		}
		plain = append(plain, r)
	}
	cost := len(separators) * costBetween
	out := []view{{s, 0}}
	if cost > 0 {
		out = append(out, view{plain, cost})
	}
	backwards := slices.Clone(plain)
	slices.Reverse(backwards)
	woven := make([]rune, 0, len(plain)) // "q1w2e3r4t5y6" is "qwerty" and "123456"
	for start := range 2 {
		for i := start; i < len(plain); i += 2 {
			woven = append(woven, plain[i])
		}
	}
	out = append(out, view{backwards, cost}, view{woven, cost})
	if once, ok := undoubled(plain); ok {
		out = append(out, view{once, cost})
	}
	return out
}

// undoubled returns s with each run of one character cut to one, if all are runs: "112233" is "123".
func undoubled(s []rune) ([]rune, bool) {
	var out []rune
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		if j-i < 2 {
			return nil, false
		}
		out = append(out, s[i])
		i = j
	}
	return out, true
}

func separator(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("-_.,:;/'|~", r) }

// word is a common word that ends somewhere.
type word struct{ length, cost int }

// find returns the words that end at each place of t. No common password is longer than maxWords.
func (b *Blocklist) find(t *text, own map[string]bool) [][]word {
	out := make([][]word, len(t.runes)+1)
	if len(t.runes) > maxWords {
		return out
	}
	for i := range out {
		for n := minPart; n <= min(i, maxPhrase); n++ {
			for _, w := range t.spellings(i-n, i) {
				switch {
				case own[w]:
					out[i] = append(out[i], word{n, costOwn})
				case n >= minWord && (phrases[w] || n <= maxCommon && b.common(w)):
					out[i] = append(out[i], word{n, costWord})
				}
			}
		}
	}
	return out
}

// part is the cheapest cover of a prefix of the password.
type part struct {
	cost    int // of the whole prefix
	covered int // characters of it in words, runs and repetitions
	strong  int // characters of the longest of those
}

// cheap reports whether common parts cover t within the budget, rather than digits and punctuation that are
// adjacent by chance, as in random passwords. With trimmings, adjacent ones count as one part.
func cheap(t *text, found [][]word, cost int, trimmings bool) bool {
	const strong = 5 // characters of a part that is not there by accident
	n := len(t.runes)
	best := make([]part, n+1)
	best[0].cost = cost
	for i := 1; i <= n; i++ {
		best[i] = part{cost: 1 << 30}
		try := func(length, cost int, counts bool) {
			p := best[i-length]
			p.cost += cost
			if counts {
				p.covered += length
				p.strong = max(p.strong, length)
			}
			if p.cost < best[i].cost || p.cost == best[i].cost && p.covered > best[i].covered {
				best[i] = p
			}
		}
		if trimmings {
			t.trimmings(i, try)
		}
		t.patterns(i, try)
		for _, w := range found[i] {
			try(w.length, w.cost, true)
		}
	}
	return best[n].cost <= budget && (best[n].strong >= strong || 4*best[n].covered > 3*n)
}
