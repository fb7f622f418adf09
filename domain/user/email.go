package user

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	"roster/domain/field"
)

// Email is an address that passed the syntax check, in two forms: as it is shown, and its key.
type Email struct{ address, key string }

// ToASCII turns an internationalised domain into its ASCII form (IDNA, RFC 5891). It fails when the
// domain has none.
type ToASCII func(domain string) (string, error)

// MaxEmail is the most characters an address may have (RFC 5321; Django's EmailField).
const MaxEmail = 254

// The grammar of Django's EmailValidator (django.core.validators, 3.2), which existing users passed.
var (
	dotAtom = regexp.MustCompile(`^[-!#$%&'*+/=?^_` + "`" + `{}|~0-9A-Za-z]+(\.[-!#$%&'*+/=?^_` + "`" + `{}|~0-9A-Za-z]+)*$`)
	quoted  = regexp.MustCompile(`^"([\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$`)
	label   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	topmost = regexp.MustCompile(`^[A-Za-z0-9-]{2,63}$`)
	literal = regexp.MustCompile(`^\[([A-Fa-f0-9:.]+)\]$`)
)

// ParseEmail checks text against Django's email syntax and returns the address. Blanks at the ends
// are cut, the domain is lower-cased as Django's normalize_email does, the local part is kept.
// ErrBadEmail says that it is no address. Beyond Django it refuses control, format (zero-width,
// bidirectional) and other invisible characters, which make two addresses look like one.
func ParseEmail(text string, toASCII ToASCII) (Email, error) {
	text = field.Strip(text)
	at := strings.LastIndexByte(text, '@')
	if at < 1 {
		return Email{}, ErrBadEmail
	}
	local, domain := text[:at], lower(text[at+1:])
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
		key:     strings.ToLower(plainest(local)) + "@" + strings.ToLower(canonical(ascii)),
	}, nil
}

// lower is Python's str.lower where Go differs: "İ" becomes an i with its dot above as a mark, not a
// plain i, which would make another domain of it.
func lower(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "\u0130", "i\u0307"))
}

// String returns the address as it is shown.
func (e Email) String() string { return e.address }

// Key returns the canonical form: local part and domain in lower case, the local part without quotes
// that it does not need, the domain in ASCII. Two addresses with one key are one mailbox to us: one
// account, one sign-in.
func (e Email) Key() string { return e.key }

// plainest spells a local part with as few quotes as can be: "a" and "\a" are a (RFC 5321, 4.1.2).
func plainest(local string) string {
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

// canonical spells an address literal in the one way that RFC 5952 recommends.
func canonical(domain string) string {
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
	if len(labels) < 2 || !topmost.MatchString(last) || strings.HasSuffix(last, "-") {
		return false
	}
	for _, l := range labels[:len(labels)-1] {
		if !label.MatchString(l) {
			return false
		}
	}
	return true
}

// blankBraille shows as a gap, but is a symbol to Unicode and to IDNA.
const blankBraille = '\u2800'

func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		r == blankBraille || r == unicode.ReplacementChar
}
