package certificate

import (
	"crypto/tls"
	"net/http"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME is where certificates come from by themselves (RFC 8555). The server proves that a name is its
// own in a handshake at port 443 (tls-alpn-01, RFC 8737).
type ACME struct {
	Hosts     []string     // names to get certificates for, and no others
	Directory string       // URL of the ACME server's directory
	Cache     string       // directory of account and certificates; made with mode 0700
	HTTP      *http.Client // speaks to the ACME server; nil for the usual one
}

// Config returns the configuration of a server with these certificates. Each is asked for at the first
// handshake that names its host, and renewed in time. The ACME server's terms are accepted.
func (a ACME) Config() *tls.Config {
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(a.Cache),
		HostPolicy: autocert.HostWhitelist(a.Hosts...),
		Client:     &acme.Client{DirectoryURL: a.Directory, HTTPClient: a.HTTP, UserAgent: "roster"},
	}
	c := m.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	return c
}
