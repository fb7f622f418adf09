// Package acme runs Pebble, Let's Encrypt's own ACME server for tests, inside the test and on sockets of
// this machine.
package acme

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority is a certificate authority with ACME. It validates every host at 127.0.0.1, by tls-alpn-01 at the port of
// Validate.
type Authority struct {
	Directory string       // URL that a client begins at
	Client    *http.Client // trusts the authority's own socket

	t      *testing.T
	on     *httptest.Server
	front  atomic.Pointer[http.Handler] // nil until Validate
	issuer *ca.CAImpl
}

// Start starts an authority for one test. It has sockets, but answers once Validate was called.
func Start(t *testing.T) *Authority {
	t.Helper()
	a := &Authority{t: t}
	a.on = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := a.front.Load()
		if h == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		(*h).ServeHTTP(w, r)
	}))
	t.Cleanup(a.on.Close)
	a.Directory, a.Client = a.on.URL+wfe.DirectoryPath, a.on.Client()
	return a
}

// Validate sets the port at which the hosts are validated to that of address.
func (a *Authority) Validate(address string) {
	a.t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		a.t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	a.t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	a.issuer = ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "of the test"}})
	validation := va.New(quiet, 0, port, true, nameServer(a.t), store)
	front := wfe.New(quiet, store, validation, a.issuer, []string{"ca.example"}, true, false, 1, 1)
	h := front.Handler()
	a.front.Store(&h)
}

// Roots is what a client of a certified service trusts.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.issuer.GetRootCert(0).Cert)
	return pool
}

// PEM is the certificate of the authority's own socket.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.on.Certificate().Raw})
}

// Stop takes the authority away.
func (a *Authority) Stop() { a.on.Close() }

// nameServer answers every question for an IPv4 address with 127.0.0.1.
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
