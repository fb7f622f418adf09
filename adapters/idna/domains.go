// Package idna turns internationalised domain names into their ASCII form.
package idna

import (
	"errors"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"roster/ports/outbound"
)

var _ outbound.Domains = Domains{}

// Domains converts by UTS 46, non-transitional: "ß" stays as it is and does not become "ss", as in browsers and IDNA2008.
// It refuses names that look like others or cannot exist: of ASCII it accepts only letters, digits and hyphens (STD 3), no
// hyphens at the ends of a label, joiners only where they are visible, the bidirectional rule (RFC 5893), the lengths of DNS.
type Domains struct{}

// maxDomain is the maximum length of a domain in bytes, enough for 253 characters outside ASCII. The time of punycode
// grows faster than its input.
const maxDomain = 1024

// errNoDomain does not contain the input, which is personal data.
var errNoDomain = errors.New("idna: no such domain name can exist")

var profile = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true),
	idna.CheckHyphens(true), idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true),
)

// ToASCII returns the ASCII form of domain in lower case, or an error when it has none. It is idempotent.
func (Domains) ToASCII(domain string) (string, error) {
	if len(domain) > maxDomain || !utf8.ValidString(domain) { // x/net would read U+FFFD
		return "", errNoDomain
	}
	ascii, err := profile.ToASCII(domain)
	if err != nil {
		return "", errNoDomain
	}
	return ascii, nil
}
