package outbound

// Domains knows internationalised domain names.
type Domains interface {
	// ToASCII returns the ASCII form of domain (RFC 5891, UTS 46), or an error when it has none.
	ToASCII(domain string) (string, error)
}
