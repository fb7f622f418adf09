package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// link returns the URL of r with another query. It is absolute if PublicURL gives its base or the Host header may be
// believed, otherwise relative to the host.
func (s *server) link(r *http.Request, rawQuery string) *string {
	u := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: rawQuery}
	base := s.PublicURL
	if base == FromHost || base == "" && hostIsLocal(r) {
		base = "http://" + r.Host
		if s.overTLS(r) {
			base = "https://" + r.Host
		}
	}
	return new(strings.TrimSuffix(base, "/") + u.String())
}

// localAddr returns the local address of the connection, or the zero Addr.
func localAddr(r *http.Request) netip.Addr {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.Addr{}
	}
	local, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return netip.Addr{}
	}
	return local.Addr().Unmap()
}

// hostIsLocal reports whether the Host header is localhost, a loopback address or the local address of the connection.
// Any other name could be an attacker's.
func hostIsLocal(r *http.Request) bool {
	host := (&url.URL{Host: r.Host}).Hostname()
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return ip.IsLoopback() || ip == localAddr(r)
}
