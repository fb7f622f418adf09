package certificate

import (
	"crypto/tls"
	"net/http"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME gets certificates from an ACME server (RFC 8555). The service proves its control of a host name in a TLS handshake
// at port 443 (tls-alpn-01, RFC 8737).
type ACME struct {
	Hosts     []string     // the only names to get certificates for
	Directory string       // URL of the ACME server's directory
	Cache     string       // directory of account and certificates; created with mode 0700
	HTTP      *http.Client // client for the ACME server; nil for the default one
}

// Config returns the configuration of a server with these certificates. It requests each at the first handshake that
// names its host, and renews it in time. It accepts the terms of the ACME server.
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
