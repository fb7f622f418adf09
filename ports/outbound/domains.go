package outbound

// Domains converts internationalised domain names.
type Domains interface {
	// ToASCII returns the ASCII form of domain (RFC 5891, UTS 46). It fails when there is none.
	ToASCII(domain string) (string, error)
}
