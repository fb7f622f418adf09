// Package idna turns internationalised domain names into their ASCII form.
package idna

import (
	"errors"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"roster/ports/outbound"
)

var _ outbound.Domains = Domains{}

// Domains implements outbound.Domains by UTS 46, non-transitional: "ß" stays itself rather than
// become "ss", as browsers and IDNA2008 have it. It is strict where two names could look like one or
// a name could not exist: among ASCII only letters, digits and hyphens (STD 3), no hyphens at a
// label's ends, joiners only where they show, the bidirectional rule (RFC 5893), DNS's lengths.
type Domains struct{}

// maxDomain is the most bytes that are looked at. A domain of DNS's 253 characters, all outside
// ASCII, is no longer; the time of punycode grows faster than its input.
const maxDomain = 1024

// errNoDomain says nothing of the input, which is a person's.
var errNoDomain = errors.New("idna: no such domain name can exist")

var profile = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true),
	idna.CheckHyphens(true), idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true),
)

// ToASCII returns the ASCII form of domain in lower case, or an error when it has none. It does not
// change its own results.
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
