package bootstrap

import (
	"crypto/tls"
	"path/filepath"

	"go.uber.org/zap"

	"roster/adapters/certificate"
	"roster/bootstrap/config"
)

// acmeCache is where, in the data directory, certificates that were asked for are kept.
const acmeCache = "acme"

// tlsConfig returns how the API speaks TLS, nil when it does not.
func tlsConfig(cfg config.Config, log *zap.Logger) (*tls.Config, error) {
	switch {
	case cfg.TLSCert != "":
		f, err := certificate.Open(cfg.TLSCert, cfg.TLSKey, log)
		if err != nil {
			return nil, named("ROSTER_TLS_CERT", err)
		}
		return f.Config(), nil
	case cfg.TLS():
		return certificate.ACME{
			Hosts: cfg.TLSAutocert, Directory: cfg.TLSAutocertDirectory, Cache: filepath.Join(cfg.DataDir, acmeCache),
		}.Config(), nil
	}
	return nil, nil
}
