package bootstrap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"roster/bootstrap/config"
)

// healthTimeout bounds Health; a probe that takes longer has failed.
const healthTimeout = 5 * time.Second

// Ready returns nil if the service answers /readyz with 200. It asks the service at base, a URL; for "" the instance of
// the settings on this machine: its admin listener where admin_listen is given, since that answers while the API has as
// many connections as it may have, otherwise the API.
func Ready(ctx context.Context, cfg config.Config, base string) error {
	transport := &http.Transport{} // without the proxy of the environment
	if base == "" {
		var err error
		if base, err = ownURL(cfg); err != nil {
			return err
		}
		// The certificate names the public host, not this address of the machine itself.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, ServerName: serverName(cfg)} //nolint:gosec // nothing secret is sent
	}
	target, err := url.JoinPath(base, "readyz")
	if err != nil {
		return fmt.Errorf("%q is no URL", base)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("%q is no URL", base)
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", target, answer.Status)
	}
	return nil
}

// ownURL returns the URL of the instance of the settings.
func ownURL(cfg config.Config) (string, error) {
	scheme, setting, address := "http", "admin_listen", cfg.AdminListen
	if address == config.Off || !cfg.Given(setting) {
		setting, address = "listen", cfg.Listen
		if cfg.TLS() {
			scheme = "https"
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err == nil && port == "0" {
		err = errors.New("the service chooses its port at the start; name it with --url")
	}
	if err != nil {
		return "", named(cfg, setting, err)
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "", err == nil && ip.Is4() && ip.IsUnspecified():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}

// serverName returns the host for which ACME has a certificate, "" without ACME.
func serverName(cfg config.Config) string {
	if len(cfg.TLSAutocert) == 0 {
		return ""
	}
	return cfg.TLSAutocert[0]
}
