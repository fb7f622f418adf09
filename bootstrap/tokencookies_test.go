package bootstrap

import (
	"io"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"roster/adapters/httpapi"
	"roster/test/support/fixture"
)

// cookieClient is a browser at a page, behind a proxy that ends TLS.
type cookieClient struct {
	*mount

	cookies map[string]string
	headers map[string]string
}

// withTokenCookies returns a service with dj-rest-auth's cookies, and a browser at its own page.
func withTokenCookies(t *testing.T, s *fixture.Service) *cookieClient {
	t.Helper()
	m := mounted(t, s, httpapi.Settings{
		DjRestAuth:     httpapi.DjRestAuth{Path: "/dj-rest-auth", Cookies: httpapi.TokenCookies{Access: "app-auth", Refresh: "app-refresh"}},
		BrowserOrigins: []string{"https://app.example.org"}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}, httpapi.Ports{})
	return &cookieClient{m, map[string]string{}, map[string]string{"X-Forwarded-Proto": "https", "Origin": "https://app.example.org"}}
}

// at returns the same browser at a page of an origin.
func (c *cookieClient) at(origin string) *cookieClient {
	other := *c
	other.headers = maps.Clone(c.headers)
	other.headers["Origin"] = origin
	return &other
}

// do sends a request with the cookies, keeps those of the answer, and compares this. A body of "*" stands for any.
func (c *cookieClient) do(method, path, body string, status int, want string) (answer string, set []*http.Cookie) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range c.headers {
		r.Header.Set(name, value)
	}
	for name, value := range c.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != status || want != "*" && string(got) != want {
		c.t.Errorf("%s %s: %d %s, want %d %s", method, path, resp.StatusCode, got, status, want)
	}
	for _, cookie := range resp.Cookies() {
		if !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
			c.t.Errorf("%s %s: %s", method, path, cookie)
		}
		if c.cookies[cookie.Name] = cookie.Value; cookie.MaxAge < 0 {
			delete(c.cookies, cookie.Name)
		}
	}
	return string(got), resp.Cookies()
}

const (
	logInBody = `{"email": "ann@example.com", "password": "` + fixture.Password + `"}`
	noCookie  = `{"detail":"Refresh token was not included in cookie data."}`
	noRefresh = `{"detail":"No valid refresh token found.","code":"token_not_valid"}`
	foreign   = `{"detail":"Requests from pages of this origin are not allowed."}`
)

// Each row is what dj-rest-auth does with JWT_AUTH_COOKIE, JWT_AUTH_REFRESH_COOKIE and JWT_AUTH_HTTPONLY.
func TestDjRestAuthCookies(t *testing.T) {
	set := fixture.Django()
	set.Rules.Rotate = true
	c := withTokenCookies(t, fixture.New(t, set))
	ann := c.Add(t, "ann@example.com")
	c.do("GET", "/dj-rest-auth/user/", "", 401, "*")
	c.do("POST", "/dj-rest-auth/token/refresh/", `{}`, 401, noRefresh)
	c.do("POST", "/dj-rest-auth/logout/", `{}`, 401, noCookie)

	body, cookies := c.do("POST", "/dj-rest-auth/login/", logInBody, 200, "*")
	if len(cookies) != 2 || !strings.Contains(body, `"refresh":""`) || !strings.Contains(body, `"access":"`+c.cookies["app-auth"]+`"`) ||
		!strings.HasSuffix(body, `"user":`+djWire(ann)+`}`) {
		t.Errorf("%s %v", body, cookies)
	}
	for _, cookie := range cookies {
		lifetime := map[string]time.Duration{"app-auth": 5 * time.Minute, "app-refresh": 24 * time.Hour}[cookie.Name]
		if want := fixture.Epoch.Add(lifetime).Truncate(time.Second); !cookie.Expires.Equal(want) {
			t.Errorf("%s expires at %v, want %v", cookie.Name, cookie.Expires, want)
		}
	}
	c.do("GET", "/dj-rest-auth/user/", "", 200, djWire(ann))
	c.do("GET", "/api/users/me/", "", 200, "*")

	first := maps.Clone(c.cookies)
	body, cookies = c.do("POST", "/dj-rest-auth/token/refresh/", `{"refresh": ""}`, 200, "*")
	if len(cookies) != 2 || strings.Contains(body, `"refresh`) || !strings.Contains(body, `"access_expiration":`) ||
		c.cookies["app-refresh"] == first["app-refresh"] || c.cookies["app-auth"] == first["app-auth"] {
		t.Errorf("%s %v", body, cookies)
	}
	c.do("GET", "/dj-rest-auth/user/", "", 200, djWire(ann))

	c.headers["Authorization"] = "Bearer x" // the cookie does not count beside it
	c.do("GET", "/dj-rest-auth/user/", "", 401, "*")
	delete(c.headers, "Authorization")

	second := maps.Clone(c.cookies)
	if _, cookies = c.do("POST", "/dj-rest-auth/logout/", `{}`, 200, `{"detail":"Successfully logged out."}`); len(cookies) != 2 || len(c.cookies) != 0 {
		t.Errorf("after logout: %v", cookies)
	}
	c.do("GET", "/dj-rest-auth/user/", "", 401, "*")
	c.cookies = second // a copy
	c.do("POST", "/dj-rest-auth/token/refresh/", `{}`, 401, `{"detail":"Token is blacklisted","code":"token_not_valid"}`)
	c.cookies = map[string]string{"app-auth": "x.y.z"}
	answer, _ := c.do("GET", "/dj-rest-auth/user/", "", 401, "*")
	if !strings.Contains(answer, `"code":"token_not_valid"`) {
		t.Error(answer)
	}
	c.do("POST", "/dj-rest-auth/login/", logInBody, 200, "*") // an old cookie does not stop it
}

// A registration that signs in sets the cookies as well.
func TestDjRestAuthRegistrationSetsCookies(t *testing.T) {
	c := withTokenCookies(t, fixture.New(t, fixture.Django()))
	body := `{"email": "ann@example.com", "password1": "` + newSecret + `", "password2": "` + newSecret + `"}`
	c.at("https://evil.example").do("POST", "/dj-rest-auth/registration/", body, 403, foreign)
	answer, cookies := c.do("POST", "/dj-rest-auth/registration/", body, 201, "*")
	if len(cookies) != 2 || !strings.Contains(answer, `"refresh":""`) {
		t.Errorf("%s %v", answer, cookies)
	}
	c.do("GET", "/dj-rest-auth/user/", "", 200, "*")
}

// Pages of other origins neither act with the cookies nor set them, and without TLS none are set.
func TestDjRestAuthCookiesOfOtherOrigins(t *testing.T) {
	c := withTokenCookies(t, fixture.New(t, fixture.Django()))
	c.Add(t, "ann@example.com")
	tokens := c.SignsIn(t, "ann@example.com", fixture.Password)
	c.do("POST", "/dj-rest-auth/login/", logInBody, 200, "*")
	before := maps.Clone(c.cookies)
	for _, origin := range []string{"https://evil.example", "https://sub.app.example.org", "null"} {
		evil := c.at(origin)
		evil.do("POST", "/dj-rest-auth/login/", logInBody, 403, foreign)
		evil.do("POST", "/dj-rest-auth/logout/", `{}`, 403, foreign)
		evil.do("POST", "/dj-rest-auth/token/refresh/", `{}`, 403, foreign)
		evil.do("POST", "/dj-rest-auth/token/refresh/", `{"refresh": "`+tokens.Refresh+`"}`, 403, foreign)
		evil.do("PATCH", "/dj-rest-auth/user/", `{"first_name": "Eve"}`, 403, foreign)
		evil.do("PATCH", "/api/users/me/", `{"first_name": "Eve"}`, 403, foreign)
	}
	if !maps.Equal(before, c.cookies) {
		t.Error("cookies were set")
	}
	c.do("GET", "/dj-rest-auth/user/", "", 200, "*")
	c.headers["X-Forwarded-Proto"] = "http"
	c.do("GET", "/dj-rest-auth/user/", "", 401, "*")
	c.do("POST", "/dj-rest-auth/login/", logInBody, 403, "*")
	c.do("POST", "/dj-rest-auth/token/refresh/", `{"refresh": "`+tokens.Refresh+`"}`, 403, "*")
}
