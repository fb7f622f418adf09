// Package certificate provides the certificates of the API: from files, or from an ACME server.
package certificate

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"roster/adapters/privatefile"
)

// Files is a certificate and its key in two PEM files. The next handshake uses a changed pair; open connections keep the
// old one. The old pair stays in use while the new one is not valid, as between the writing of the two files.
type Files struct {
	cert, key string
	log       *zap.Logger

	mu      sync.Mutex
	seen    [2]os.FileInfo // of the files as last read, good or not
	current *tls.Certificate
}

// Open reads the pair. It fails when a file cannot be read or they are no certificate and its key.
func Open(cert, key string, log *zap.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log}
	found, err := f.stat()
	if err != nil {
		return nil, err
	}
	if err := f.load(found); err != nil {
		return nil, err
	}
	return f, nil
}

// Config returns the configuration of a server with this certificate: TLS 1.2 and later, with Go's default cipher suites
// (RFC 9325).
func (f *Files) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.GetCertificate}
}

// GetCertificate is for tls.Config. It stats the files each time, which costs little beside a handshake and notices every
// way of replacing them: in place, by renaming, by changing a symbolic link.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.Look(), nil }

// Look reads the files if they have changed, and returns the certificate in use.
func (f *Files) Look() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.stat()
	if err == nil && f.same(found) {
		return f.current
	}
	if err == nil {
		err = f.load(found)
	}
	if err != nil {
		if !f.same(found) { // logged once for each state of the files
			f.log.Warn("the new certificate is not valid; the old one stays in use", zap.Error(err))
		}
		f.seen = found
		return f.current
	}
	f.log.Info("new certificate", zap.Time("until", f.current.Leaf.NotAfter))
	return f.current
}

// stat returns the state of the files, nil for one that does not exist.
func (f *Files) stat() (found [2]os.FileInfo, err error) {
	for i, name := range []string{f.cert, f.key} {
		info, statErr := os.Stat(name)
		if statErr != nil {
			err = statErr
			continue
		}
		found[i] = info
	}
	return found, err
}

func (f *Files) same(found [2]os.FileInfo) bool {
	for i, a := range f.seen {
		b := found[i]
		switch {
		case a == nil && b == nil:
		case a == nil || b == nil || !os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()):
			return false
		}
	}
	return true
}

// load reads the files. found is their state; if they change during load, the next stat differs from it.
func (f *Files) load(found [2]os.FileInfo) error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", f.cert, f.key, err)
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		f.log.Warn("the certificate has expired", zap.String("file", f.cert), zap.Time("at", pair.Leaf.NotAfter))
	}
	if open := privatefile.Exposed(found[1]); open != "" && f.current != nil { // for the first, bootstrap.Warnings reports it
		f.log.Warn("other users can read the certificate's key", zap.String("file", f.key), zap.String("reason", open))
	}
	f.seen, f.current = found, &pair
	return nil
}
