package password

import (
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"

	"roster/domain/guessable"
)

// commonGzip is Django's list, unchanged; see NOTICE.
//
//go:embed common-passwords.txt.gz
var commonGzip string

// Common returns the test for Django's 19,727 most common passwords
// (django.contrib.auth.password_validation.CommonPasswordValidator). Its first use unpacks the list, which takes 160 KiB.
func Common() guessable.Common {
	return func(lower string) bool { return common().has(lower) }
}

var common = sync.OnceValue(func() wordlist {
	z, err := gzip.NewReader(strings.NewReader(commonGzip))
	if err != nil {
		panic("password: embedded list: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("password: embedded list: " + err.Error())
	}
	return newWordlist(strings.Split(string(text), "\n"))
})

// wordlist is sorted words, each with a line feed after it, which needs no more memory than the words.
type wordlist string

func newWordlist(words []string) wordlist {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	slices.Sort(words)
	return wordlist(strings.Join(words, "\n") + "\n")
}

// has searches the list by bisection.
func (l wordlist) has(word string) bool {
	lo, hi := 0, len(l) // begins of lines, between which word may be
	for lo < hi {
		mid := (lo + hi) / 2
		begin := lo + strings.LastIndexByte(string(l[lo:mid]), '\n') + 1
		end := begin + strings.IndexByte(string(l[begin:]), '\n')
		switch line := string(l[begin:end]); {
		case line == word:
			return true
		case line < word:
			lo = end + 1
		default:
			hi = begin
		}
	}
	return false
}
