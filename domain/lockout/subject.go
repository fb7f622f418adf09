package lockout

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
)

// Subject is what failures are counted for. It holds no text that a client gave: what is typed in the
// wrong field must not end in a database.
type Subject string

// Account stands for all attempts with one email key, whether or not a user has it. All its subjects, and
// no others, begin with it.
type Account string

// ForAccount returns the account of an email key.
func ForAccount(emailKey string) Account { return Account("account/" + digest(emailKey) + "/") }

// At returns the subject of the account's attempts from the network of one client's address.
func (a Account) At(address string) Subject { return Subject(a) + Subject(digest(Network(address))) }

// Elsewhere returns the subject of the account's attempts from all networks that are new to it.
func (a Account) Elsewhere() Subject { return Subject(a) + "elsewhere" }

// Has reports whether s is one of the account's subjects.
func (a Account) Has(s Subject) bool { return strings.HasPrefix(string(s), string(a)) }

// Range returns the bounds of the account's subjects in the order of their bytes: all are at or after
// first and before end.
func (a Account) Range() (first, end Subject) {
	const afterSlash = "0"
	return Subject(a), Subject(strings.TrimSuffix(string(a), "/") + afterSlash)
}

// ForAddress returns the subject of all attempts from the network of one client's address, whatever the
// account.
func ForAddress(address string) Subject { return Subject("address/" + digest(Network(address))) }

// Network returns what of a client's address distinguishes it from other clients: of IPv6 the /64, all of
// which a client has that has one address in it (RFC 6177). Text that is no address is taken as it is.
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
