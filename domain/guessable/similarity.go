package guessable

import (
	"strings"
	"unicode"
)

// maxSimilarity is the ratio at which a password is too similar to an attribute.
const maxSimilarity = 0.7

// Similar reports whether a lower-case password is too similar to a lower-case attribute or to one of its words, as
// Django's UserAttributeSimilarityValidator does.
func Similar(password, value string) bool {
	if value == "" {
		return false
	}
	counts, n := count(password)
	for _, part := range append(words(value), value) {
		pc, m := count(part)
		if n >= 10*m && float64(m) < maxSimilarity/2*float64(n) {
			continue // too short to be similar (Django's exceeds_maximum_length_ratio)
		}
		both := 0
		for r, k := range pc {
			both += min(k, counts[r])
		}
		// difflib's quick_ratio ignores the order of characters.
		if n+m > 0 && 2*float64(both)/float64(n+m) >= maxSimilarity {
			return true
		}
	}
	return false
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
}

func count(s string) (counts map[rune]int, n int) {
	counts = map[rune]int{}
	for _, r := range s {
		counts[r]++
		n++
	}
	return counts, n
}
