package user

import "net/netip"

// isIP reports whether s is an address as an email's domain literal may hold it: without a zone, and
// without the tag "IPv6:" that RFC 5321 puts before it and Django refuses.
func isIP(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}
