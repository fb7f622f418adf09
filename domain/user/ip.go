package user

import "net/netip"

// isIP reports whether s is an address as an email's domain literal may hold it: no zone, and no
// IPv4 address in IPv6 clothes written with its brackets' tag (RFC 5321 "IPv6:" is refused by Django).
func isIP(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}
