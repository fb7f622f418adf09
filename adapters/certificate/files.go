// Package certificate finds the certificates that the API is served with: in files that somebody else
// renews, or by asking an ACME server for them.
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

// Files is a certificate and its key in two PEM files. A changed pair is taken over with the next
// handshake, connections under way go on with the old one. While a new pair is not good, as in the
// moment between the writing of the two files, the old one stays.
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

// Config returns the configuration of a server with this certificate. Versions from TLS 1.2 on are
// spoken, with the cipher suites that Go holds safe (RFC 9325).
func (f *Files) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.GetCertificate}
}

// GetCertificate is a tls.Config's. Looking at the files each time costs little beside a handshake,
// and sees every way of replacing them: in place, by renaming, by moving a symbolic link.
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
		if !f.same(found) { // told once for each state of the files
			f.log.Warn("the new certificate is not good; the old one stays", zap.Error(err))
		}
		f.seen = found
		return f.current
	}
	f.log.Info("new certificate", zap.Time("until", f.current.Leaf.NotAfter))
	return f.current
}

// stat looks at the files; one that is not there is nil.
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

// load reads the files that were found so. Should they change while they are read, they are found
// otherwise the next time.
func (f *Files) load(found [2]os.FileInfo) error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", f.cert, f.key, err)
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		f.log.Warn("the certificate has expired", zap.String("file", f.cert), zap.Time("at", pair.Leaf.NotAfter))
	}
	if open := privatefile.Exposed(found[1]); open != "" && f.current != nil { // of the first, the start says it
		f.log.Warn("other users can read the certificate's key", zap.String("file", f.key), zap.String("reason", open))
	}
	f.seen, f.current = found, &pair
	return nil
}
