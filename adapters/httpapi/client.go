package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// peer returns the remote address of the connection, or the zero Addr if r.RemoteAddr is none.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// containsAddr reports whether addr is in one of prefixes, whatever its zone.
func containsAddr(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr.WithZone("")) })
}

// client returns the address that r was sent from: that of the connection or, if a trusted proxy sent r, the rightmost
// address in X-Forwarded-For that is not a trusted proxy. Each proxy appends the address it received the request from,
// so anything further left can be forged. At an item that is no address, the last valid address counts as the client.
//
// The Forwarded header (RFC 7239) is ignored: a proxy that writes one of the two headers passes the other through.
func (s *server) client(r *http.Request) string {
	addr := peer(r)
	if !addr.IsValid() {
		return r.RemoteAddr
	}
	if !containsAddr(s.TrustedProxies, addr) {
		return addr.String()
	}
	// Several header lines are one list (RFC 9110, 5.3).
	items := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, item := range slices.Backward(items) {
		if !containsAddr(s.TrustedProxies, addr) {
			break
		}
		next, ok := parseForwardedFor(item)
		if !ok {
			break
		}
		addr = next
	}
	return addr.String()
}

// warnUntrustedProxy logs once that a proxy in a private network is not trusted. All its clients then share one
// address, and with it the limits by address.
func (s *server) warnUntrustedProxy(r *http.Request) {
	if r.Header.Get("X-Forwarded-For") == "" {
		return
	}
	at := peer(r)
	if containsAddr(s.TrustedProxies, at) || !at.IsLoopback() && !at.IsPrivate() {
		return
	}
	s.proxyWarning.Do(func() {
		s.log.Warn("X-Forwarded-For is not believed: its sender is not in trusted_proxies; "+
			"if it is your proxy, all its clients count as one", zap.Stringer("from", at))
	})
}

// parseForwardedFor parses an item of X-Forwarded-For: an address, with or without a port. An IPv6 address may be in
// brackets.
func parseForwardedFor(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	if inside, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inside, "]")
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}

// overTLS reports whether the client uses TLS, to this server or to the trusted proxy in front of it. Of several
// X-Forwarded-Proto values the last one counts: the proxy wrote it.
func (s *server) overTLS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	values := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	return strings.EqualFold(strings.TrimSpace(values[len(values)-1]), "https") && containsAddr(s.TrustedProxies, peer(r))
}
