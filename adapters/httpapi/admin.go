package httpapi

import (
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"strings"

	"go.uber.org/zap"

	"roster/ports/inbound"
)

// Operations are handlers that only operators may reach, beside health and profiling; nil for none.
type Operations struct {
	Metrics  http.Handler
	LogLevel http.Handler
}

// NewAdmin returns the handler of the admin listener: health, profiling, o and the mounts, which are served with the
// settings set. host is the name or address that it listens on. It fails as New does.
func NewAdmin(h inbound.Health, o Operations, host string, set Settings, log *zap.Logger, mounts ...Mount) (http.Handler, error) {
	set.PublicURL = "" // it is that of the API
	s, err := newServer(Ports{Health: h}, set, log)
	if err != nil {
		return nil, err
	}
	s.takesCookies = true
	router := http.NewServeMux() // "GET" stands for HEAD too; other methods get 405 with Allow
	router.HandleFunc("GET "+livePath, s.livez)
	router.HandleFunc("GET "+readyPath, s.readyz)
	own := requireHost(host)
	if o.LogLevel != nil {
		router.Handle("GET /log/level", own(o.LogLevel))
		router.Handle("PUT /log/level", own(o.LogLevel))
	}
	if addr, err := netip.ParseAddr(host); o.Metrics != nil && err == nil && !addr.IsLoopback() {
		router.Handle("GET /metrics", o.Metrics) // open to a network, in which a collector can use any name
	} else if o.Metrics != nil {
		router.Handle("GET /metrics", own(o.Metrics))
	}
	for pattern, f := range map[string]http.HandlerFunc{
		"GET /debug/pprof/":        pprof.Index,
		"GET /debug/pprof/cmdline": pprof.Cmdline,
		"GET /debug/pprof/profile": pprof.Profile,
		"GET /debug/pprof/symbol":  pprof.Symbol, "POST /debug/pprof/symbol": pprof.Symbol, // go tool pprof sends addresses
		"GET /debug/pprof/trace": pprof.Trace,
	} {
		router.Handle(pattern, own(f))
	}
	pages := own(s.wrap(s.mounted(mounts, router)))
	for _, m := range mounts {
		router.Handle(m.Path, pages)
		router.Handle(strings.TrimSuffix(m.Path, "/"), pages)
	}
	return router, nil
}

// requireHost refuses requests for a host name other than own and localhost (RFC 9110, 15.5.20). It stops DNS
// rebinding: a web site makes its name resolve to a loopback address, so that its scripts in a browser on this machine
// may read the responses. Their requests still have that name in Host. IP addresses are safe: they need no DNS.
func requireHost(own string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host := (&url.URL{Host: r.Host}).Hostname()
			_, err := netip.ParseAddr(host)
			if err != nil && (host == "" || !strings.EqualFold(host, own) && !strings.EqualFold(host, "localhost")) {
				http.Error(w, "This host name is not served here. Use an IP address, localhost, or the name in admin_listen.",
					http.StatusMisdirectedRequest)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
