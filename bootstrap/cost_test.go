//go:build !race

package bootstrap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// allocations is how often a request may allocate memory at most, from the HTTP handler down to the backend in memory, its
// line of the log included. They are some 10 % above what was counted; lower them when a change makes requests cheaper.
var allocations = map[string]float64{
	"read self":      80,
	"read another":   78,
	"list":           395,
	"refresh":        408,
	"change a name":  135,
	"read by cookie": 70,
}

// answer is a response that is kept, to be used again.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// costClient sends requests to a handler.
type costClient struct {
	h      http.Handler
	answer answer
}

// send sends a request, whose body is read anew, and fails unless it succeeds.
func (c *costClient) send(t testing.TB, r *http.Request, body string) []byte {
	t.Helper()
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
		r.ContentLength = int64(len(body))
	}
	clear(c.answer.header)
	c.answer.status = http.StatusOK
	c.answer.body.Reset()
	c.h.ServeHTTP(&c.answer, r)
	if c.answer.status >= 300 {
		t.Fatalf("%s %s: %d %s", r.Method, r.URL, c.answer.status, c.answer.body.Bytes())
	}
	return c.answer.body.Bytes()
}

// request returns a request to be sent any number of times.
func request(method, path, access string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Content-Type", "application/json")
	if access != "" {
		r.Header.Set("Authorization", "Bearer "+access)
	}
	return r
}

// tokenPair is the answer to a sign-in.
type tokenPair struct{ Access, Refresh string }

// served starts the service with settings of its own, without a listener of the API, and registers users. The first one
// signs in. It returns a client, the tokens and the ids.
func served(t testing.TB, users int, settings ...string) (c *costClient, tokens tokenPair, ids []string) {
	t.Helper()
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
	c = &costClient{answer: answer{header: http.Header{}}}
	settings = append(settings, "ROSTER_THROTTLE_REGISTER=off", "ROSTER_THROTTLE_TOKEN=off", "ROSTER_THROTTLE_USER=off")
	app := fxtest.New(t, New(t.Context(), load(t, settings...), log), fx.Populate(&c.h))
	app.RequireStart()
	t.Cleanup(app.RequireStop)

	const password = "Correct-horse-7"
	for i := range users {
		var registered struct{ ID json.RawMessage }
		body := fmt.Sprintf(`{"email":"user%d@example.com","password":%q,"first_name":"Ann","last_name":"Lee"}`, i, password)
		if err := json.Unmarshal(c.send(t, request("POST", "/api/users/", ""), body), &registered); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, strings.Trim(string(registered.ID), `"`))
	}
	body := fmt.Sprintf(`{"email":"user0@example.com","password":%q}`, password)
	if err := json.Unmarshal(c.send(t, request("POST", "/api/token/", ""), body), &tokens); err != nil {
		t.Fatal(err)
	}
	return c, tokens, ids
}

// TestAllocations counts the allocations of requests. The least of several counts is taken: other goroutines allocate too.
func TestAllocations(t *testing.T) {
	c, tokens, ids := served(t, 25, "ROSTER_DATABASE=memory:")

	read := func(path string) func() {
		r := request("GET", path, tokens.Access)
		return func() { c.send(t, r, "") }
	}
	renewed := request("POST", "/api/token/refresh/", "")
	changed, changes := request("PATCH", "/api/users/"+ids[0]+"/", tokens.Access), 0
	for name, run := range map[string]func(){
		"read self":    read("/api/users/" + ids[0] + "/"),
		"read another": read("/api/users/" + ids[1] + "/"),
		"list":         read("/api/users/"),
		"refresh": func() {
			_, after, found := strings.Cut(string(c.send(t, renewed, `{"refresh":"`+tokens.Refresh+`"}`)), `"refresh":"`)
			if tokens.Refresh, _, _ = strings.Cut(after, `"`); !found {
				t.Fatal("no refresh token")
			}
		},
		"change a name": func() {
			changes++
			c.send(t, changed, fmt.Sprintf(`{"first_name":"Ann %d"}`, changes))
		},
	} {
		least := math.Inf(1)
		for range 5 {
			least = min(least, testing.AllocsPerRun(50, run))
		}
		if least > allocations[name] {
			t.Errorf("%s: %.0f allocations, want %.0f at most", name, least, allocations[name])
		}
	}
}

// A request with a cookie costs what it costs without one while browsers cannot sign in, and one without a cookie costs as
// much where they can.
func TestAllocationsOfCookies(t *testing.T) {
	least := func(c *costClient, r *http.Request) float64 {
		out := math.Inf(1)
		for range 5 {
			out = min(out, testing.AllocsPerRun(50, func() { c.send(t, r, "") }))
		}
		return out
	}
	off, tokens, ids := served(t, 1, "ROSTER_DATABASE=memory:")
	path := "/api/users/" + ids[0] + "/"
	plain, withCookie := request("GET", path, tokens.Access), request("GET", path, tokens.Access)
	withCookie.Header.Set("Cookie", "roster="+ids[0]+".0123456789abcdef01234567.x")
	if a, b := least(off, plain), least(off, withCookie); b > a {
		t.Errorf("off: %.0f allocations with a cookie, %.0f without", b, a)
	}

	on, tokens, ids := served(t, 1, "ROSTER_DATABASE=memory:", "ROSTER_BROWSER_SESSIONS=on")
	signIn := request("POST", "/api/session/", "")
	signIn.Host, signIn.RemoteAddr = "localhost", "127.0.0.1:5000"
	on.send(t, signIn, `{"email":"user0@example.com","password":"Correct-horse-7"}`)
	cookie, err := http.ParseSetCookie(on.answer.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	byCookie := request("GET", "/api/users/"+ids[0]+"/", "")
	byCookie.Host, byCookie.RemoteAddr = "localhost", "127.0.0.1:5000"
	byCookie.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	if n := least(on, byCookie); n > allocations["read by cookie"] {
		t.Errorf("on: %.0f allocations, want %.0f at most", n, allocations["read by cookie"])
	}
	if a, b := allocations["read self"], least(on, request("GET", "/api/users/"+ids[0]+"/", tokens.Access)); b > a {
		t.Errorf("on, with a token: %.0f allocations, want %.0f at most", b, a)
	}
}
