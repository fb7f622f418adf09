package guessable

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Common reports whether a lower-case password is in a list of common passwords.
type Common func(lower string) bool

// Owner is the user of a password.
type Owner struct{ FirstName, LastName, Email string }

// MinLength is the smallest minimum length of a password in characters (NIST SP 800-63B-4, 3.1.1.2).
const MinLength = 8

// Blocklist finds common passwords that no list contains, as NIST SP 800-63B-4 (3.1.1.2) and OWASP ASVS 5.0 (6.2.4)
// demand: lists of leaked passwords have few entries of the minimum length. It splits a password into parts that a
// guesser would combine (as zxcvbn does: Wheeler, USENIX Security 2016), such as common words, runs along the
// alphabet or the keyboard, and repetitions, and adds up their costs. Characters that belong to no part cost most.
type Blocklist struct {
	common  Common
	service []string // words in lower case
}

// NewBlocklist returns a blocklist with the words of common and further lower-case words, such as the name of the
// service.
func NewBlocklist(common Common, words ...string) *Blocklist { return &Blocklist{common, words} }

// The costs of the parts of a password, in units of about one bit. Two common words followed by a number are within
// the budget, three words are not.
const (
	budget = 38

	costPersonal    = 4  // a word related to the user or the service
	costRun         = 4  // a run along an alphabet or a keyboard, or of one character
	costYear        = 4  // a year of the last century or this one
	costRepeat      = 2  // a repetition of the part before it
	costWord        = 13 // a word of a list of some 20,000
	costDigits      = 8  // a number, such as a date or a telephone number
	costPunctuation = 6  // several punctuation characters
	costLetter      = 10 // a letter outside of any other part
	costOther       = 6  // any other character outside of any other part

	costBetween = 3 // each kind of separator that is removed
)

const (
	maxBytes  = 1024 // of a password
	minPart   = 3    // shortest run, in characters
	minWord   = 4    // shortest common word, in characters; shorter ones occur in any password
	maxPart   = 64   // longest run, word or repetition, in characters
	maxWords  = 64   // longest password that is searched for words, in characters
	maxCommon = 24   // longest entry of a list of common passwords, in characters
	maxBlock  = 6    // longest block, in characters, that is refused when repeated, whatever it is
)

// Matches reports whether lower, a lower-case password, consists of common parts only. It returns false for
// passwords shorter than MinLength or longer than 1,024 bytes. It looks up a few thousand words at most.
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
	personal := b.personalWords(o)
	for _, v := range views(whole) {
		t := newText(v.runes)
		found := b.find(t, personal)
		if withinBudget(t, found, v.cost, true) || withinBudget(t, found, v.cost, false) {
			return true
		}
	}
	return false
}

// personalWords returns the words that an attacker derives from the service and the user.
func (b *Blocklist) personalWords(o Owner) map[string]bool {
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

// fewCharacters reports whether s has too few distinct characters for its length: "aaaaaaaabbbbbbbb".
func fewCharacters(s []rune) bool {
	const few, each = 4, 5
	distinct := map[rune]bool{}
	for _, r := range s {
		if distinct[r] = true; len(distinct) > few {
			return false
		}
	}
	return len(distinct) <= 2 || len(distinct)*each <= len(s)
}

// period returns the length of the shortest block whose repetition gives s (the last one may be cut), or len(s). It
// uses the failure function of Knuth, Morris and Pratt.
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

// view is an arrangement of the characters of a password in which parts may become visible.
type view struct {
	runes []rune
	cost  int // of the separators that were removed
}

// views returns s as it is, without separators, reversed, with the characters at even places before those at odd
// ones, and with doubled characters made single.
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
	deinterleaved := make([]rune, 0, len(plain)) // "q1w2e3r4t5y6" is "qwerty" and "123456"
	for start := range 2 {
		for i := start; i < len(plain); i += 2 {
			deinterleaved = append(deinterleaved, plain[i])
		}
	}
	out = append(out, view{backwards, cost}, view{deinterleaved, cost})
	if once, ok := undoubled(plain); ok {
		out = append(out, view{once, cost})
	}
	return out
}

// undoubled returns s with each run of equal characters reduced to one: "112233" becomes "123". ok is false when
// some character stands alone.
func undoubled(s []rune) (single []rune, ok bool) {
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		if j-i < 2 {
			return nil, false
		}
		single = append(single, s[i])
		i = j
	}
	return single, true
}

func separator(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("-_.,:;/'|~", r) }

// word is a common word at a position.
type word struct{ length, cost int }

// find returns the words that end at each position of t, and none when t is longer than maxWords.
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
					out[i] = append(out[i], word{n, costPersonal})
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
	cost    int // of the prefix
	covered int // characters in words, runs and repetitions
	strong  int // characters of the longest of these
}

// withinBudget reports whether common parts cover t within the budget. Covers that consist mostly of adjacent digits
// and punctuation do not count, since random passwords have them too. With fillers, adjacent digits and adjacent
// punctuation count as one part each.
func withinBudget(t *text, found [][]word, cost int, fillers bool) bool {
	const strong = 5 // characters of a part that is unlikely by chance
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
		if fillers {
			t.fillers(i, try)
		}
		t.patterns(i, try)
		for _, w := range found[i] {
			try(w.length, w.cost, true)
		}
	}
	return best[n].cost <= budget && (best[n].strong >= strong || 4*best[n].covered > 3*n)
}
