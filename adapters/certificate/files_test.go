package certificate

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// pair is a certificate and its key, in PEM.
type pair struct{ cert, key []byte }

func selfSigned(t *testing.T, name string, until time.Time) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
}

// place has the paths of the files of a test.
type place struct {
	t         *testing.T
	cert, key string
}

func newPlace(t *testing.T, p pair) place {
	dir := t.TempDir()
	at := place{t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	at.put(at.cert, p.cert)
	at.put(at.key, p.key)
	return at
}

// put replaces a file by renaming.
func (p place) put(name string, content []byte) {
	p.t.Helper()
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		p.t.Fatal(err)
	}
}

// serve serves the certificate on a socket and returns its address.
func serve(t *testing.T, c *tls.Config) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }),
		TLSConfig: c, ErrorLog: zap.NewStdLog(zap.NewNop()),
	}
	go func() { _ = srv.ServeTLS(l, "", "") }()
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

func dial(t *testing.T, address string, c *tls.Config) (*tls.Conn, error) {
	t.Helper()
	d := tls.Dialer{Config: c}
	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*tls.Conn), nil
}

// shown returns the name in the certificate of a new connection.
func shown(t *testing.T, address string) string {
	t.Helper()
	conn, err := dial(t, address, &tls.Config{InsecureSkipVerify: true}) // the test looks at the certificate itself
	if err != nil {
		t.Fatal(err)
	}
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func open(t *testing.T, at place) (*Files, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	f, err := Open(at.cert, at.key, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return f, logs
}

func TestNewPairIsUsed(t *testing.T) {
	until := time.Now().Add(24 * time.Hour)
	at := newPlace(t, selfSigned(t, "old", until))
	f, logs := open(t, at)
	address := serve(t, f.Config())
	if got := shown(t, address); got != "old" {
		t.Fatal(got)
	}
	before, err := dial(t, address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}

	fresh := selfSigned(t, "new", until)
	at.put(at.cert, fresh.cert)
	for range 2 {
		if got := shown(t, address); got != "old" { // the key is still that of the old one
			t.Errorf("with half of the new pair %q is shown", got)
		}
	}
	at.put(at.key, fresh.key)
	for range 2 {
		if got := shown(t, address); got != "new" {
			t.Errorf("with the new pair %q is shown", got)
		}
	}
	var logged []string
	for _, e := range logs.All() {
		logged = append(logged, e.Level.String()+" "+e.Message)
	}
	if got := strings.Join(logged, "; "); got != "warn the new certificate is not valid; the old one stays in use; info new certificate" {
		t.Errorf("logged: %s", got)
	}

	if _, err := fmt.Fprint(before, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if r, err := http.ReadResponse(bufio.NewReader(before), nil); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("the connection from before cannot be used: %v", err)
	}
}

// A renewal may write in place, rename, or replace a symbolic link, as Kubernetes does.
func TestEveryWayOfReplacing(t *testing.T) {
	until := time.Now().Add(24 * time.Hour)
	fresh := selfSigned(t, "new", until)
	for name, replace := range map[string]func(t *testing.T, at place){
		"in place": func(t *testing.T, at place) {
			for file, content := range map[string][]byte{at.cert: fresh.cert, at.key: fresh.key} {
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(file, until, until); err != nil { // the clock of the file system may be coarse
					t.Fatal(err)
				}
			}
		},
		"by a link": func(t *testing.T, at place) {
			other := newPlace(t, fresh)
			for link, target := range map[string]string{at.cert: other.cert, at.key: other.key} {
				if err := os.Symlink(target, link+".new"); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(link+".new", link); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			at := newPlace(t, selfSigned(t, "old", until))
			f, _ := open(t, at)
			address := serve(t, f.Config())
			if got := shown(t, address); got != "old" {
				t.Fatal(got)
			}
			replace(t, at)
			if got := shown(t, address); got != "new" {
				t.Errorf("%q is shown", got)
			}
		})
	}
}

// When the files are invalid the last valid pair is used, and each failure is logged once.
func TestBrokenPairChangesNothing(t *testing.T) {
	until := time.Now().Add(24 * time.Hour)
	good := selfSigned(t, "good", until)
	for name, spoil := range map[string]func(at place){
		"no certificate":  func(at place) { at.put(at.cert, []byte("rubbish")) },
		"empty":           func(at place) { at.put(at.key, nil) },
		"another's key":   func(at place) { at.put(at.key, selfSigned(at.t, "other", until).key) },
		"cut short":       func(at place) { at.put(at.cert, good.cert[:len(good.cert)/2]) },
		"not there":       func(at place) { _ = os.Remove(at.cert) },
		"neither is":      func(at place) { _ = os.Remove(at.cert); _ = os.Remove(at.key) },
		"a key for a key": func(at place) { at.put(at.cert, good.key) },
	} {
		t.Run(name, func(t *testing.T) {
			at := newPlace(t, good)
			f, logs := open(t, at)
			address := serve(t, f.Config())
			spoil(at)
			for range 3 {
				if got := shown(t, address); got != "good" {
					t.Errorf("%q is shown", got)
				}
			}
			if n := logs.FilterLevelExact(zapcore.WarnLevel).Len(); n != 1 {
				t.Errorf("logged %d times: %v", n, logs.All())
			}
			for _, e := range logs.All() {
				for _, field := range e.Context {
					if strings.Contains(fmt.Sprint(field), "PRIVATE") {
						t.Error("the key is in the log")
					}
				}
			}
			fresh := selfSigned(t, "fresh", until)
			at.put(at.cert, fresh.cert)
			at.put(at.key, fresh.key)
			if got := shown(t, address); got != "fresh" {
				t.Errorf("%q is shown once all is well", got)
			}
		})
	}
}

func TestStartNeedsAValidPair(t *testing.T) {
	good := selfSigned(t, "good", time.Now().Add(24*time.Hour))
	other := selfSigned(t, "other", time.Now().Add(24*time.Hour))
	for name, at := range map[string]place{
		"missing":       {t, "/nowhere/cert.pem", "/nowhere/key.pem"},
		"rubbish":       newPlace(t, pair{[]byte("x"), good.key}),
		"another's key": newPlace(t, pair{good.cert, other.key}),
	} {
		if _, err := Open(at.cert, at.key, zap.NewNop()); err == nil || bytes.Contains([]byte(err.Error()), good.key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// There is a warning about an expired certificate, and about a renewed one if other users can read its key. The settings
// warn about the first key.
func TestWarnings(t *testing.T) {
	at := newPlace(t, selfSigned(t, "x", time.Now().Add(-time.Hour)))
	f, logs := open(t, at)
	renewed := selfSigned(t, "x", time.Now().Add(-time.Minute))
	at.put(at.cert, renewed.cert)
	at.put(at.key, renewed.key)
	if err := os.Chmod(at.key, 0o640); err != nil {
		t.Fatal(err)
	}
	f.Look()
	exposed := logs.FilterMessage("other users can read the certificate's key").All()
	if logs.FilterMessage("the certificate has expired").Len() != 2 || len(exposed) != 1 || exposed[0].ContextMap()["reason"] != "mode 0640 lets its group read it; make it 0600" {
		t.Errorf("%v", logs.All())
	}
}

func TestVersions(t *testing.T) {
	f, _ := open(t, newPlace(t, selfSigned(t, "x", time.Now().Add(time.Hour))))
	address := serve(t, f.Config())
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := dial(t, address, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil && conn.ConnectionState().Version != version {
			t.Errorf("%s became %s", tls.VersionName(version), tls.VersionName(conn.ConnectionState().Version))
		}
	}
	conn, err := dial(t, address, &tls.Config{InsecureSkipVerify: true})
	if err != nil || conn.ConnectionState().Version != tls.VersionTLS13 {
		t.Errorf("TLS 1.3 is not preferred: %v", err)
	}
	var old []uint16
	for _, s := range tls.InsecureCipherSuites() {
		old = append(old, s.ID)
	}
	if _, err := dial(t, address, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: old}); err == nil {
		t.Error("an insecure cipher suite is taken")
	}
}
