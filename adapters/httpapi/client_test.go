package httpapi

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// The client address is that of the connection or, behind trusted proxies, the last address that is not one of them.
func TestClientAddress(t *testing.T) {
	trusted := prefixes("10.0.0.0/8", "2001:db8:ffff::/48")
	for name, c := range map[string]struct {
		peer    string
		trusted []netip.Prefix
		lines   []string // of X-Forwarded-For
		want    string
	}{
		"no proxy":                        {"192.0.2.9:1234", nil, nil, "192.0.2.9"},
		"no proxy, spoofed":               {"192.0.2.9:1234", nil, []string{"198.51.100.1"}, "192.0.2.9"},
		"an untrusted proxy":              {"192.0.2.9:1234", trusted, []string{"198.51.100.1"}, "192.0.2.9"},
		"a proxy without the header":      {"10.0.0.1:1234", trusted, nil, "10.0.0.1"},
		"one proxy":                       {"10.0.0.1:1234", trusted, []string{"198.51.100.1"}, "198.51.100.1"},
		"spoofed at the left":             {"10.0.0.1:1234", trusted, []string{"203.0.113.7, 10.0.0.2, 198.51.100.1"}, "198.51.100.1"},
		"a trusted address spoofed":       {"10.0.0.1:1234", trusted, []string{"203.0.113.7, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":                     {"10.0.0.1:1234", trusted, []string{"198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		"several lines are one list":      {"10.0.0.1:1234", trusted, []string{"203.0.113.7", "198.51.100.1", "10.9.9.9"}, "198.51.100.1"},
		"proxies all the way":             {"10.0.0.1:1234", trusted, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"garbage last":                    {"10.0.0.1:1234", trusted, []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"garbage before a proxy":          {"10.0.0.1:1234", trusted, []string{"198.51.100.1, _x, 10.0.0.2"}, "10.0.0.2"},
		"garbage at the left":             {"10.0.0.1:1234", trusted, []string{"'; DROP TABLE, 198.51.100.1"}, "198.51.100.1"},
		"an empty item last":              {"10.0.0.1:1234", trusted, []string{"198.51.100.1,"}, "10.0.0.1"},
		"empty":                           {"10.0.0.1:1234", trusted, []string{""}, "10.0.0.1"},
		"with a port":                     {"10.0.0.1:1234", trusted, []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                            {"[2001:db8:ffff::1]:1234", trusted, []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in brackets":                {"[2001:db8:ffff::1]:1234", trusted, []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv6 with a port":                {"[2001:db8:ffff::1]:1234", trusted, []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		"IPv6 with a zone":                {"[2001:db8:ffff::1]:1234", trusted, []string{"fe80::1%eth0"}, "fe80::1"},
		"IPv6 in another spelling":        {"[2001:db8:ffff::1]:1234", trusted, []string{"2001:DB8:0::7"}, "2001:db8::7"},
		"IPv4 inside IPv6, the proxy":     {"[::ffff:10.0.0.1]:1234", trusted, []string{"198.51.100.1"}, "198.51.100.1"},
		"IPv4 inside IPv6, in the header": {"10.0.0.1:1234", trusted, []string{"198.51.100.1, ::ffff:10.0.0.2"}, "198.51.100.1"},
		"no connection":                   {"pipe", trusted, []string{"198.51.100.1"}, "pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = c.peer, c.lines
			for _, h := range []string{"X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip"} {
				r.Header.Set(h, "203.0.113.99")
			}
			if got := (&server{Settings: Settings{TrustedProxies: c.trusted}}).client(r); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestOverTLS(t *testing.T) {
	s := &server{Settings: Settings{TrustedProxies: prefixes("10.0.0.0/8")}}
	for name, c := range map[string]struct {
		peer  string
		tls   bool
		lines []string // of X-Forwarded-Proto
		want  bool
	}{
		"plain":                         {"10.0.0.1:1", false, nil, false},
		"TLS":                           {"192.0.2.9:1", true, nil, true},
		"a proxy with TLS":              {"10.0.0.1:1", false, []string{"https"}, true},
		"a proxy with TLS, in capitals": {"10.0.0.1:1", false, []string{"HTTPS"}, true},
		"a proxy without":               {"10.0.0.1:1", false, []string{"http"}, false},
		"an untrusted claim":            {"192.0.2.9:1", false, []string{"https"}, false},
		"the client claims it":          {"10.0.0.1:1", false, []string{"https, http"}, false},
		"the client claims it in a line of its own": {"10.0.0.1:1", false, []string{"https", "http"}, false},
		"garbage": {"10.0.0.1:1", false, []string{"https;"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-Proto"] = c.peer, c.lines
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := s.overTLS(r); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
