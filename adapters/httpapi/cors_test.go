package httpapi

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	app  = "https://app.example.org"
	evil = "https://evil.example"
)

func TestNoCORSByDefault(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	e.send("GET", "/api/users/1/", "", "Origin", app, "Authorization", "Bearer ann").
		want(t, 404, "Access-Control-Allow-Origin", "", "Vary", "")
	e.send("OPTIONS", "/api/users/", "", "Origin", app, "Access-Control-Request-Method", "GET").
		want(t, 401, "Access-Control-Allow-Origin", "", "Access-Control-Allow-Methods", "")
}

func TestCORSForNamedOrigins(t *testing.T) {
	const exposed = "Etag, Retry-After, Ratelimit, Ratelimit-Policy, Www-Authenticate, X-Request-Id"
	e := newTestAPI(t, Settings{CORSOrigins: []string{app, "http://localhost:3000"}}, fakeApp{})
	for _, origin := range []string{app, "http://localhost:3000"} {
		e.send("GET", "/api/users/1/", "", "Origin", origin, "Authorization", "Bearer ann").
			want(t, 404, "Access-Control-Allow-Origin", origin, "Access-Control-Expose-Headers", exposed, "Vary", "Origin", "Access-Control-Allow-Credentials", "")
		r := e.send("OPTIONS", "/api/users/1/", "", "Origin", origin, "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization,content-type,if-match")
		r.want(t, 204, "Access-Control-Allow-Origin", origin, "Access-Control-Allow-Methods", "PATCH", "Access-Control-Allow-Headers", "authorization,content-type,if-match",
			"Access-Control-Max-Age", "7200", "Access-Control-Allow-Credentials", "", "X-Content-Type-Options", "nosniff")
	}
	e.send("GET", "/api/users/1/", "", "Origin", app).want(t, 401, "Access-Control-Allow-Origin", app) // scripts may read errors too
	e.send("GET", "/nothing", "", "Origin", app).want(t, 404, "Access-Control-Allow-Origin", app)

	for _, origin := range []string{evil, "null", app + ".evil.example", "http://app.example.org", app + ":8443", "https://sub.app.example.org", "https://localhost:3000"} {
		e.send("GET", "/api/users/1/", "", "Origin", origin, "Authorization", "Bearer ann").want(t, 404, "Access-Control-Allow-Origin", "")
		e.send("OPTIONS", "/api/users/1/", "", "Origin", origin, "Access-Control-Request-Method", "PATCH").
			want(t, 204, "Access-Control-Allow-Origin", "", "Access-Control-Allow-Methods", "")
	}
	for _, headers := range []string{
		"authorization,x-csrftoken", "x-requested-with", "cache-control,pragma", "if-none-match", "traceparent,tracestate", "baggage,sentry-trace", "x-request-id", "accept-encoding,accept-language,dnt",
	} {
		sorted := strings.Split(headers, ",")
		slices.Sort(sorted) // as browsers send them
		e.send("OPTIONS", "/api/users/1/", "", "Origin", app, "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", strings.Join(sorted, ",")).
			want(t, 204, "Access-Control-Allow-Origin", app, "Access-Control-Allow-Headers", strings.Join(sorted, ","))
	}
	named := newTestAPI(t, Settings{CORSOrigins: []string{app}, CORSHeaders: []string{"X-Team"}}, fakeApp{})
	named.send("OPTIONS", "/api/users/1/", "", "Origin", app, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization,x-team").
		want(t, 204, "Access-Control-Allow-Headers", "authorization,x-team")
	for _, header := range []string{"x-http-method-override", "cookie", "x-team"} {
		e.send("OPTIONS", "/api/users/1/", "", "Origin", app, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", header).
			want(t, 204, "Access-Control-Allow-Origin", "")
	}
	e.send("OPTIONS", "/api/users/", "", "Authorization", "Bearer ann").want(t, 200) // DRF's description, as without CORS
}

// A preflight carries no token and counts in no limit.
func TestPreflightsAreNotThrottled(t *testing.T) {
	e := newTestAPI(t, Settings{CORSOrigins: []string{app}, Throttling: Throttling{Anon: Rate{1, time.Hour}}}, fakeApp{})
	for range 3 {
		e.send("OPTIONS", "/api/token/", "", "Origin", app, "Access-Control-Request-Method", "POST").want(t, 204, "Access-Control-Allow-Origin", app)
	}
	e.send("POST", "/api/token/", "{bad", "Origin", app).want(t, 400, "RateLimit", `"anon";r=0;t=3600`)
	e.send("POST", "/api/token/", "{bad", "Origin", app).want(t, 429, "Access-Control-Allow-Origin", app)
}

func TestCORSForAnyOrigin(t *testing.T) {
	e := newTestAPI(t, Settings{CORSOrigins: []string{"*"}}, fakeApp{})
	e.send("GET", "/livez", "", "Origin", evil).want(t, 200, "Access-Control-Allow-Origin", "*", "Access-Control-Allow-Credentials", "")
	e.send("OPTIONS", "/api/token/", "", "Origin", evil, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type").
		want(t, 204, "Access-Control-Allow-Origin", "*", "Access-Control-Allow-Credentials", "")
}
