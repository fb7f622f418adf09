package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// peer returns the address at the other end of the connection; not valid where there is none, as in
// requests that came over none.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// trusts reports whether addr is one of the proxies in front.
func (s *server) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.WithZone("")) })
}

// client returns the address that a request comes from: that of the connection, or when a trusted
// proxy is there, the rightmost in X-Forwarded-For that is not itself a trusted proxy. Each proxy adds
// at the right what it sees, so what stands further left is anybody's to write. Where the chain is
// broken by what is no address, the last proxy that is known of counts as the client.
//
// RFC 7239's Forwarded is not looked at: a proxy that writes the one header lets the client's other one
// through.
func (s *server) client(r *http.Request) string {
	addr := peer(r)
	if !addr.IsValid() {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",") // several lines are one list (RFC 9110, 5.3)
	for _, hop := range slices.Backward(hops) {
		if !s.trusts(addr) {
			break
		}
		next, ok := parseForwardedFor(hop)
		if !ok {
			break
		}
		addr = next
	}
	return addr.String()
}

// hintAtProxy tells the operator, once, that a proxy of their own seems to be in front that is not
// trusted: all its clients then share one address, and with it every limit.
func (s *server) warnUntrustedProxy(r *http.Request) {
	at := peer(r)
	if r.Header.Get("X-Forwarded-For") == "" || s.trusts(at) || !at.IsLoopback() && !at.IsPrivate() {
		return
	}
	s.proxyWarning.Do(func() {
		s.log.Warn("X-Forwarded-For is not believed: its sender is not in trusted_proxies; if that is your proxy, all its clients count as one", zap.Stringer("from", at))
	})
}

// parseHop reads an address as proxies write it: also with a port, and then an IPv6 address in
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

// secure reports whether the client's connection is over TLS: this one, or the one to the trusted
// proxy that sends the request on. Of several values the last is the one that this proxy wrote.
func (s *server) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	values := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	return strings.EqualFold(strings.TrimSpace(values[len(values)-1]), "https") && s.trusts(peer(r))
}

// clientAddress returns the address that a request comes from, for limits, sessions and the log; it
// was found out when the request arrived (see server.client).
func clientAddress(r *http.Request) string {
	if rec, ok := r.Context().Value(requestKey).(*record); ok {
		return rec.client
	}
	return r.RemoteAddr
}
