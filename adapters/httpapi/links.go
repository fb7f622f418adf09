package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// link returns the URL of r with another query, as an absolute URL if base returns one.
func (s *server) link(r *http.Request, rawQuery string) *string {
	u := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: rawQuery}
	return new(s.base(r) + u.String())
}

// base returns what comes before the path in a link, without a slash at its end. It is an absolute URL if PublicURL
// gives one or the Host header may be believed, otherwise empty.
func (s *server) base(r *http.Request) string {
	base := s.PublicURL
	if base == FromHost || base == "" && hostIsLocal(r) {
		base = "http://" + r.Host
		if s.overTLS(r) {
			base = "https://" + r.Host
		}
	}
	return strings.TrimSuffix(base, "/")
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
