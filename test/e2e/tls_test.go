package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"roster/test/support/acme"
	"roster/test/support/process"
)

// certify writes a new certificate for 127.0.0.1 and its key to two files, and returns a pool that trusts it.
func certify(t *testing.T, cert, key string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path+".new", pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return roots
}

// get makes a request over TLS, on a connection of its own.
func get(t *testing.T, s *process.Server, roots *x509.CertPool, path string) (*http.Response, string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.Process().Address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// connect opens a connection and sends nothing. It is closed at the end of the test.
func connect(t *testing.T, s *process.Server) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Process().Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// The service terminates TLS, logs it, and uses a renewed certificate while it runs.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	roots := certify(t, cert, key)
	s := process.Start(t, map[string]string{"ROSTER_TLS_CERT": cert, "ROSTER_TLS_KEY": key})
	resp, _ := get(t, s, roots, "/livez")
	same(t, "status", resp.StatusCode, 200)
	same(t, "protocol", resp.Proto, "HTTP/2.0")
	same(t, "HSTS", resp.Header.Get("Strict-Transport-Security"), "max-age=63072000; includeSubDomains")
	if !strings.Contains(s.Logs(), `"url":"https://`+s.Process().Address) {
		t.Errorf("the log does not name https:\n%s", s.Logs())
	}

	conn := connect(t, s)
	if _, err := fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	plain, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "plain HTTP", plain.StatusCode, 400)
	same(t, "HSTS in the clear", plain.Header.Get("Strict-Transport-Security"), "")

	renewed := certify(t, cert, key)
	resp, _ = get(t, s, renewed, "/livez")
	same(t, "status with the new certificate", resp.StatusCode, 200)
}

// On SIGHUP the service reads a new certificate at once, and not with the next connection.
func TestHangupReloadsTheCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certify(t, cert, key)
	s := process.Start(t, map[string]string{"ROSTER_TLS_CERT": cert, "ROSTER_TLS_KEY": key})
	roots := certify(t, cert, key)
	if err := s.Process().Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.AwaitLog(`"msg":"reloaded: `)
	if logs := s.Logs(); !strings.Contains(logs, `"msg":"new certificate"`) || !strings.Contains(logs, `"certificate_until":`) {
		t.Errorf("the log has no new certificate:\n%s", logs)
	}
	if resp, _ := get(t, s, roots, "/livez"); resp.StatusCode != http.StatusOK {
		t.Errorf("/livez: %s", resp.Status)
	}
}

func TestNoHSTSWithoutTLS(t *testing.T) {
	s := process.Start(t, nil)
	a := call(s, t, "GET", "/livez", header("X-Forwarded-Proto", "https"))
	same(t, "HSTS", a.header.Get("Strict-Transport-Security"), "")
}

// A certificate that cannot be used is reported by the start and by roster check.
func TestInvalidCertificatePreventsStart(t *testing.T) {
	rubbish := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(rubbish, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := process.Prepare(t, map[string]string{"ROSTER_TLS_CERT": rubbish, "ROSTER_TLS_KEY": rubbish})
	for _, command := range []string{"serve", "check"} {
		_, stderr, code := s.CLI(command)
		if code == 0 || !strings.Contains(stderr, "ROSTER_TLS_CERT") {
			t.Errorf("%s: exit code %d: %s", command, code, stderr)
		}
	}
}

// A connection without a request does not delay the stop: net/http would wait for five seconds, longer than the
// shutdown_timeout of this service.
func TestStopDoesNotWaitForSilentTLSConnections(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_SHUTDOWN_TIMEOUT": "4s"})
	conn := connect(t, s)
	call(s, t, "GET", "/livez").want(200) // connections are accepted in order, so the silent one is
	s.Stop()
	if strings.Contains(s.Logs(), "requests still under way were cut off") {
		t.Errorf("the stop waited:\n%s", s.Logs())
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
}

// The service gets its own certificate from an ACME authority, and keeps it over a restart.
func TestACME(t *testing.T) {
	const host = "id.example.org"
	a := acme.Start(t)
	trusted := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(trusted, a.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := process.Start(t, map[string]string{
		"ROSTER_TLS_AUTOCERT": host, "ROSTER_TLS_AUTOCERT_DIRECTORY": a.Directory, "SSL_CERT_FILE": trusted,
	})
	a.Validate(s.Process().Address)
	serial := func() string {
		t.Helper()
		d := tls.Dialer{Config: &tls.Config{RootCAs: a.Roots(), ServerName: host}}
		conn, err := d.DialContext(t.Context(), "tcp", s.Process().Address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	a.Stop()
	s.Restart()
	same(t, "the certificate after a restart", serial(), first)
	if info, err := os.Stat(filepath.Join(s.DataDir, "acme")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data/acme: %v, %v", info, err)
	}
}
