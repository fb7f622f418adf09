package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

const host = "id.example.org"

// authority is Pebble, Let's Encrypt's own ACME server for tests, on sockets of this machine. It looks
// for the hosts that it validates at 127.0.0.1.
type authority struct {
	*httptest.Server
	ca *ca.CAImpl
}

func newAuthority(t *testing.T, tlsPort int) authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "of the test"}})
	validation := va.New(quiet, 0, tlsPort, true, nameServer(t), store)
	front := wfe.New(quiet, store, validation, issuer, []string{"ca.example"}, true, false, 1, 1)
	on := httptest.NewTLSServer(front.Handler())
	t.Cleanup(on.Close)
	return authority{on, issuer}
}

// directory is the URL that an ACME client begins at.
func (a authority) directory() string { return a.URL + wfe.DirectoryPath }

// roots is what a client of the certified service trusts.
func (a authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.ca.GetRootCert(0).Cert)
	return pool
}

// nameServer answers every question for an address with 127.0.0.1.
func nameServer(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if question := q.Question[0]; question.Qtype == dns.TypeA {
			answer.Answer = append(answer.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET},
				A:   net.IPv4(127, 0, 0, 1),
			})
		}
		_ = w.WriteMsg(answer)
	})}
	go func() { _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { _ = srv.Shutdown() })
	return l.Addr().String()
}

// later is a configuration that is not known yet when the socket is: the authority must be told the
// socket's port.
func later(c *atomic.Pointer[tls.Config]) *tls.Config {
	return &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.Load(), nil },
		GetCertificate:     func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil },
	}
}

// A certificate is asked for when the first client wants it, kept, and used after a restart without
// asking again.
func TestCertificatesByACME(t *testing.T) {
	var config atomic.Pointer[tls.Config]
	address := serve(t, later(&config))
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	tlsPort, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t, tlsPort)
	cache := filepath.Join(t.TempDir(), "acme")
	options := ACME{Hosts: []string{host}, Directory: a.directory(), Cache: cache, HTTP: a.Client()}
	config.Store(options.Config())

	first, err := dial(t, address, &tls.Config{ServerName: host, RootCAs: a.roots()})
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]string{"another host": "other.example.org", "no host": ""} {
		if _, err := dial(t, address, &tls.Config{ServerName: of, InsecureSkipVerify: true}); err == nil {
			t.Errorf("%s gets a certificate", name)
		}
	}
	if _, err := dial(t, address, &tls.Config{ServerName: host, RootCAs: a.roots(), MaxVersion: tls.VersionTLS11}); err == nil {
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
	a.Close()
	config.Store(options.Config())
	again, err := dial(t, address, &tls.Config{ServerName: host, RootCAs: a.roots()})
	if err != nil {
		t.Fatalf("after a restart, with the authority away: %v", err)
	}
	if !again.ConnectionState().PeerCertificates[0].Equal(first.ConnectionState().PeerCertificates[0]) {
		t.Error("another certificate is shown")
	}
}
