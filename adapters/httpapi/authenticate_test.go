package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

// Only the request line and the bearer token decide the method, the path and the user. Override and identity headers
// are ignored, also those of a trusted proxy.
func TestOverrideHeadersAreIgnored(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	for _, name := range []string{
		"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Original-Method",
		"X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-User", "X-User-Id",
		"X-Authenticated-User", "X-Auth-Request-User", "X-Webauth-User", "X-Authorization", "X-Amzn-Oidc-Identity", "Proxy-Authorization", "Cookie",
	} {
		for _, value := range []string{"DELETE", "PUT", "/api/users/", "/livez", "sam", "sam@example.com", "Bearer sam", "access=sam"} {
			e.send("GET", "/api/users/ann/", "", name, value).want(t, 401, "WWW-Authenticate", `Bearer realm="api"`)
			e.send("GET", "/api/users/ann/", "", name, value, "Authorization", "Bearer ann").want(t, 404)
			e.send("POST", "/livez", "", name, value).want(t, 405)
			e.send("GET", "/nothing", "", name, value).want(t, 404)
		}
	}
}

// Two Authorization headers are refused, even if one of them is valid.
func TestTwoAuthorizationHeadersAreRefused(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	e.send("GET", "/api/users/me/", "", bearer("ann")...).want(t, http.StatusNotFound) // fakeApp finds no user
	for _, second := range []string{"Bearer ann", "Bearer bob", "Bearer x", "Basic YTpi", ""} {
		for _, both := range [][]string{{"Bearer ann", second}, {second, "Bearer ann"}} {
			r := e.send("GET", "/api/users/me/", "", "Authorization", both[0], "Authorization", both[1])
			if r.want(t, http.StatusUnauthorized); !strings.Contains(r.body, "bad_authorization_header") {
				t.Errorf("%q: %s", both, r.body)
			}
		}
	}
}
