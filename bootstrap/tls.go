package bootstrap

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/certificate"
	"roster/adapters/privatefile"
	"roster/adapters/signingkeys"
	"roster/bootstrap/config"
)

// acmeCache is where, in the data directory, certificates that were asked for are kept.
const acmeCache = "acme"

// openCertificate reads the configured certificate; it returns nil when there is none.
func openCertificate(cfg config.Config, log *zap.Logger) (*certificate.Files, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	f, err := certificate.Open(cfg.TLSCert, cfg.TLSKey, log)
	setting := "tls_cert"
	if e, ok := errors.AsType[*fs.PathError](err); ok && e.Path == cfg.TLSKey {
		setting = "tls_key"
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("let user %d read the file; %s: %w", os.Geteuid(), privatefile.Mounted, err)
	}
	return f, named(cfg, setting, err)
}

// tlsConfig returns how the API speaks TLS, nil when it does not.
func tlsConfig(cfg config.Config, cert *certificate.Files) *tls.Config {
	switch {
	case cert != nil:
		return cert.Config()
	case cfg.TLS():
		return certificate.ACME{
			Hosts: cfg.TLSAutocert, Directory: cfg.TLSAutocertDirectory, Cache: filepath.Join(cfg.DataDir, acmeCache),
		}.Config()
	}
	return nil
}

// files is what operators change on the disk while the service runs.
type files struct {
	fx.In

	Keys        signingkeys.Source
	Certificate *certificate.Files // nil when there is none
}

// reload reads them at once. The service follows them without it too: the keys within lookEvery, the
// certificate with the next connection.
func (f files) reload(log *zap.Logger) {
	inUse := []zap.Field{zap.Skip(), zap.Skip()}
	if file, ok := f.Keys.(*signingkeys.File); ok {
		file.Look()
		inUse[0] = zap.String("signs", file.Current("").Signing().ID())
	}
	if f.Certificate != nil {
		inUse[1] = zap.Time("certificate_until", f.Certificate.Look().Leaf.NotAfter)
	}
	log.Info("reloaded: keys and certificate were read again; settings are read at a start only", inUse...)
}
