package certificate

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"roster/test/support/acme"
)

const host = "id.example.org"

// later is a configuration that is made after the socket, since the authority needs the port of the socket.
func later(c *atomic.Pointer[tls.Config]) *tls.Config {
	return &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.Load(), nil },
		GetCertificate:     func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil },
	}
}

// A certificate is requested for the first client, stored, and used after a restart without a new request.
func TestCertificatesByACME(t *testing.T) {
	var config atomic.Pointer[tls.Config]
	address := serve(t, later(&config))
	a := acme.Start(t)
	a.Validate(address)
	cache := filepath.Join(t.TempDir(), "acme")
	options := ACME{Hosts: []string{host}, Directory: a.Directory, Cache: cache, HTTP: a.Client}
	config.Store(options.Config())

	first, err := dial(t, address, &tls.Config{ServerName: host, RootCAs: a.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]string{"another host": "other.example.org", "no host": ""} {
		if _, err := dial(t, address, &tls.Config{ServerName: of, InsecureSkipVerify: true}); err == nil {
			t.Errorf("%s gets a certificate", name)
		}
	}
	if _, err := dial(t, address, &tls.Config{ServerName: host, RootCAs: a.Roots(), MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}

	if info, err := os.Stat(cache); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache: %v, %v", info, err)
	}
	files, err := os.ReadDir(cache)
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is kept: %v", err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info, err)
		}
	}
	a.Stop()
	config.Store(options.Config())
	again, err := dial(t, address, &tls.Config{ServerName: host, RootCAs: a.Roots()})
	if err != nil {
		t.Fatalf("after a restart, with the authority away: %v", err)
	}
	if !again.ConnectionState().PeerCertificates[0].Equal(first.ConnectionState().PeerCertificates[0]) {
		t.Error("another certificate is shown")
	}
}
