package user

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	"roster/domain/field"
)

// Email is an email address with valid syntax. It has two forms: the address as shown, and its key.
type Email struct{ address, key string }

// ToASCII returns the ASCII form of an internationalised domain (IDNA, RFC 5891), or an error when there is none.
type ToASCII func(domain string) (string, error)

// MaxEmail is the maximum length of an address in characters (RFC 5321; Django's EmailField).
const MaxEmail = 254

// The grammar of Django's EmailValidator (django.core.validators, 3.2), which accepted the addresses of existing users.
var (
	dotAtom  = regexp.MustCompile(`^[-!#$%&'*+/=?^_` + "`" + `{}|~0-9A-Za-z]+(\.[-!#$%&'*+/=?^_` + "`" + `{}|~0-9A-Za-z]+)*$`)
	quoted   = regexp.MustCompile(`^"([\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$`)
	label    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	topLabel = regexp.MustCompile(`^[A-Za-z0-9-]{2,63}$`)
	literal  = regexp.MustCompile(`^\[([A-Fa-f0-9:.]+)\]$`)
)

// ParseEmail parses text by Django's email syntax. It strips white space at both ends, converts the domain to lower
// case as Django's normalize_email does, and keeps the local part. Unlike Django it refuses control, format
// (zero-width, bidirectional) and other invisible characters, since they make two addresses look the same. It fails
// with ErrBadEmail.
func ParseEmail(text string, toASCII ToASCII) (Email, error) {
	text = field.Strip(text)
	at := strings.LastIndexByte(text, '@')
	if at < 1 {
		return Email{}, ErrBadEmail
	}
	local, domain := text[:at], lowerDomain(text[at+1:])
	if !dotAtom.MatchString(local) && !quoted.MatchString(local) || strings.ContainsFunc(text, invisible) {
		return Email{}, ErrBadEmail
	}
	ascii := domain
	if !isDomain(domain) {
		var err error
		if ascii, err = toASCII(domain); err != nil || !isDomain(ascii) {
			return Email{}, ErrBadEmail
		}
	}
	return Email{
		address: local + "@" + domain,
		key:     strings.ToLower(minimalQuotes(local)) + "@" + strings.ToLower(canonicalLiteral(ascii)),
	}, nil
}

// lowerDomain converts s to lower case as Python's str.lower does. Go converts "İ" to a plain i, which would be
// another domain; Python keeps the dot as a combining mark.
func lowerDomain(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "\u0130", "i\u0307"))
}

// RestoreEmail returns the address with these forms, from storage.
func RestoreEmail(address, key string) Email { return Email{address, key} }

// String returns the address as shown.
func (e Email) String() string { return e.address }

// Key returns the canonical form: local part and domain in lower case, the local part without unnecessary quotes,
// the domain in ASCII. Addresses with the same key belong to the same account.
func (e Email) Key() string { return e.key }

// minimalQuotes removes unnecessary quotes and escapes from a local part: "a" and "\a" are the same as a (RFC 5321,
// 4.1.2).
func minimalQuotes(local string) string {
	if local[0] != '"' {
		return local
	}
	var bare, escaped strings.Builder
	for i := 1; i < len(local)-1; i++ {
		if local[i] == '\\' {
			i++
		}
		bare.WriteByte(local[i])
		if strings.IndexByte(" \"\\", local[i]) >= 0 {
			escaped.WriteByte('\\')
		}
		escaped.WriteByte(local[i])
	}
	if dotAtom.MatchString(bare.String()) {
		return bare.String()
	}
	return `"` + escaped.String() + `"`
}

// canonicalLiteral returns an address literal in the spelling of RFC 5952, and any other domain as it is.
func canonicalLiteral(domain string) string {
	if m := literal.FindStringSubmatch(domain); m != nil {
		if a, err := netip.ParseAddr(m[1]); err == nil {
			return "[" + a.Unmap().String() + "]"
		}
	}
	return domain
}

func isDomain(d string) bool {
	if d == "localhost" {
		return true
	}
	if m := literal.FindStringSubmatch(d); m != nil {
		return isIP(m[1])
	}
	labels := strings.Split(d, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || !topLabel.MatchString(last) || strings.HasSuffix(last, "-") {
		return false
	}
	for _, l := range labels[:len(labels)-1] {
		if !label.MatchString(l) {
			return false
		}
	}
	return true
}

// blankBraille looks like a space, but Unicode and IDNA classify it as a symbol.
const blankBraille = '\u2800'

func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		r == blankBraille || r == unicode.ReplacementChar
}
