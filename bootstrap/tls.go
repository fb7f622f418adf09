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

// acmeCache is the directory below the data directory for certificates obtained by ACME.
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

// tlsConfig returns the TLS configuration of the API, nil for none.
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

// files are those that operators may change while the service runs.
type files struct {
	fx.In

	Keys        signingkeys.Source
	Certificate *certificate.Files // nil when there is none
}

// reload reads the files now. Without it the service reads changed keys within lookEvery, and a changed certificate with
// the next connection. It logs inUse and what is in use of the files.
func (f files) reload(log *zap.Logger, inUse ...zap.Field) {
	if file, ok := f.Keys.(*signingkeys.File); ok {
		file.Look()
		inUse = append(inUse, zap.String("signs", file.Current("").Signing().ID()))
	}
	if f.Certificate != nil {
		inUse = append(inUse, zap.Time("certificate_until", f.Certificate.Look().Leaf.NotAfter))
	}
	log.Info("reloaded: keys, certificate and log level were read again; other settings are read at a start only", inUse...)
}
