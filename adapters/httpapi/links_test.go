package httpapi

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Links and HSTS use the scheme that a trusted proxy reports.
func TestHTTPSBehindProxy(t *testing.T) {
	const hsts = "max-age=3600; includeSubDomains"
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		proto   string
		link    string
		hsts    string
	}{
		"trusted, over TLS":     {prefixes("127.0.0.0/8"), "https", "https://id.example.org/", hsts},
		"trusted, plain":        {prefixes("127.0.0.0/8"), "http", "http://id.example.org/", ""},
		"trusted, no header":    {prefixes("127.0.0.0/8"), "", "http://id.example.org/", ""},
		"not trusted, over TLS": {[]netip.Prefix{}, "https", "http://id.example.org/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Settings{TrustedProxies: c.trusted, PublicURL: FromHost, PageSize: 1, Pagination: PageNumbers, HSTSMaxAge: time.Hour}
			e := newTestAPI(t, s, listApp{})
			headers := []string{"X-Forwarded-Host", "evil.example", "Host", "id.example.org", "Authorization", "Bearer ann"}
			if c.proto != "" {
				headers = append(headers, "X-Forwarded-Proto", c.proto)
			}
			r := e.send("GET", "/api/users/", "", headers...)
			r.want(t, 200, "Strict-Transport-Security", c.hsts)
			if !strings.Contains(r.body, `"next":"`+c.link) {
				t.Errorf("%s, want a link to %s", r.body, c.link)
			}
			e.send("GET", "/nothing", "", headers...).want(t, 404, "Strict-Transport-Security", c.hsts)
		})
	}
	s := Settings{TrustedProxies: prefixes("127.0.0.0/8")}
	newTestAPI(t, s, fakeApp{}).send("GET", "/livez", "", "X-Forwarded-Proto", "https").want(t, 200, "Strict-Transport-Security", "")
}

// The Host header is used for links only if configured, or if it names this machine.
func TestLinksIgnoreHostUnlessConfigured(t *testing.T) {
	for name, c := range map[string]struct{ public, host, want string }{
		"unset":             {"", "evil.example", "/api/users/?"},
		"unset, an address": {"", "192.0.2.1", "/api/users/?"},
		"unset, a loopback": {"", "127.0.0.1:8000", "http://127.0.0.1:8000/api/users/?"},
		"a URL":             {"https://id.example.org", "evil.example", "https://id.example.org/api/users/?"},
		"from-host":         {FromHost, "id.example.org", "http://id.example.org/api/users/?"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestAPI(t, Settings{PublicURL: c.public, PageSize: 1, Pagination: PageNumbers}, listApp{})
			headers := []string{
				"Host", c.host, "X-Forwarded-Host", "evil.example", "X-Host", "evil.example", "X-Forwarded-Server", "evil.example",
				"X-Forwarded-Port", "6666", "Forwarded", "host=evil.example;proto=ftp",
			}
			r := e.send("GET", "/api/users/", "", append(headers, "Authorization", "Bearer ann")...)
			if r.StatusCode != 200 || !strings.Contains(r.body, `"next":"`+c.want) {
				t.Errorf("%d %s, want a link to %s", r.StatusCode, r.body, c.want)
			}
			to := e.send("GET", "/api/users", "", headers...).Header.Get("Location")
			if !strings.HasPrefix(to, "/api/users/") && !strings.HasPrefix(to, strings.TrimSuffix(c.want, "?")) {
				t.Errorf("redirected to %q", to)
			}
		})
	}
}
