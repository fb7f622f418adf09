package lockout

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
)

// Subject is what failures are counted for. It contains digests instead of texts from the client, since users type
// passwords in the wrong field.
type Subject string

// Account is the common prefix of the subjects of one email key, whether or not a user has it. No other subject has
// this prefix.
type Account string

// ForAccount returns the account of an email key.
func ForAccount(emailKey string) Account { return Account("account/" + digest(emailKey) + "/") }

// At returns the subject of attempts on the account from the network of a client address.
func (a Account) At(address string) Subject { return Subject(a) + Subject(digest(Network(address))) }

// FromNewNetworks returns the subject of attempts on the account from all networks that are new to it.
func (a Account) FromNewNetworks() Subject { return Subject(a) + "elsewhere" }

// Has reports whether s is a subject of the account.
func (a Account) Has(s Subject) bool { return strings.HasPrefix(string(s), string(a)) }

// Range returns the bounds of the account's subjects in byte order: first is inclusive, end exclusive.
func (a Account) Range() (first, end Subject) {
	const afterSlash = "0"
	return Subject(a), Subject(strings.TrimSuffix(string(a), "/") + afterSlash)
}

// ForAddress returns the subject of all attempts from the network of a client address.
func ForAddress(address string) Subject { return Subject("address/" + digest(Network(address))) }

// Network returns the network of a client address: the address itself for IPv4, and its /64 for IPv6, since a client
// usually has all of one (RFC 6177). Text that is no address is returned as it is.
func Network(address string) string {
	const ipv6Site = 64 // bits
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, ipv6Site).Masked().String()
	}
	return a.String()
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
