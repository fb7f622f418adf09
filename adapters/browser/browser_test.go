package browser_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"roster/adapters/browser"
)

func request(method, url, peer string, tls bool, headers ...string) *http.Request {
	r := httptest.NewRequest(method, url, nil)
	r.TLS, r.RemoteAddr = nil, peer
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r.WithContext(browser.WithTransport(r.Context(), tls))
}

const (
	local  = "127.0.0.1:5000"
	remote = "192.0.2.1:5000"
)

func TestCookieByTransport(t *testing.T) {
	expires := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	secure := "__Host-roster=v; Path=/; Expires=Sun, 29 Nov 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
	plain := "roster=v; Path=/; Expires=Sun, 29 Nov 2026 12:00:00 GMT; HttpOnly; SameSite=Lax"
	for name, c := range map[string]struct {
		r    *http.Request
		want string
	}{
		"TLS":                   {request("POST", "https://id.example/", remote, true), secure},
		"TLS, localhost":        {request("POST", "https://localhost/", local, true), secure},
		"localhost":             {request("POST", "http://localhost:8000/", local, false), plain},
		"LOCALHOST":             {request("POST", "http://LOCALHOST/", local, false), plain},
		"IPv4 loopback":         {request("POST", "http://127.0.0.2:8000/", local, false), plain},
		"IPv6 loopback":         {request("POST", "http://[::1]:8000/", "[::1]:5000", false), plain},
		"public host":           {request("POST", "http://id.example/", local, false), ""},
		"rebound name":          {request("POST", "http://localhost.example/", local, false), ""},
		"private host":          {request("POST", "http://192.168.0.2/", local, false), ""},
		"another machine":       {request("POST", "http://localhost/", remote, false), ""},
		"no host":               {request("POST", "http:///", local, false), ""},
		"proxy on this machine": {request("POST", "http://127.0.0.1:8000/", local, false, "X-Forwarded-For", "192.0.2.1"), ""},
		"forged protocol":       {request("POST", "http://localhost/", local, false, "X-Forwarded-Proto", "https"), ""},
	} {
		w := httptest.NewRecorder()
		browser.Set(w, c.r, "v", expires)
		if got := w.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		if err := browser.CheckTransport(c.r); (err == nil) != (c.want != "") || err != nil && !errors.Is(err, browser.ErrInsecure) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cookie with the other name, or with a name that occurs twice, is none.
func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		tls    bool
		peer   string
		cookie string
		want   string
	}{
		"TLS":                  {true, remote, "a=b; __Host-roster=v", "v"},
		"TLS, plain name":      {true, remote, "roster=v", ""},
		"TLS, twice":           {true, remote, "__Host-roster=v; __Host-roster=w", ""},
		"localhost":            {false, local, "roster=v", "v"},
		"localhost, TLS name":  {false, local, "__Host-roster=v", ""},
		"localhost, twice":     {false, local, "roster=v; roster=w", ""},
		"plain, from afar":     {false, remote, "roster=v; __Host-roster=v", ""},
		"none":                 {true, remote, "a=b", ""},
		"a name in other case": {true, remote, "__host-roster=v", ""},
	} {
		r := request("GET", "http://localhost/", c.peer, c.tls, "Cookie", c.cookie)
		if got := browser.Read(r); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClear(t *testing.T) {
	w := httptest.NewRecorder()
	browser.Clear(w, request("DELETE", "https://id.example/", remote, true))
	if got := w.Header().Get("Set-Cookie"); got != "__Host-roster=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
		t.Error(got)
	}
}

func TestOrigins(t *testing.T) {
	origins, err := browser.NewOrigins("https://app.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		method, site, origin string
		refused              bool
	}{
		"own page":               {"POST", "same-origin", "https://id.example", false},
		"typed address":          {"POST", "none", "", false},
		"no browser":             {"POST", "", "", false},
		"old browser, own page":  {"POST", "", "https://id.example", false},
		"listed":                 {"POST", "cross-site", "https://app.example", false},
		"listed, old browser":    {"POST", "", "https://app.example", false},
		"sibling host":           {"POST", "same-site", "https://www.example", true},
		"other site":             {"POST", "cross-site", "https://evil.example", true},
		"other site, no origin":  {"DELETE", "cross-site", "", true},
		"old browser, other":     {"PATCH", "", "https://evil.example", true},
		"sandboxed page":         {"POST", "", "null", true},
		"listed, another scheme": {"POST", "cross-site", "http://app.example", true},
		"listed, another port":   {"POST", "cross-site", "https://app.example:8443", true},
		"listed as a prefix":     {"POST", "cross-site", "https://app.example.evil.example", true},
		"safe method":            {"GET", "cross-site", "https://evil.example", false},
	} {
		headers := []string{}
		if c.site != "" {
			headers = append(headers, "Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		err := origins.Check(request(c.method, "https://id.example/", remote, true, headers...))
		if (err != nil) != c.refused || err != nil && !errors.Is(err, browser.ErrCrossOrigin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"app.example", "https://app.example/", "https://app.example/path", "*", ""} {
		if _, err := browser.NewOrigins(bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}
